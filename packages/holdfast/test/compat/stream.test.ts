// `WebSocketStream`.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { serve } from "holdfast";
import { WebSocketError, WebSocketStream } from "holdfast/websocket";
import { eventually } from "holdfast-testkit";
import { openScene } from "./scene.js";

describe("WebSocketStream", () => {
  test("N1: chunks pass in both directions, and close() sends its code", async () => {
    await using scene = await openScene({ subprotocols: ["chat"] });
    const stream = new WebSocketStream(scene.url, { protocols: ["chat"] });
    const { readable, writable, protocol, extensions } = await stream.opened;
    assert.deepEqual([stream.url, protocol, extensions], [`${scene.url}/`, "chat", ""]);
    const writer = writable.getWriter();
    const reader = readable.getReader();
    await writer.write("text");
    await writer.write(new Uint8Array([1, 2]));
    assert.equal((await reader.read()).value, "text");
    assert.deepEqual((await reader.read()).value, new Uint8Array([1, 2]));
    stream.close({ closeCode: 3456, reason: "pizza" });
    assert.deepEqual(await stream.closed, { closeCode: 3456, reason: "pizza" });
    assert.equal((await reader.read()).done, true);
    await assert.rejects(writer.write("late"), { name: "InvalidStateError" });
  });

  for (const [title, close] of [
    ["close()", (stream: WebSocketStream) => stream.close()],
    ["close({})", (stream: WebSocketStream) => stream.close({ reason: "" })],
    ["writer.close()", async (stream: WebSocketStream) => (await stream.opened).writable.close()],
    ["writer.abort()", async (stream: WebSocketStream) => (await stream.opened).writable.abort()],
    ["reader.cancel()", async (stream: WebSocketStream) => (await stream.opened).readable.cancel()],
  ] as const) {
    test(`N1: ${title} closes cleanly with an empty Close`, async () => {
      await using scene = await openScene();
      const stream = new WebSocketStream(scene.url);
      await stream.opened;
      await close(stream);
      assert.deepEqual(await stream.closed, { closeCode: 1005, reason: "" });
    });
  }

  test("N1: a WebSocketError given to abort() or cancel() is sent", async () => {
    for (const side of ["abort", "cancel"] as const) {
      await using scene = await openScene();
      const stream = new WebSocketStream(scene.url);
      const { readable, writable } = await stream.opened;
      const error = new WebSocketError("", { closeCode: 4321, reason: side });
      await (side === "abort" ? writable.abort(error) : readable.cancel(error));
      assert.deepEqual(await stream.closed, { closeCode: 4321, reason: side });
    }
  });

  test("N1: closeInfo says why no connection was opened", async () => {
    await using scene = await openScene();
    const refused = new WebSocketStream("ws://127.0.0.1:1/");
    const aborted = new WebSocketStream(scene.url, { signal: AbortSignal.abort(new Error("enough")) });
    const closed = new WebSocketStream(scene.url);
    closed.close();
    const streams = [refused, aborted, closed];
    assert.deepEqual(
      streams.map(({ closeInfo }) => closeInfo),
      [null, null, null],
    );
    for (const stream of streams) await assert.rejects(stream.opened);
    assert.deepEqual(
      streams.map(({ closeInfo }) => closeInfo?.cause),
      ["refused", "aborted", "aborted"],
    );
  });

  test("N1: invalid arguments of close() throw", async () => {
    await using scene = await openScene();
    const stream = new WebSocketStream(scene.url);
    await stream.opened;
    for (const closeCode of [999, 1001, 2999, 5000])
      assert.throws(() => stream.close({ closeCode }), { name: "InvalidAccessError" });
    assert.throws(() => stream.close({ reason: ".".repeat(124) }), { name: "SyntaxError" });
    assert.throws(() => stream.close(true as unknown as object), TypeError);
    stream.close({ reason: "x" });
    assert.deepEqual(await stream.closed, { closeCode: 1000, reason: "x" });
  });

  test("N1: a failure rejects both promises, and nothing goes unhandled", async () => {
    const stream = new WebSocketStream("ws://127.0.0.1:1/");
    await assert.rejects(stream.opened, WebSocketError);
    await assert.rejects(stream.closed, { name: "WebSocketError", closeCode: 1006, reason: "" });
    const early = new WebSocketStream("ws://127.0.0.1:1/");
    early.close();
    await assert.rejects(early.opened, WebSocketError);
  });

  test("N1: the signal aborts opening with its reason, and has no effect later", async () => {
    await using scene = await openScene();
    const reason = new Error("stop");
    const aborted = new WebSocketStream(scene.url, { signal: AbortSignal.abort(reason) });
    await assert.rejects(aborted.opened, reason);
    await assert.rejects(aborted.closed, reason);
    const controller = new AbortController();
    const stream = new WebSocketStream(scene.url, { signal: controller.signal });
    const { readable, writable } = await stream.opened;
    controller.abort();
    await writable.getWriter().write("still open");
    assert.equal((await readable.getReader().read()).value, "still open");
    stream.close();
    await stream.closed;
  });

  test("N1: a reader that does not read makes the server wait, and a cut fails both streams", async () => {
    let sent = 0;
    let hasStalled = false;
    const server = await serve(
      async (connection) => {
        const chunk = new Uint8Array(64 * 1024);
        for (; sent < 2_000; sent++) {
          const sending = connection.send(chunk);
          hasStalled ||= connection.bufferedAmount > 1024 * 1024;
          await sending;
        }
      },
      { host: "127.0.0.1" },
    );
    const stream = new WebSocketStream(server.url);
    const { readable, writable } = await stream.opened;
    let before = -1;
    await eventually(() => {
      const isStill = sent > 0 && sent === before;
      before = sent;
      return isStill;
    }, "what the next line expects");
    assert.ok(sent < 2_000, `the server has sent ${sent} chunks`);
    for (const connection of server.connections) connection.terminate();
    const reader = readable.getReader();
    const drain = async (): Promise<void> => {
      while (!(await reader.read()).done);
    };
    await assert.rejects(drain(), { name: "WebSocketError", closeCode: 1006 });
    await assert.rejects(writable.getWriter().closed, { name: "WebSocketError" });
    await assert.rejects(stream.closed, { name: "WebSocketError" });
    await server.close();
  });
});
