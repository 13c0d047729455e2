import assert from "node:assert/strict";
import { test } from "node:test";
import type { HeartbeatSettings } from "../../../build/heartbeat/signals.js";
import { bytes, newHost, type FakeHost } from "./keepalive-host.js";

const ENDED = new Error("the connection ended");

for (const how of ["beginClosing", "end"] as const) {
  /** A host whose first listener for `what` ends the connection. */
  const endsWhenTold = (what: string, options: Partial<HeartbeatSettings>): FakeHost => {
    const host = newHost(options);
    host.onTold = (told) => {
      if (!told.startsWith(what)) return;
      if (how === "end") host.pulse.end(() => ENDED);
      else host.pulse.beginClosing();
    };
    host.pulse.open();
    host.clock.advance(0);
    return host;
  };

  test(`C5: a listener of "overdue" that ends the connection (${how}): the ping due in the same turn is not sent`, () => {
    const host = endsWhenTold("overdue", { pingInterval: 1000 });
    host.clock.advance(60_000);
    assert.deepEqual(host.log, ["0 ping", "1000 overdue 1000 of 1000"]);
    assert.equal(host.clock.pendingTimers, 0);
  });

  test(`C5: a listener of "overdue" that ends the connection (${how}): the verdict of the same turn is not reported`, () => {
    const host = endsWhenTold("overdue", { pingInterval: 10_000, pingTimeout: 1000 });
    host.pulse.onPong(host.pings[0].payload, 0);
    host.clock.advance(9999);
    void host.pulse.ping(bytes("mine"), null);
    // Overdue at 10,999, and the ping of 10,000 is unanswered at 11,000: a late timer sees both.
    host.clock.advance(900);
    host.clock.stall(200);
    host.clock.advance(60_000);
    assert.deepEqual(host.log, ["0 ping", "9999 ping", "10000 ping", "11099 overdue 1100 of 1000"]);
    assert.equal(host.clock.pendingTimers, 0);
  });

  test(`C8: a listener of "suspended" that ends the connection (${how}): the ping that revealed the gap is not sent`, async () => {
    const host = endsWhenTold("suspended", {});
    let ping = Promise.resolve(0);
    host.clock.atPoll(() => {
      host.clock.stall(60_000);
      ping = host.pulse.ping(bytes("mine"), null);
    });
    host.clock.turn();
    host.clock.advance(60_000);
    assert.deepEqual(host.log, ["0 ping", "60000 suspended 59000"]);
    host.pulse.end(() => ENDED);
    await assert.rejects(ping, ENDED);
    assert.equal(host.pulse.heartbeat.pings.size, 0);
    assert.equal(host.clock.pendingTimers, 0);
  });
}
