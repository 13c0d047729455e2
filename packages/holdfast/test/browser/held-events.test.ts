import assert from "node:assert/strict";
import { test } from "node:test";
import { HeldEvents } from "../../build/browser/held-events.js";
import { FakeWebSocket } from "../transport/browser/fake-web-socket.js";

test("I1: events of a WebSocket that precede its connection are passed on in order, and later ones at once", () => {
  const socket = new FakeWebSocket();
  const events = new HeldEvents(socket as unknown as WebSocket); // It uses the handlers only.
  socket.deliver("first");
  socket.deliver("second");
  socket.end(1001, "away");

  const seen: string[] = [];
  socket.onmessage = ({ data }) => seen.push(typeof data === "string" ? data : "bytes");
  socket.onclose = ({ code, reason }) => seen.push(`${code} ${reason}`);
  assert.deepEqual(seen, []);
  events.replay();
  assert.deepEqual(seen, ["first", "second", "1001 away"]);

  events.replay();
  socket.deliver("third");
  assert.deepEqual(seen, ["first", "second", "1001 away", "third"]);
});
