// `ResumableWebSocket`: one socket of the standard across many sockets of the network.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { explain, serve } from "holdfast";
import { ResumableWebSocket, WebSocket } from "holdfast/websocket";
import { eventually, FaultProxy } from "holdfast-testkit";
import { once, openScene, recordEvents } from "./scene.js";

const quick = { minDelay: 0, firstDelay: 1, maxDelay: 20 };

describe("ResumableWebSocket", () => {
  test("N2: it stays OPEN across cuts, loses no message, and fires one open and one close", async () => {
    await using scene = await openScene({ sessions: true });
    const proxy = await FaultProxy.start({ target: { port: scene.server.port } });
    const socket = new ResumableWebSocket(proxy.url("ws"), [], { holdfast: quick });
    const events = recordEvents(socket);
    await once(socket, "open");
    const expected = ["open"];
    for (let cut = 0; cut < 20; cut++) {
      for (let count = 0; count < 10; count++) {
        socket.send(`${cut}.${count}`);
        expected.push(`message ${cut}.${count}`);
      }
      if (cut % 2 === 0) await eventually(() => events.length > cut * 10 + 3, "what the next line expects");
      proxy.cut({ kind: "rst" });
      assert.equal(socket.readyState, WebSocket.OPEN);
    }
    await eventually(() => events.length === expected.length, "what the next line expects");
    assert.deepEqual(events, expected);
    assert.equal(socket.readyState, WebSocket.OPEN);
    assert.equal(scene.connections.length, 1);
    assert.equal(socket.bufferedAmount, 0);
    socket.close(1000, "done");
    await once(socket, "close");
    assert.equal(events.at(-1), "close 1000 clean done");
    await proxy.close();
  });

  test("N2: a lost session is a close, and nothing is sent on a new session", async () => {
    await using first = await openScene({ sessions: true });
    const socket = new ResumableWebSocket(first.url, [], { holdfast: quick });
    const events = recordEvents(socket);
    await once(socket, "open");
    socket.send("one");
    await eventually(() => events.length === 2, "what the next line expects");
    await first.server.close();
    socket.send("two");
    await using second = await openScene({ sessions: true, port: first.server.port });
    await once(socket, "close");
    assert.deepEqual(events, ["open", "message one", "error", "close 1006 unclean"]);
    assert.equal(socket.closeInfo?.error?.name, "SessionLostError");
    assert.match(explain(socket.closeInfo ?? assert.fail()), /session/);
    assert.deepEqual(second.received, []);
  });

  for (const how of ["close()", "a lost session"]) {
    test(`N2: bufferedAmount keeps counting what ${how} left unsent`, async () => {
      await using scene = await openScene({ sessions: true });
      const proxy = await FaultProxy.start({ target: { port: scene.server.port } });
      const socket = new ResumableWebSocket(proxy.url("ws"), [], { holdfast: quick });
      await once(socket, "open");
      await proxy.accept("reset");
      proxy.cut({ kind: "rst" });
      await eventually(() => scene.server.sessions?.detached === 1, "the end of the socket");
      socket.send("12345");
      socket.send("é");
      assert.equal(socket.bufferedAmount, 7);
      const closed = once(socket, "close");
      if (how === "close()") {
        socket.close();
      } else {
        for (const connection of scene.server.connections) connection.terminate();
        await proxy.accept("forward");
      }
      await closed;
      assert.equal(socket.bufferedAmount, 7);
      socket.send("late");
      assert.equal(socket.bufferedAmount, 11);
      await proxy.close();
    });
  }

  test("N2: a server without sessions fails the opening, and closeInfo explains", async () => {
    await using scene = await openScene();
    const socket = new ResumableWebSocket(scene.url);
    const events = recordEvents(socket);
    await once(socket, "close");
    assert.deepEqual(events, ["error", "close 1006 unclean"]);
    assert.match(socket.closeInfo?.error?.message ?? "", /Expected a server with sessions/);
  });

  test("N2: an attempt that fails is not retried, before a session exists", async () => {
    const socket = new ResumableWebSocket("ws://127.0.0.1:1/");
    const events = recordEvents(socket);
    await once(socket, "close");
    assert.deepEqual(events, ["error", "close 1006 unclean"]);
    assert.equal(socket.closeInfo?.cause, "refused");
  });

  for (const code of [1000, 4400]) {
    test(`N2: the server's Close ${code} ends the session with that code`, async () => {
      const server = await serve(
        async (connection) => {
          await connection.send("hello");
          await connection.recv();
          await connection.close(code, "why");
        },
        { host: "127.0.0.1", sessions: true },
      );
      const socket = new ResumableWebSocket(server.url, [], { holdfast: quick });
      const events = recordEvents(socket);
      socket.onmessage = () => socket.send("go");
      await once(socket, "close");
      assert.deepEqual(events, ["open", "message hello", `close ${code} clean why`]);
      await server.close();
    });
  }

  test("N2: close() ends it during an outage, and while connecting", async () => {
    await using scene = await openScene({ sessions: true });
    const proxy = await FaultProxy.start({ target: { port: scene.server.port } });
    const socket = new ResumableWebSocket(proxy.url("ws"), [], { holdfast: quick });
    const events = recordEvents(socket);
    await once(socket, "open");
    await proxy.close();
    assert.equal(socket.readyState, WebSocket.OPEN);
    socket.close();
    await once(socket, "close");
    assert.equal(events.filter((event) => event.startsWith("close")).length, 1);
    const early = new ResumableWebSocket(scene.url);
    early.close();
    await once(early, "close");
    assert.equal(early.closeInfo?.cause, "aborted");
  });
});
