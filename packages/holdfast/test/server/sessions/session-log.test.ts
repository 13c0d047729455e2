import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "holdfast-testkit";
import { SessionLog } from "../../../build/server/sessions/session-log.js";
import { StoreCalls } from "../../../build/server/sessions/store-calls.js";
import type { SessionChange } from "../../../build/session/store/session-record.js";
import { aRecord } from "../../session/store-contract.js";

interface Logging {
  readonly clock: FakeClock;
  readonly log: SessionLog;
  /** In order. */
  readonly events: string[];
  /** Ends the write that waits. */
  readonly write: (error?: Error) => Promise<void>;
}

function logging(acknowledge: "handled" | "received" = "received"): Logging {
  const clock = new FakeClock();
  const events: string[] = [];
  let settle: ((error?: Error) => void) | null = null;
  const wait = (): Promise<void> =>
    new Promise((resolve, reject) => (settle = (error) => (error === undefined ? resolve() : reject(error))));
  const store = {
    append: (_id: string, _generation: number, changes: readonly SessionChange[]) => {
      events.push(`append ${changes.map((change) => `${change.type} ${positionOf(change)}`).join(", ")}`);
      return wait();
    },
    save: () => {
      events.push("save");
      return wait();
    },
    claim: () => Promise.reject(new Error("unused")),
    remove: () => Promise.resolve(),
    sweep: () => Promise.resolve(0),
  };
  const record = aRecord({
    outgoing: { sent: 0, confirmed: 0, transmitted: 0, kept: [] },
    incoming: { received: 0, confirmed: 0 },
    inbox: [],
  });
  const log = new SessionLog(record, acknowledge, new StoreCalls(store, clock), clock, {
    record: () => record,
    onLogging: () => undefined,
    onLogged: (sent, settled) => events.push(`logged ${sent} ${settled}`),
    onFull: (isFull) => events.push(isFull ? "full" : "room"),
    onFailure: (error) => events.push(`failed ${(error as Error).message}`),
  });
  const write = async (error?: Error): Promise<void> => {
    settle?.(error);
    await clock.advanceAsync(0);
  };
  return { clock, log, events, write };
}

function positionOf(change: SessionChange): number {
  return "position" in change ? change.position : (change.deadline ?? Infinity);
}

test("L7: all changes of a turn are one write, and what changes meanwhile is the next one", async () => {
  const { clock, log, events, write } = logging();
  log.onReceived(1, "a");
  log.onSent(1, "re:a");
  log.onHandled(1);
  assert.deepEqual(events, []);
  await clock.advanceAsync(0);
  log.onSent(2, "b");
  log.onConfirmed(1);
  await clock.advanceAsync(0);
  await write();
  await write();
  assert.deepEqual(events, [
    "append received 1, sent 1, handled 1",
    "logged 1 1",
    "append sent 2, confirmed 1",
    "logged 2 1",
  ]);
});

test("L7: with handled, positions are logged once the application has finished with the messages", async () => {
  const { clock, log, events, write } = logging("handled");
  log.onHandled(3);
  await clock.advanceAsync(0);
  await write();
  assert.deepEqual(events, ["append skipped 3, handled 3", "logged 0 3"]);
});

test("L7: a write that fails, or does not end within ten seconds, is reported once, and no other follows", async () => {
  const failing = logging();
  failing.log.onSent(1, "a");
  await failing.clock.advanceAsync(0);
  failing.log.onSent(2, "b");
  await failing.write(new Error("disk full"));
  assert.deepEqual(failing.events, ["append sent 1", "failed disk full"]);

  const hanging = logging();
  hanging.log.onSent(1, "a");
  await hanging.clock.advanceAsync(9_999);
  assert.deepEqual(hanging.events, ["append sent 1"]);
  await hanging.clock.advanceAsync(1);
  assert.match(hanging.events[1] ?? "", /^failed Expected the session store to answer within 10000 ms/);
});

test("L7: reading pauses while a megabyte waits for the store", async () => {
  const { clock, log, events, write } = logging();
  log.onReceived(1, "a");
  await clock.advanceAsync(0);
  for (let position = 2; position <= 18; position++) log.onReceived(position, "x".repeat(64 * 1024));
  assert.deepEqual(events, ["append received 1", "full"]);
  await write();
  assert.deepEqual(events.slice(2, 4), ["logged 0 1", "room"]);
});

test("L7: the whole record replaces a log that has grown long", async () => {
  const { clock, log, events, write } = logging();
  for (let position = 1; position <= 5000; position++) log.onConfirmed(position);
  await clock.advanceAsync(0);
  await write();
  log.onConfirmed(5001);
  await clock.advanceAsync(0);
  await write();
  assert.deepEqual(
    events.filter((event) => !event.startsWith("logged")),
    ["save", "append confirmed 5001"],
  );
});

test("L7: a log that has ended writes nothing more", async () => {
  const { clock, log, events, write } = logging();
  log.onSent(1, "a");
  await clock.advanceAsync(0);
  log.onSent(2, "b");
  const ended = log.end();
  log.onSent(3, "c");
  await write();
  await ended;
  await clock.advanceAsync(0);
  assert.deepEqual(events, ["append sent 1", "logged 1 0"]);
});
