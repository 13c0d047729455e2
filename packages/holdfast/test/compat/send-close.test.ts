// `send()`, `bufferedAmount` and `close()`.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { serve } from "holdfast";
import { WebSocket } from "holdfast/websocket";
import { eventually, RawServer } from "holdfast-testkit";
import { once, opened, openScene, recordEvents } from "./scene.js";

/** Any value may be passed, as in JavaScript. */
function anyOf(socket: WebSocket): { send(...values: unknown[]): void; close(...values: unknown[]): void } {
  return socket as object as ReturnType<typeof anyOf>;
}

describe("send()", () => {
  test("N1: it throws while connecting, and converts every value", async () => {
    await using scene = await openScene();
    const socket = new WebSocket(scene.url);
    const send = (...values: unknown[]): void => anyOf(socket).send(...values);
    assert.throws(() => send("early"), { name: "InvalidStateError", code: 11 });
    assert.throws(() => send(), TypeError);
    assert.throws(() => send(Symbol("x")), TypeError);
    await once(socket, "open");
    const events = recordEvents(socket);
    for (const value of [null, undefined, 5, true, ["a", "b"], {}]) send(value);
    assert.throws(() => send(new Uint8Array(new SharedArrayBuffer(2))), TypeError);
    await eventually(() => events.length === 6, "what the next line expects");
    assert.deepEqual(events, [
      "message null",
      "message undefined",
      "message 5",
      "message true",
      "message a,b",
      "message [object Object]",
    ]);
    socket.close();
    await once(socket, "close");
  });

  test("N1: bytes are taken when they are sent", async () => {
    await using scene = await openScene();
    const socket = await opened(scene.url);
    socket.binaryType = "arraybuffer";
    const bytes = new Uint8Array(200_000).fill(1);
    socket.send(bytes);
    bytes.fill(2);
    const { data } = (await once(socket, "message")) as MessageEvent<ArrayBuffer>;
    assert.ok(new Uint8Array(data).every((byte) => byte === 1));
    socket.close();
    await once(socket, "close");
  });

  test("N1: a buffer that was transferred is sent as an empty message, as Web IDL converts it", async () => {
    await using scene = await openScene();
    const socket = await opened(scene.url);
    const events = recordEvents(socket);
    const buffer = new ArrayBuffer(8);
    const sources = [buffer, new Uint8Array(buffer), new DataView(buffer, 2)];
    structuredClone(buffer, { transfer: [buffer] });
    for (const source of sources) socket.send(source);
    assert.equal(socket.bufferedAmount, 0);
    await eventually(() => events.length === 3, "three messages");
    assert.deepEqual(events, ["message Blob(0)", "message Blob(0)", "message Blob(0)"]);
    socket.close();
    await once(socket, "close");
  });

  test("N1: bufferedAmount counts payload bytes at once, in UTF-8, and returns to 0", async () => {
    await using scene = await openScene({ maxMessageSize: null });
    const socket = await opened(scene.url);
    const events = recordEvents(socket);
    let expected = 0;
    const sent = [
      ["hé", 3],
      ["\u{1F600}", 4],
      ["\ud800", 3],
      ["x".repeat(65_000), 65_000],
      [new Uint8Array(300_000), 300_000],
      [new Blob(["abc"]), 3],
      ["after the blob", 14],
    ] as const;
    for (const [data, size] of sent) {
      socket.send(data);
      expected += size;
      assert.equal(socket.bufferedAmount, expected);
    }
    await eventually(() => events.length === sent.length, "what the next line expects");
    assert.equal(socket.bufferedAmount, 0);
    socket.close();
    socket.send("late");
    assert.equal(socket.bufferedAmount, 4);
    await once(socket, "close");
    socket.send(new Uint8Array(6));
    assert.equal(socket.bufferedAmount, 10);
  });

  test("N1: bufferedAmount is exact with any writeLimit, and with compression", async () => {
    for (const holdfast of [{ writeLimit: 1000 }, { writeLimit: 1_000_000 }, { compression: true }]) {
      await using scene = await openScene({ compression: true });
      const socket = await opened(scene.url, [], { holdfast });
      const events = recordEvents(socket);
      for (let round = 0; round < 2; round++) {
        for (let sent = 1; sent <= 300; sent++) {
          socket.send("x".repeat(500));
          assert.equal(socket.bufferedAmount, sent * 500, JSON.stringify(holdfast));
        }
        await Promise.resolve();
        assert.equal(socket.bufferedAmount, 150_000);
        await eventually(() => events.length === (round + 1) * 300, "all answers");
        assert.equal(socket.bufferedAmount, 0);
      }
      socket.close();
      await once(socket, "close");
    }
  });

  test("N1: what was not sent stays counted after the end", async () => {
    const server = await RawServer.start(); // It reads nothing.
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/`);
    const peer = await server.nextPeer();
    await peer.acceptUpgrade();
    await once(socket, "open");
    peer.stopReading();
    for (let sent = 0; sent < 40; sent++) socket.send(new Uint8Array(1_000_000));
    assert.equal(socket.bufferedAmount, 40_000_000);
    await new Promise(setImmediate);
    const before = socket.bufferedAmount;
    assert.ok(before > 1_000_000 && before < 40_000_000, String(before));
    peer.reset();
    await once(socket, "close");
    assert.ok(socket.bufferedAmount > 1_000_000, String(socket.bufferedAmount));
    const after = socket.bufferedAmount;
    socket.send("late");
    assert.equal(socket.bufferedAmount, after + 4);
    await server.close();
  });

  test("N1: more than maxBufferedAmount fails the connection, and closeInfo says so", async () => {
    const server = await RawServer.start();
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/`, [], {
      holdfast: { maxBufferedAmount: 100_000 },
    });
    const events = recordEvents(socket);
    const peer = await server.nextPeer();
    await peer.acceptUpgrade();
    await once(socket, "open");
    socket.send("x".repeat(60_000));
    socket.send(new Uint8Array(60_000));
    assert.equal(socket.readyState, WebSocket.CLOSING);
    await once(socket, "close");
    assert.deepEqual(events, ["open", "error", "close 1006 unclean"]);
    assert.match(socket.closeInfo?.error?.message ?? "", /at most 100000 unsent bytes \(maxBufferedAmount\)/);
    assert.equal(socket.bufferedAmount >= 60_000, true);
    peer.reset();
    await server.close();
  });
});

