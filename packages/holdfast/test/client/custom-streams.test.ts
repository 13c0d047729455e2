// Streams that an application supplies, which may not behave as sockets do.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTcp, createServer, type AddressInfo } from "node:net";
import { Duplex, PassThrough, type DuplexOptions } from "node:stream";
import { afterEach, beforeEach, describe, test } from "node:test";
import { assertWithin, eventually } from "holdfast-testkit";
import {
  connect,
  connectPersistent,
  HandshakeError,
  serve,
  type Connection,
  type Server,
} from "../../build/index.js";

let server: Server;

beforeEach(async () => {
  server = await serve((connection) => connection.forEach((message) => connection.send(message)), {
    host: "127.0.0.1",
    port: 0,
  });
});
afterEach(() => server.close({ timeout: 0 }));

/** A stream to the server that is no socket. */
function streamTo({ port }: Server, options: DuplexOptions = {}): Duplex {
  const socket = connectTcp(port, "127.0.0.1");
  const stream = new Duplex({
    read: () => void socket.resume(),
    write: (chunk, _encoding, callback) => void socket.write(chunk as Buffer, callback),
    final: (callback) => void socket.end(callback),
    destroy: (error, callback) => {
      socket.destroy();
      callback(error);
    },
    ...options,
  });
  socket.on("data", (chunk) => {
    if (!stream.push(chunk)) socket.pause();
  });
  socket.on("end", () => stream.push(null)).on("error", (error) => stream.destroy(error));
  stream.on("close", () => socket.destroy());
  return stream;
}

/** The server's end of this connection. */
const peerOf = (connection: Connection): Connection => {
  const [peer] = [...server.connections].slice(-1);
  assert.ok(peer, connection.url);
  return peer;
};

const ENDINGS: Readonly<Record<string, (connection: Connection, stream: Duplex) => unknown>> = {
  "local-close": (connection) => connection.close(),
  "peer-close": (connection) => peerOf(connection).close(),
  eof: (_, stream) => stream.push(null),
  aborted: (connection) => connection.terminate(),
  reset: (_, stream) => stream.emit("error", new Error("broken")),
};

describe("A stream that emits no close", () => {
  const streams: Readonly<Record<string, DuplexOptions>> = {
    "has emitClose: false": { emitClose: false },
    "is destroyed for ever": { destroy: () => undefined },
  };
  for (const [title, options] of Object.entries(streams)) {
    for (const [cause, end] of Object.entries(ENDINGS)) {
      test(`D4, D7: ${cause}: the connection ends soon if its stream ${title}`, async () => {
        const stream = streamTo(server, options);
        const connection = await connect(server.url, { stream });
        await connection.send("hi");
        await connection.recv();
        const begun = performance.now();
        void end(connection, stream);
        const info = await connection.closed;
        assert.equal(info.cause, cause);
        assert.ok(performance.now() - begun < 3_000, `${performance.now() - begun} ms`); // closeTimeout: 10 s.
        assert.equal(connection.state, "closed");
      });
    }
  }

  for (const [title, options] of Object.entries(streams)) {
    for (const isMute of [false, true]) {
      test(`D4: close() ends soon after closeTimeout at the latest if its stream ${title}, and the peer is ${isMute ? "mute" : "there"}`, async () => {
        await assertWithin(3_000, async () => {
          const stream = streamTo(server, options);
          const connection = await connect(server.url, { stream, closeTimeout: 50, pingInterval: null });
          if (isMute) stream._write = (_chunk, _encoding, done) => done();
          const begun = performance.now();
          const { cause } = await connection.close();
          if (isMute) assert.equal(cause, "close-timeout");
          return performance.now() - begun;
        });
      });
    }
  }

  for (const cause of ["local-close", "aborted"]) {
    test(`D4, D7: ${cause}: no wait follows if its stream closes with emitClose: false`, async () => {
      await assertWithin(450, async () => {
        const stream = streamTo(server, { emitClose: false });
        const connection = await connect(server.url, { stream, closeTimeout: null });
        const begun = performance.now();
        void ENDINGS[cause](connection, stream);
        await connection.closed;
        return performance.now() - begun;
      });
    });
  }

  test("D7: a stream that was destroyed without a word ends its connection at the next write", async () => {
    const stream = streamTo(server, { emitClose: false });
    const connection = await connect(server.url, { stream });
    stream.destroy();
    void connection.send("hi");
    assert.equal((await connection.closed).cause, "eof");
  });

  test("F9: a persistent connection over such streams reconnects", async () => {
    let dials = 0;
    const link = connectPersistent(server.url, {
      createConnection: () => {
        dials++;
        return streamTo(server, { emitClose: false });
      },
      firstDelay: 10,
    });
    await eventually(() => link.status.state === "open", "it is open");
    for (const connection of server.connections) connection.terminate();
    await eventually(() => dials === 2 && link.status.state === "open", "it has reconnected", 10_000);
    await link.close();
  });

  test("D7: a stream that takes its time to close is waited for", async () => {
    let isClosed = false;
    const destroy = (error: Error | null, callback: (error: Error | null) => void): void => {
      setTimeout(() => {
        isClosed = true;
        callback(error);
      }, 200);
    };
    const connection = await connect(server.url, { stream: streamTo(server, { destroy }) });
    connection.terminate();
    await connection.closed;
    assert.equal(isClosed, true);
  });
});

