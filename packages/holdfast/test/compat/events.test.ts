// Events: their order, their handlers, and messages in both directions.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { serve } from "holdfast";
import { WebSocket } from "holdfast/websocket";
import { eventually, RawServer } from "holdfast-testkit";
import { once, opened, openScene, recordEvents } from "./scene.js";

describe("Events", () => {
  test("N1: open, messages in order (Blobs too), and a clean close without an error", async () => {
    await using scene = await openScene();
    const socket = new WebSocket(scene.url);
    const events = recordEvents(socket);
    socket.onopen = () => {
      socket.send("text");
      socket.send(new Blob(["blob"]));
      socket.send(new Uint8Array(5).buffer);
      socket.send(new DataView(new ArrayBuffer(9), 1, 2));
      socket.send("\ud800");
      socket.send("last");
    };
    socket.onmessage = ({ data }) => {
      if (data === "last") socket.close(3000, "done");
    };
    await once(socket, "close");
    assert.deepEqual(events, [
      "open",
      "message text",
      "message Blob(4)",
      "message Blob(5)",
      "message Blob(2)",
      "message \ufffd",
      "message last",
      "close 3000 clean done",
    ]);
    assert.equal(socket.closeInfo?.cause, "local-close");
  });

  test("N1: binaryType selects the form of binary messages; other values are ignored", async () => {
    await using scene = await openScene();
    const socket = await opened(scene.url);
    const events = recordEvents(socket);
    assert.equal(socket.binaryType, "blob");
    socket.binaryType = "arraybuffer";
    for (const other of ["", "BLOB", "ArrayBuffer", null, 5]) Object.assign(socket, { binaryType: other });
    assert.equal(socket.binaryType, "arraybuffer");
    socket.send(new Uint8Array([1, 2, 3]));
    await eventually(() => events.length === 1, "what the next line expects");
    assert.deepEqual(events, ["message ArrayBuffer(3)"]);
    socket.close();
    await once(socket, "close");
  });

  test("N1: a connection that fails to open fires error, then close, in a later task", async () => {
    const socket = new WebSocket("ws://127.0.0.1:1/");
    await Promise.resolve();
    const events = recordEvents(socket);
    await once(socket, "close");
    assert.deepEqual(events, ["error", "close 1006 unclean"]);
    assert.equal(socket.closeInfo?.cause, "refused");
    assert.equal(socket.readyState, WebSocket.CLOSED);
  });

  test("N1: a socket that is cut, and a violation of the protocol, fire error, then close", async () => {
    const server = await RawServer.start();
    for (const bytes of [null, new Uint8Array(16).fill(0xff)]) {
      const socket = new WebSocket(`ws://127.0.0.1:${server.port}/`);
      const events = recordEvents(socket);
      const peer = await server.nextPeer();
      await peer.acceptUpgrade();
      await once(socket, "open");
      if (bytes === null) peer.reset();
      else peer.write(bytes);
      await once(socket, "close");
      assert.deepEqual(events, ["open", "error", "close 1006 unclean"]);
      peer.reset();
    }
    await server.close();
  });

  for (const end of ["open", "half-closed"]) {
    test(`N1: with a Close right behind the messages, and the stream ${end}, handlers see OPEN`, async () => {
      const server = await RawServer.start();
      const socket = new WebSocket(`ws://127.0.0.1:${server.port}/`);
      const events: string[] = [];
      const note = ({ type, isTrusted }: Event): void =>
        void events.push(`${type} ${socket.readyState} ${isTrusted}`);
      for (const type of ["open", "message", "close"] as const) socket.addEventListener(type, note);
      socket.onmessage = ({ data }) => socket.send(`answer to ${data}`);
      const peer = await server.nextPeer();
      const close = { opcode: 8, payload: Buffer.from([0x03, 0xe8]) };
      const frames = [{ opcode: 1, payload: "a" }, { opcode: 1, payload: "b" }, close];
      await peer.acceptUpgrade({ glue: Buffer.concat(frames.map((frame) => peer.frame(frame))) });
      if (end === "half-closed") {
        peer.end();
      } else {
        const texts: string[] = [];
        for (let frame = await peer.readFrame(); frame.opcode !== 8; frame = await peer.readFrame())
          if (frame.opcode === 1) texts.push(Buffer.from(frame.payload).toString());
        assert.deepEqual(texts, ["answer to a", "answer to b"]);
        peer.end();
      }
      await eventually(() => events.at(-1)?.startsWith("close") === true, "the event close");
      assert.deepEqual(events, ["open 1 false", "message 1 false", "message 1 false", "close 3 false"]);
      await server.close();
    });
  }

  test("N1: a dead peer fires error and close (1006) within pingInterval + pingTimeout", async () => {
    const server = await RawServer.start(); // It answers no ping.
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/`, [], {
      holdfast: { pingInterval: 200, pingTimeout: 200 },
    });
    const events = recordEvents(socket);
    const peer = await server.nextPeer();
    await peer.acceptUpgrade();
    await once(socket, "close");
    assert.deepEqual(events, ["open", "error", "close 1006 unclean"]);
    assert.equal(socket.closeInfo?.cause, "heartbeat-timeout");
    peer.reset();
    await server.close();
  });

  test("N1: `latency` is known after the first pong", async () => {
    await using scene = await openScene();
    const socket = await opened(scene.url, [], { holdfast: { pingInterval: 20 } });
    await eventually(() => socket.latency !== null, "what the next line expects");
    assert.ok((socket.latency ?? -1) >= 0);
    socket.close();
    await once(socket, "close");
  });

  test("N1: handlers are functions, null, or objects that do nothing; they take the place of their first registration, and see `this`", async () => {
    await using scene = await openScene();
    const socket = new WebSocket(scene.url);
    const seen: string[] = [];
    for (const other of [{}, { handleEvent: () => seen.push("handleEvent") }]) {
      Object.assign(socket, { onopen: other });
      assert.equal(socket.onopen, other);
      socket.dispatchEvent(new Event("open"));
    }
    for (const other of [5, "x", undefined]) {
      Object.assign(socket, { onopen: other });
      assert.equal(socket.onopen, null);
    }
    socket.addEventListener("open", () => seen.push("first"));
    socket.onopen = () => seen.push("replaced");
    socket.addEventListener("open", () => seen.push("third"));
    socket.onopen = function (this: unknown) {
      seen.push(this === socket ? "handler" : "wrong this");
    };
    await once(socket, "open");
    assert.deepEqual(seen, ["first", "handler", "third"]);
    socket.onopen = null;
    const event = new Event("open", { cancelable: true });
    socket.onopen = () => false;
    socket.dispatchEvent(event);
    assert.equal(event.defaultPrevented, true);
    socket.close();
    await once(socket, "close");
  });

  for (const isFast of [true, false]) {
    test(`N1: a message event has all members of one, ${isFast ? "with" : "without"} the fast dispatch`, async () => {
      await using scene = await openScene();
      const socket = await opened(scene.url);
      const order: string[] = [];
      let event: MessageEvent<unknown> | undefined;
      const first = (message: MessageEvent): void => {
        event = message;
        order.push("first");
        assert.equal(message.currentTarget, socket);
        assert.equal(message.eventPhase, 2);
        assert.deepEqual(message.composedPath(), [socket]);
        message.preventDefault();
        message.stopImmediatePropagation();
      };
      if (isFast) socket.addEventListener("message", first);
      else socket.addEventListener("message", first, { capture: true });
      socket.addEventListener("message", () => order.push("stopped"));
      socket.send("hello");
      await eventually(() => event !== undefined, "what the next line expects");
      assert.ok(event instanceof MessageEvent);
      const { type, data, origin, lastEventId, source, ports, target, currentTarget, eventPhase } = event;
      assert.deepEqual(
        { type, data, origin, lastEventId, source, ports, eventPhase },
        {
          type: "message",
          data: "hello",
          origin: new URL(scene.url).origin,
          lastEventId: "",
          source: null,
          ports: [],
          eventPhase: 0,
        },
      );
      assert.deepEqual([target, currentTarget], [socket, null]);
      assert.deepEqual([event.bubbles, event.cancelable, event.defaultPrevented], [false, false, false]);
      assert.equal(Object.prototype.toString.call(event), "[object MessageEvent]");
      assert.ok(event.timeStamp > 0);
      assert.deepEqual(order, ["first"]);
      const copy = new (event.constructor as typeof MessageEvent)(
        event.type,
        event as object as MessageEventInit,
      );
      assert.equal(copy.data, "hello");
      socket.close();
      await once(socket, "close");
    });
  }

  test("N1: listeners that are added or removed within a dispatch change only what the standard says", async () => {
    await using scene = await openScene();
    const socket = await opened(scene.url);
    const seen: string[] = [];
    const listener = (name: string) => (): void => void seen.push(name);
    const [removed, kept] = [listener("removed"), listener("kept")];
    socket.addEventListener("message", ({ data }) => {
      seen.push("first");
      if (data !== "a") return;
      socket.removeEventListener("message", removed);
      socket.addEventListener("message", listener("once"), { once: true });
      socket.addEventListener("message", listener("late"));
      socket.onmessage = listener("handler");
    });
    socket.addEventListener("message", removed);
    socket.addEventListener("message", kept);
    socket.send("a");
    await eventually(() => seen.length > 0, "the first message");
    assert.deepEqual(seen.splice(0), ["first", "kept"]);
    socket.send("b");
    await eventually(() => seen.length > 0, "the second message");
    assert.deepEqual(seen, ["first", "kept", "once", "late", "handler"]);
    socket.close();
    await once(socket, "close");
  });

  test("N1: `onmessage` may be replaced while it is called", async () => {
    await using scene = await openScene();
    const socket = await opened(scene.url);
    const seen: unknown[] = [];
    socket.onmessage = ({ data }) => {
      seen.push(`old ${String(data)}`);
      socket.onmessage = (next) => seen.push(`new ${String(next.data)}`);
    };
    for (const text of ["a", "b"]) socket.send(text);
    await eventually(() => seen.length === 2, "both messages");
    assert.deepEqual(seen, ["old a", "new b"]);
    socket.close();
    await once(socket, "close");
  });

  test("N1: code that awaits each message misses none, although they arrive together", async () => {
    const server = await serve(
      async (connection) => {
        for (const word of ["a", "b", "c", "d"]) void connection.send(word);
        await connection.closed;
      },
      { host: "127.0.0.1" },
    );
    const socket = await opened(server.url);
    const words: unknown[] = [];
    for (let count = 0; count < 4; count++) {
      const event = (await once(socket, "message")) as MessageEvent;
      words.push(await Promise.resolve(event.data));
    }
    assert.deepEqual(words, ["a", "b", "c", "d"]);
    socket.close();
    await once(socket, "close");
    await server.close();
  });
});
