import assert from "node:assert/strict";
import { test } from "node:test";

test("I1: without a WebSocket, the browser's surface can be imported, and reports what is missing", async (t) => {
  const surface = await import("../../build/browser.js");
  const own = Object.getOwnPropertyDescriptor(globalThis, "WebSocket"); // Node.js 22 has one.
  Reflect.deleteProperty(globalThis, "WebSocket");
  t.after(() => own && Object.defineProperty(globalThis, "WebSocket", own));
  await assert.rejects(surface.connect("ws://127.0.0.1:1/"), {
    name: "InvalidStateError",
    message: 'Expected a global WebSocket, got none. On a server, import from "holdfast" under Node.js.',
  });
});