describe("A stream whose methods throw", () => {
  for (const method of ["_write", "write", "end"] as const) {
    test(`D7: ${method}(): its connection ends with the error, and others write in the same turn`, async () => {
      const stream = streamTo(server);
      const connection = await connect(server.url, { stream });
      const peer = peerOf(connection);
      const other = await connect(server.url);
      const error = new Error("boom");
      stream[method] = () => {
        throw error;
      };
      if (method === "end") void peer.close();
      else void connection.send("one");
      await other.send("two");
      assert.equal(await other.recv(), "two");
      const info = await connection.closed;
      if (method !== "end") assert.deepEqual([info.cause, info.error], ["reset", error]);
      other.terminate();
    });
  }

  test("D7: destroy(): its connection ends all the same", async () => {
    const stream = streamTo(server);
    const connection = await connect(server.url, { stream });
    const destroy = stream.destroy.bind(stream);
    stream.destroy = () => {
      throw new Error("boom");
    };
    connection.terminate();
    assert.equal((await connection.closed).cause, "aborted");
    destroy();
  });
});

describe("A stream of createConnection that ends before it is returned", () => {
  const ended = async (): Promise<Duplex> => {
    const stream = new PassThrough().end();
    await once(stream.resume(), "end");
    return stream;
  };
  const reset = async (): Promise<Duplex> => {
    const listener = createServer((socket) => socket.resetAndDestroy()).listen(0, "127.0.0.1");
    await once(listener, "listening");
    const stream = connectTcp((listener.address() as AddressInfo).port, "127.0.0.1").on(
      "error",
      () => undefined,
    );
    await eventually(() => stream.destroyed, "the stream is reset");
    listener.close();
    return stream;
  };
  const destroyed = (error?: Error): Duplex => new PassThrough({ autoDestroy: false }).destroy(error);
  const cases: Readonly<Record<string, readonly [() => Duplex | Promise<Duplex>, string]>> = {
    "that is reset": [reset, "reset"],
    "that ends": [ended, "eof"],
    "that is destroyed": [() => destroyed(), "eof"],
    "that fails": [() => destroyed(new Error("boom")), "unreachable"],
    "whose promise rejects": [() => Promise.reject(new Error("boom")), "unreachable"],
  };
  for (const [title, [create, failure]] of Object.entries(cases)) {
    test(`B8, F2: one ${title} fails the attempt, and a persistent connection tries again`, async () => {
      await assert.rejects(connect(server.url, { createConnection: create }), {
        name: "HandshakeError",
        failure,
      });
      let dials = 0;
      const createConnection = () => (dials++ === 0 ? create() : streamTo(server));
      const link = connectPersistent(server.url, { createConnection, firstDelay: 10 });
      await eventually(() => link.status.state === "open", "it is open");
      assert.equal(dials, 2);
      await link.close();
    });
  }

  test("B8: one that is refused, because of an encoding, is destroyed", async () => {
    const stream = streamTo(server);
    stream.setEncoding("utf8");
    await assert.rejects(connect(server.url, { createConnection: () => stream }), {
      name: "InvalidArgumentError",
    });
    assert.equal(stream.destroyed, true);
  });

  for (const side of ["readable", "writable"]) {
    test(`B8: one made with \`${side}: false\` is a mistake, which ends a persistent connection`, async () => {
      let dials = 0;
      const createConnection = (): Duplex => {
        dials++;
        return new PassThrough({ [side]: false });
      };
      const link = connectPersistent(server.url, { createConnection, firstDelay: 10 });
      const { error } = await link.closed;
      assert.equal(dials, 1);
      assert.match(
        String(error),
        /^InvalidArgumentError: .* to be an open Duplex stream of bytes, which this one/,
      );
      assert.match(String(error), new RegExp(`: it was made with \`${side}: false\``));
      await assert.rejects(connect(server.url, { stream: createConnection() }), {
        name: "InvalidArgumentError",
      });
    });
  }

  test("B8: one that is returned again is a mistake, which ends a persistent connection", async () => {
    const stream = destroyed();
    const link = connectPersistent(server.url, { createConnection: () => stream, firstDelay: 10 });
    const { cause, error } = await link.closed;
    assert.deepEqual([cause, error?.name], ["aborted", "InvalidArgumentError"]);
    assert.match(String(error?.message), /`createConnection\(\)` .* which this one is not: it was destroyed/);
  });
});

