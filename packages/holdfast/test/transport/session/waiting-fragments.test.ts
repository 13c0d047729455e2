// A message in fragments that waits at a client until its session is there.

import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "holdfast-testkit";
import { NotSentError } from "../../../build/index.js";
import type { Runtime } from "../../../build/connection/runtime.js";
import { TimerQueue } from "../../../build/connection/timer-queue.js";
import { SessionLedger } from "../../../build/session/session-ledger.js";
import type { SessionLink } from "../../../build/transport/session/session-link.js";
import { SessionSender } from "../../../build/transport/session/session-sender.js";

test("L3: an iterable that a lost session has counted as unsent does not go with the session after it", async () => {
  const clock = new FakeClock();
  const runtime = { clock, timers: new TimerQueue(clock) } as unknown as Runtime; // The sender uses these.
  const window = { messages: 1024, bytes: 256 * 1024 };
  const open = (): SessionLedger =>
    new SessionLedger({ window, peerWindow: window, acknowledge: "received", meter: { used: 0 } });
  const lost = open();
  const sender = new SessionSender(runtime, lost, {
    ...{ ackDelay: 100, writeLimit: 1024, keepsWithoutLink: false },
  });
  const isReady = sender.untilFragments(true);
  assert.equal(sender.end(lost.outgoing.end()).unsent, 1);
  const fresh = open();
  fresh.outgoing.attach(0, 0, 0);
  sender.restart(fresh);
  sender.attach({ isClosing: false } as unknown as SessionLink, null); // It sends nothing here.
  await assert.rejects(isReady ?? Promise.resolve(), (error) => {
    return error instanceof NotSentError && error.outcome === "unsent";
  });
  assert.equal(sender.untilFragments(true), null);
});
