import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, serve, type Connection, type ConnectionHandler, type Server } from "../../build/index.js";
import {
  activeResources,
  assertNothingLeft,
  eventually,
  RawClient,
  type ResourceCounts,
} from "holdfast-testkit";
import { recordingLogger } from "./recording-logger.js";

/** Different styles of an echo handler. */
const ECHOES: Readonly<Record<string, ConnectionHandler>> = {
  "for await": async (connection) => {
    for await (const message of connection) await connection.send(message);
  },
  recv: async (connection) => {
    for (;;) await connection.send(await connection.recv());
  },
  forEach: (connection) => connection.forEach((message) => connection.send(message)),
  "forEach, not returned": (connection) =>
    void connection.forEach((message) => void connection.send(message)),
};

describe("A server's handler", () => {
  let resources: ResourceCounts;
  let server: Server | null = null;
  const { logger, lines } = recordingLogger();

  beforeEach(() => {
    resources = activeResources();
    lines.length = 0;
  });
  afterEach(async () => {
    await server?.close();
    server = null;
    await assertNothingLeft(resources);
  });

  const start = async (handler: ConnectionHandler) => {
    server = await serve(handler, { host: "127.0.0.1", logger });
    return server.url;
  };

  for (const [name, echo] of Object.entries(ECHOES)) {
    test(`G1: a handler with ${name} serves until its client disconnects, and no failure is logged`, async () => {
      const url = await start(echo);
      for (const end of ["close", "close with 4000", "terminate"] as const) {
        const connection = await connect(url);
        for (const message of [
          "hello",
          "",
          Uint8Array.of(1, 2),
          "é".repeat(50_000),
          new Uint8Array(200_000),
        ]) {
          void connection.send(message);
          assert.deepEqual(await connection.recv(), message);
        }
        if (end === "terminate") connection.terminate();
        else void connection.close(end === "close" ? 1000 : 4000);
        const info = await connection.closed;
        assert.equal(info.clean, end !== "terminate");
      }
      await eventually(() => server?.connections.size === 0, "the connections to end");
      assert.deepEqual(lines, []);
    });
  }

  test("G1: a handler that settles closes its connection with 1000", async () => {
    const url = await start(async (connection) => {
      await connection.send(`you said ${String(await connection.recv())}`);
    });
    const connection = await connect(url);
    void connection.send("bye");
    assert.equal(await connection.recv(), "you said bye");
    const { code, ok, initiator } = await connection.closed;
    assert.deepEqual({ code, ok, initiator }, { code: 1000, ok: true, initiator: "peer" });
  });

  test("G1: a handler that returns nothing leaves the connection open", async () => {
    const opened: Connection[] = [];
    const url = await start((connection) => void opened.push(connection));
    const connection = await connect(url);
    void opened[0]?.send("still here");
    assert.equal(await connection.recv(), "still here");
    assert.equal((await connection.ping()) < 1000, true);
    assert.deepEqual([connection.state, opened[0]?.state], ["open", "open"]);
    await connection.close();
  });

  const failures: Readonly<Record<string, ConnectionHandler>> = {
    "throws at once": () => {
      throw new TypeError("no");
    },
    "rejects at once": () => Promise.reject(new TypeError("no")),
    "throws later": async () => {
      await sleep(5);
      throw new TypeError("no");
    },
    "throws what is no error": () => {
      throw "no"; // eslint-disable-line @typescript-eslint/only-throw-error -- JavaScript allows it.
    },
  };
  for (const [name, fail] of Object.entries(failures)) {
    test(`G1: a handler that ${name} is logged and closes its own connection with 1011; the others go on`, async () => {
      let first: Connection | null = null;
      const url = await start((connection, request) => {
        if (connection.request.target === "/fails") {
          first = connection;
          return fail(connection, request) as unknown;
        }
        return ECHOES["for await"](connection, request) as unknown;
      });
      const other = await connect(`${url}/other`);
      const failing = await connect(`${url}/fails`);
      const { code, reason } = await failing.closed;
      assert.deepEqual([code, reason], [1011, ""]);
      void other.send("unharmed");
      assert.equal(await other.recv(), "unharmed");
      const { id, closed } = first as unknown as Connection; // It was assigned before the client was open.
      const { cause, error, initiator, message } = await closed;
      assert.deepEqual(
        { cause, initiator, message, error: error?.message },
        {
          cause: "handler-failed",
          initiator: "local",
          message: "sent 1011 (internal error); then received 1011 (internal error)",
          error: "no",
        },
      );
      assert.deepEqual(
        lines.map(({ level, message: line, details }) => [level, line, (details as { id: string }).id]),
        [["error", "connection handler failed", id]],
      );
      await other.close();
    });
  }

  test("G1: a handler that fails after the end of its connection is logged all the same", async () => {
    const url = await start(async (connection) => {
      await connection.closed;
      throw new Error("too late");
    });
    const connection = await connect(url);
    assert.equal((await connection.close()).ok, true);
    await eventually(() => lines.length > 0, "the log");
    assert.deepEqual(
      lines.map(({ message }) => message),
      ["connection handler failed"],
    );
  });

  test("G4: close() sends 1001, waits for handlers, refuses new clients, and is idempotent", async () => {
    const events: string[] = [];
    const url = await start(async (connection) => {
      const { code } = await connection.closed;
      await sleep(50);
      events.push(`the handler is through, after ${code}`);
    });
    const clients = await Promise.all([connect(url), connect(url), connect(url)]);
    assert(server !== null);
    const closing = [server.close({ code: 1012, reason: "update" }), server.close()];
    const infos = await Promise.all(clients.map((client) => client.closed));
    assert.deepEqual(
      infos.map(({ message }) => message),
      Array.from(
        { length: 3 },
        () => "received 1012 (service restart) update; then sent 1012 (service restart) update",
      ),
    );
    await Promise.all(closing);
    assert.deepEqual(
      events,
      Array.from({ length: 3 }, () => "the handler is through, after 1012"),
    );
    assert.equal(server.connections.size, 0);
    await assert.rejects(connect(url), { failure: "refused" });
  });

  test("G4: remaining connections are cut at `timeout`, even if stuck, and so are clients in their handshake", async () => {
    const ends: string[] = [];
    const url = await start(async (connection) => {
      void connection.send(new Uint8Array(50_000_000));
      ends.push((await connection.closed).cause);
    });
    const { port } = new URL(url);
    await using stuck = await RawClient.connect({ port: Number(port) });
    await stuck.upgrade();
    stuck.stopReading();
    await using opening = await RawClient.connect({ port: Number(port) });
    opening.write("GET / HT");
    await opening.flushed();
    await sleep(20);
    const began = performance.now();
    await server?.close({ timeout: 100 });
    const elapsed = performance.now() - began;
    assert(elapsed >= 95 && elapsed < 9_000, `${elapsed} ms`);
    assert.deepEqual(ends, ["server-shutdown"]);
    assert.match(await opening.ended, /fin|rst/);
  });

  test("G4: without `timeout` closeTimeout bounds it; `await using` closes the server", async () => {
    const causes: string[] = [];
    const local = await serve(
      (connection) => void connection.closed.then(({ cause }) => causes.push(cause)),
      {
        host: "127.0.0.1",
        closeTimeout: 100,
      },
    );
    await using mute = await RawClient.connect({ port: local.port });
    await mute.upgrade();
    const began = performance.now();
    await local[Symbol.asyncDispose]();
    const elapsed = performance.now() - began;
    assert(elapsed >= 95 && elapsed < 9_000, `${elapsed} ms`);
    assert.deepEqual(causes, ["server-shutdown"]);
  });
});
