import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { afterEach, beforeEach, describe, test } from "node:test";
import {
  connect,
  connectPersistent,
  serve,
  type ConnectionHandler,
  type ServeOptions,
  type Server,
} from "holdfast";
import { WebSocketStream } from "holdfast/websocket";
import { activeResources, assertNothingLeft, RawClient, type ResourceCounts } from "holdfast-testkit";
import { THENABLES, THROWN } from "./thrown-values.js";

// An unhandled rejection fails the current test: node:test reports it.

describe("Values that the application throws", () => {
  let resources: ResourceCounts;
  let server: Server | null = null;

  beforeEach(() => (resources = activeResources()));
  afterEach(async () => {
    await server?.close({ timeout: 1000 });
    server = null;
    await assertNothingLeft(resources);
  });

  async function start(handler: ConnectionHandler, options: ServeOptions = {}): Promise<string> {
    server = await serve(handler, { host: "127.0.0.1", ...options });
    return server.url;
  }

  for (const [name, make] of Object.entries(THROWN)) {
    test(`G1: a handler that throws or rejects with ${name} ends its connection with 1011`, async () => {
      let count = 0;
      const url = await start(() => {
        if (count++ === 0) throw make();

        return Promise.reject(make());
      });
      for (let run = 0; run < 2; run++) {
        const info = await (await connect(url)).closed;
        assert.equal(info.code, 1011);
      }
      assert.equal(server?.connections.size, 0);
    });

    test(`G2: an onRequest that throws or rejects with ${name} means 500`, async () => {
      let count = 0;
      const url = await start(() => undefined, {
        onRequest: () => {
          if (count++ === 0) throw make();

          return Promise.reject(make());
        },
      });
      for (let run = 0; run < 2; run++) await assert.rejects(connect(url), { status: 500 });
    });

    test(`E6: an iterable that throws ${name} in the middle of its message ends the connection with 1011`, async () => {
      const url = await start((connection) => connection.closed);
      const connection = await connect(url);
      const sent = connection.send(
        (function* () {
          yield "a";
          yield "b";
          throw make();
        })(),
      );
      await sent.then(
        () => assert.fail("resolved"),
        () => undefined,
      );
      const info = await connection.closed;
      assert.equal(info.code, 1011);
      assert.ok(info.error instanceof Error);
      assert.equal(typeof info.error.message, "string");
    });

    test(`E6: an iterable that throws ${name} at once leaves the connection as it was`, async () => {
      const url = await start((connection) => connection.forEach((message) => connection.send(message)));
      const connection = await connect(url);
      const broken: Iterable<string> = {
        [Symbol.iterator]: () => {
          throw make();
        },
      };
      await connection.send(broken).then(
        () => assert.fail("resolved"),
        () => undefined,
      );
      await connection.send("on");
      assert.equal(await connection.recv(), "on");
      await connection.close();
    });

    test(`B12: callbacks of opening that throw ${name} give an error at once, to the log as well`, async () => {
      const logged: unknown[] = [];
      const log = (message: string, details?: object): void => void logged.push([message, details]);
      const logger = { debug: log, info: log, warn: log, error: log };
      const opening = connect("ws://127.0.0.1:9/", {
        logger,
        createConnection: () => {
          throw make();
        },
      });
      await assert.rejects(opening, Error);

      const lookup = (): never => {
        throw make();
      };
      await assert.rejects(connect("ws://a.test/", { logger, lookup }), Error);

      const aborter = new AbortController();
      aborter.abort(make());
      await connect("ws://127.0.0.1:9/", { logger, signal: aborter.signal }).then(
        () => assert.fail("resolved"),
        () => undefined,
      );
      await new Promise(setImmediate);
      assert.ok(logged.length > 0);
    });

    test(`B12: a stream of createConnection that emits ${name} as its error fails the opening, at once`, async () => {
      for (const url of ["ws://a.test/", "wss://a.test/"]) {
        const createConnection = (): Duplex => {
          const stream = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
          setImmediate(() => stream.emit("error", make()));
          return stream;
        };
        await assert.rejects(connect(url, { createConnection, openTimeout: null }), Error);
      }
    });

    test(`B10: a signal that aborts with ${name} rejects connect() with that value, before and during the opening`, async () => {
      const url = await start(() => undefined);
      for (const isEarly of [true, false]) {
        const reason = make();
        const aborter = new AbortController();
        if (isEarly) aborter.abort(reason);
        else setImmediate(() => aborter.abort(reason));
        const target = isEarly ? url : "ws://a.test/";
        const { signal } = aborter;
        const opening = connect(target, { signal, lookup: () => undefined, openTimeout: null });
        let isSame = false; // Returning or printing the value may throw.
        await opening.then(
          () => assert.fail("resolved"),
          (error: unknown) => void (isSame = error === signal.reason),
        );
        assert.ok(isSame);
      }
    });

    test(`N1: WebSocketStream closes its connection if a stream is aborted or cancelled with ${name}`, async () => {
      const url = await start((connection) => connection.closed);
      for (const side of ["abort", "cancel"] as const) {
        const stream = new WebSocketStream(url);
        const { readable, writable } = await stream.opened;
        await (side === "abort" ? writable.abort(make()) : readable.cancel(make()));
        assert.deepEqual(await stream.closed, { closeCode: 1005, reason: "" });
      }
    });

    test(`F1: url, onOpen and retryable that throw ${name} end a persistent connection, or its attempt`, async () => {
      const byURL = connectPersistent(
        () => {
          throw make();
        },
        { retryable: () => false },
      );
      const info = await byURL.closed;
      assert.ok(info.error instanceof Error);

      const url = await start((connection) => connection.closed);
      const byOnOpen = connectPersistent(url, {
        retryable: () => {
          throw make();
        },
        onOpen: () => {
          throw make();
        },
      });
      await byOnOpen.closed;
      assert.ok(byOnOpen.status.state === "closed" && byOnOpen.status.error instanceof Error);
    });

    test(`E7: a forEach callback that throws or rejects with ${name} rejects forEach alone`, async () => {
      const url = await start((connection) => connection.forEach((message) => connection.send(message)));
      const connection = await connect(url);
      for (const callback of [
        () => {
          throw make();
        },

        () => Promise.reject(make()),
      ]) {
        const reading = connection.forEach(callback);
        await connection.send("x");
        await reading.then(
          () => assert.fail("resolved"),
          () => undefined,
        );
      }
      assert.equal(connection.state, "open");
      await connection.close();
    });

    test(`E5: a send, recv, ping and forEach aborted for ${name} reject`, async () => {
      const url = await start((connection) => connection.closed);
      const connection = await connect(url);
      for (const call of [
        (signal: AbortSignal) => connection.recv({ signal }),
        (signal: AbortSignal) => connection.forEach(() => undefined, { signal }),
        (signal: AbortSignal) => connection.send(never(), { signal }),
      ]) {
        const aborter = new AbortController();
        const waiting = call(aborter.signal).then(
          () => "resolved",
          () => "rejected",
        );
        aborter.abort(make());
        assert.equal(await waiting, "rejected");
      }
      await connection.close();
    });
  }

  for (const [name, make] of Object.entries(THENABLES)) {
    test(`G1: a handler that returns ${name} ends its connection with 1011, and close() does not wait for it`, async () => {
      const url = await start(make);
      const info = await (await connect(url)).closed;
      assert.equal(info.code, 1011);
      const begun = performance.now();
      await server?.close({ timeout: 20_000 });
      assert.ok(performance.now() - begun < 19_000);
    });

    test(`G2: an onRequest that returns ${name} means 500`, async () => {
      const url = await start(() => undefined, { onRequest: make });
      await assert.rejects(connect(url), { status: 500 });
    });

    test(`E7: a forEach callback that returns ${name} rejects forEach`, async () => {
      const url = await start((connection) => connection.forEach((message) => connection.send(message)));
      const connection = await connect(url);
      const reading = connection.forEach(make);
      await connection.send("x");
      await reading.then(
        () => assert.fail("resolved"),
        () => undefined,
      );
      await connection.send("y");
      assert.equal(await connection.recv(), "y");
      await connection.close();
    });

    test(`B12: url, headers, createConnection and onOpen that return ${name} fail the attempt`, async () => {
      const url = await start((connection) => connection.closed);
      await assert.rejects(connect(url, { createConnection: make }), Error);
      for (const options of [{ headers: make }, { subprotocols: make }, { onOpen: make }]) {
        if ("onOpen" in options && make() instanceof Promise) continue; // `await` does not read `then` of a native promise.
        const connection = connectPersistent(url, { ...options, retryable: () => false });
        const info = await connection.closed;
        assert.equal(info.ok, false);
      }
      const connection = connectPersistent(make, { retryable: () => false });
      assert.equal((await connection.closed).ok, false);
    });

    test(`E6: an iterator whose next returns ${name} rejects the send`, async () => {
      const url = await start((connection) => connection.forEach((message) => connection.send(message)));
      const connection = await connect(url);
      const broken = { [Symbol.asyncIterator]: () => ({ next: make, return: make }) };
      await connection.send(broken).then(
        () => assert.fail("resolved"),
        () => undefined,
      );
      await connection.send("on");
      assert.equal(await connection.recv(), "on");
      await connection.close();
    });
  }

  const NONSENSE: Readonly<Record<string, () => unknown>> = {
    "a number": () => 5,
    "a body that is none": () => ({ status: 200, headers: new Headers(), body: { cancel: 5 } }),
    "a body whose cancel throws": () => ({
      status: 200,
      headers: new Headers(),
      body: {
        cancel: () => {
          throw new Error("no");
        },
      },
    }),
    "a Response whose body is locked": () => {
      const response = new Response("text");
      response.body?.getReader();
      return response;
    },
    "a Response whose getters throw": THROWN["a Proxy that throws on everything"],
    "a revoked Proxy": THROWN["a revoked Proxy"],
  };

  for (const [name, make] of Object.entries(NONSENSE)) {
    test(`G2: an onRequest that answers with ${name}, in time or late, harms nothing`, async () => {
      let answer: (answer: unknown) => void = () => undefined;
      let requestedByServer: () => void = () => undefined;
      const url = await start(() => undefined, {
        openTimeout: 200,
        onRequest: () => {
          requestedByServer();
          return new Promise<never>((resolve) => (answer = resolve as (answer: unknown) => void));
        },
      });
      const nextRequest = () => new Promise<void>((resolve) => (requestedByServer = resolve));

      // Before the timeout.
      let begun = nextRequest();
      const refused = assert.rejects(connect(url), { status: 500 });
      await begun;
      answer(make());
      await refused;

      // After the client has disconnected.
      begun = nextRequest();
      const client = await RawClient.connect({ port: server?.port ?? 0 });
      client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      await begun;
      await client[Symbol.asyncDispose]();
      await new Promise((resolve) => setTimeout(resolve, 20));
      answer(make());

      // After the timeout.
      begun = nextRequest();
      const late = assert.rejects(connect(url), { status: 503 });
      await begun;
      await late;
      answer(make());
      await new Promise((resolve) => setTimeout(resolve, 20));
    });
  }
});

async function* never(): AsyncGenerator<string> {
  await new Promise(() => undefined);
  yield "";
}
