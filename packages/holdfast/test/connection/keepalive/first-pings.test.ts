import assert from "node:assert/strict";
import { test } from "node:test";
import { Harness, sharedRuntime } from "../harness.js";

test("C16: servers that open in one turn share the callback for their first pings", () => {
  const callbacks = (pingInterval: number | null): number => {
    const shared = sharedRuntime();
    for (let opened = 0; opened < 3; opened++) new Harness({ role: "server", shared, pingInterval });
    return shared.clock.pendingCallbacks;
  };
  assert.equal(callbacks(20_000) - callbacks(null), 1);
});

test("C16: each server's first ping goes out two polls after its opening, whichever connections open meanwhile", () => {
  const shared = sharedRuntime();
  const open = () => new Harness({ role: "server", shared, pingInterval: 20_000 });
  const sent = (harnesses: readonly Harness[]) => harnesses.map((harness) => harness.sent().length);
  const harnesses = [open(), open()];
  shared.clock.turn();
  harnesses.push(open());
  assert.deepEqual(sent(harnesses), [0, 0, 0]);
  shared.clock.turn();
  assert.deepEqual(sent(harnesses), [1, 1, 0]);
  shared.clock.turn();
  assert.deepEqual(sent(harnesses), [0, 0, 1]);
});

test("C16: a first ping that still waits is not sent by a connection that has begun to close", () => {
  const h = new Harness({ role: "server", pingInterval: 20_000 });
  void h.connection.close(1000);
  h.clock.turn();
  h.clock.turn();
  assert.deepEqual(h.sent(), ["CLOSE 1000"]);
});
