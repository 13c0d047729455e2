// The page's side of the heartbeat in a worker.

import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "holdfast-testkit";
import { TooSlowError } from "../../../build/connection/errors.js";
import type { KeepaliveHandler } from "../../../build/connection/keepalive/keepalive.js";
import type { Runtime } from "../../../build/connection/runtime.js";
import { TimerQueue } from "../../../build/connection/timer-queue.js";
import type { Mailbox } from "../../../build/transport/worker/mailbox.js";
import type { WorkerCommand, WorkerEvent } from "../../../build/transport/worker/signals.js";
import { WorkerKeepalive } from "../../../build/transport/worker/worker-keepalive.js";

interface Side {
  readonly clock: FakeClock;
  readonly keepalive: WorkerKeepalive;
  readonly commands: string[];
  /** How the ping has ended; null while it waits. */
  readonly outcome: () => unknown;
}

function ping(answersChecks: boolean): Side {
  const clock = new FakeClock();
  const commands: string[] = [];
  const runtime = { clock, timers: new TimerQueue(clock) } as unknown as Runtime; // The keepalive uses these.
  const post = ({ type }: WorkerCommand): void => {
    commands.push(type);
    if (type === "check" && answersChecks) keepalive.onEvent({ type: "alive" });
  };
  const mailbox = { post } as unknown as Mailbox<WorkerCommand, WorkerEvent>; // As above.
  const settings = { pingInterval: null, pingTimeout: null, liveness: "pong" } as const;
  const keepalive = new WorkerKeepalive(runtime, {} as KeepaliveHandler, mailbox, settings);
  let outcome: unknown = null;
  keepalive.ping(PAYLOAD, null, 500).then(
    (elapsed) => (outcome = elapsed),
    (error: unknown) => (outcome = error),
  );
  return { clock, keepalive, commands, outcome: () => outcome };
}

const PAYLOAD = new Uint8Array([65]);

/** Advances the fake clock, and lets promises continue. */
async function pass(clock: FakeClock, milliseconds: number): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += 100) {
    clock.advance(100);
    clock.turn();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("D7: ping() with a timeout settles also if the worker has ended without a report", async () => {
  const { clock, commands, outcome } = ping(false);
  await pass(clock, 1_400); // The worker's own report may be under way.
  assert.equal(outcome(), null);
  await pass(clock, 1_500);
  const error = outcome();
  assert(error instanceof TooSlowError && error.message.includes("within 500 ms"), String(error));
  assert.deepEqual(commands, ["ping", "check"]);
});

test("D7: a worker that answers judges itself: it may grant a ping more time", async () => {
  const { clock, keepalive, commands, outcome } = ping(true);
  await pass(clock, 5_000);
  assert.equal(outcome(), null);
  assert(commands.length >= 3, commands.join());
  keepalive.onEvent({ type: "pinged", key: "A", elapsed: 7 });
  await pass(clock, 100);
  assert.equal(outcome(), 7);
  const { length } = commands;
  await pass(clock, 5_000);
  assert.equal(commands.length, length);
});