describe("close()", () => {
  test("N1: codes are clamped and checked, and reasons limited", async () => {
    await using scene = await openScene();
    const socket = await opened(scene.url);
    const close = (...values: unknown[]): void => anyOf(socket).close(...values);
    for (const code of [0, 999, 1001, 1005, 2999, 5000, 65_536 + 1000, NaN, null, "x", -1]) {
      assert.throws(() => close(code), { name: "InvalidAccessError", code: 15 }, String(code));
    }
    assert.throws(() => close(1000, "x".repeat(124)), { name: "SyntaxError" });
    assert.throws(() => close(1000, "é".repeat(62)), { name: "SyntaxError" });
    assert.throws(() => close(Symbol("x")), TypeError);
    assert.equal(socket.readyState, WebSocket.OPEN);
    const events = recordEvents(socket);
    close(2999.5, "é".repeat(61)); // Halves go to the even number.
    assert.equal(socket.readyState, WebSocket.CLOSING);
    await once(socket, "close");
    assert.deepEqual(events, [`close 3000 clean ${"é".repeat(61)}`]);
  });

  test("N1: a reason without a code is sent with the code 1000, as the standard says since 2023", async () => {
    await using scene = await openScene();
    const socket = await opened(scene.url);
    const events = recordEvents(socket);
    anyOf(socket).close(undefined, "done");
    await once(socket, "close");
    assert.deepEqual(events, ["close 1000 clean done"]);
  });

  test("N1: without a code, the Close is empty, and the code of the event 1005", async () => {
    for (const args of [[], [undefined], [undefined, ""]]) {
      await using scene = await openScene();
      const socket = await opened(scene.url);
      const events = recordEvents(socket);
      anyOf(socket).close(...args);
      socket.close(3000);
      await once(socket, "close");
      assert.deepEqual(events, ["close 1005 clean"]);
      socket.close();
      assert.equal(socket.readyState, WebSocket.CLOSED);
    }
  });

  test("N1: during the handshake it fails the connection", async () => {
    await using scene = await openScene();
    const socket = new WebSocket(scene.url);
    const events = recordEvents(socket);
    socket.close();
    assert.equal(socket.readyState, WebSocket.CLOSING);
    assert.deepEqual(events, []);
    await once(socket, "close");
    assert.deepEqual(events, ["error", "close 1006 unclean"]);
    assert.equal(socket.closeInfo?.cause, "aborted");
  });

  test("N1: a Blob sent before still leaves first", async () => {
    await using scene = await openScene();
    const socket = await opened(scene.url);
    socket.send(new Blob(["blob"]));
    socket.close(1000);
    assert.equal(socket.readyState, WebSocket.CLOSING);
    await once(socket, "close");
    await eventually(() => scene.received.length === 1, "what the next line expects");
    assert.equal(socket.closeInfo?.clean, true);
  });

  test("N1: messages that arrive after close() are dropped, the peer's Close is reported", async () => {
    const server = await serve(
      async (connection) => {
        await connection.send("first");
        await connection.send("second");
        await connection.close(4001, "bye");
      },
      { host: "127.0.0.1" },
    );
    const socket = new WebSocket(server.url);
    const events = recordEvents(socket);
    socket.onmessage = () => socket.close();
    await once(socket, "close");
    assert.deepEqual(events.slice(0, 2), ["open", "message first"]);
    assert.equal(events.length, 3);
    await server.close();
  });
});