describe("A stream that is given to two connections", () => {
  const inUse = {
    name: "InvalidArgumentError",
    message: /open Duplex stream of bytes, which this one is not: it is in use by another connection/,
  };

  test("B8: the second one is refused, and the first one continues", async () => {
    for (const create of [() => connectTcp(server.port, "127.0.0.1"), () => streamTo(server)]) {
      const stream = create();
      const options = { createConnection: () => stream };
      const first = connect(server.url, options);
      await assert.rejects(connect(server.url, options), inUse); // While the first one opens.
      const connection = await first;
      await assert.rejects(connect(server.url, options), inUse);
      await assert.rejects(connect(server.url, { stream }), inUse);
      await connection.send("hi");
      assert.equal(await connection.recv(), "hi");
      await connection.close();
    }
  });

  test("B8: the second one is refused also where both use TLS over it", async () => {
    const stream = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
    const options = { createConnection: () => stream, openTimeout: 500 };
    const first = connect("wss://example.com/", options);
    await assert.rejects(connect("wss://example.com/", options), inUse);
    await assert.rejects(first, { name: "OpenTimeoutError" });
  });
});

describe("A stream that emits an error which is none", () => {
  for (const value of [undefined, null, "broken", 5, {}]) {
    test(`D7: ${JSON.stringify(value)} is a reset, with an Error`, async () => {
      const stream = streamTo(server);
      const connection = await connect(server.url, { stream });
      stream.emit("error", value);
      const { cause, error } = await connection.closed;
      assert.equal(cause, "reset");
      assert.ok(error instanceof Error);
    });

    test(`B12: ${JSON.stringify(value)} before the answer fails the opening`, async () => {
      const stream: Duplex = streamTo(server, { write: () => void stream.emit("error", value) });
      await assert.rejects(connect(server.url, { stream }), HandshakeError);
    });
  }
});
