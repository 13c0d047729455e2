import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "holdfast-testkit";
import { SessionLog } from "../../../build/server/sessions/session-log.js";
import { MessageTooBigError } from "../../../build/shared/errors.js";
import { SessionFencedError } from "../../../build/shared/session-errors.js";
import { StoreCalls } from "../../../build/server/sessions/store-calls.js";
import type { SessionChange } from "../../../build/session/store/session-record.js";
import { aRecord } from "../../session/store-contract.js";

interface Logging {
  readonly clock: FakeClock;
  readonly log: SessionLog;
  /** In order. */
  readonly events: string[];
  /** The positions of our messages that are being given to the store. */
  readonly loggings: number[];
  /** Ends the write that waits. */
  readonly write: (error?: Error) => Promise<void>;
}

/** Milliseconds. */
const PATIENCE = 60_000;

function logging(acknowledge: "handled" | "received" = "received"): Logging {
  const clock = new FakeClock();
  const events: string[] = [];
  const loggings: number[] = [];
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
  const log = new SessionLog(record, acknowledge, new StoreCalls(store, clock), clock, PATIENCE, {
    record: () => record,
    onLogging: (sent) => loggings.push(sent),
    onLogged: (sent, settled) => events.push(`logged ${sent} ${settled}`),
    onFull: (isFull) => events.push(isFull ? "full" : "room"),
    onInterrupted: (error) =>
      events.push(error === null ? "works again" : `interrupted ${(error as Error).message}`),
    onFailure: (error) => events.push(`failed ${(error as Error).message}`),
  });
  const write = async (error?: Error): Promise<void> => {
    settle?.(error);
    await clock.advanceAsync(0);
  };
  return { clock, log, events, loggings, write };
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

test("L7: after a write that fails, the whole record is written, and what changed meanwhile with it", async () => {
  const { clock, log, events, write } = logging();
  log.onSent(1, "a");
  await clock.advanceAsync(0);
  log.onSent(2, "b");
  await write(new Error("disk full"));
  log.onReceived(1, "c");
  await clock.advanceAsync(99);
  assert.deepEqual(events, ["append sent 1", "interrupted disk full"]);
  await clock.advanceAsync(1);
  await write(new Error("still full"));
  await clock.advanceAsync(199);
  log.onSent(3, "d");
  await clock.advanceAsync(1);
  log.onSent(4, "e");
  await write();
  await write();
  assert.deepEqual(events.slice(2), [
    "save",
    "save",
    "logged 3 1",
    "works again",
    "append sent 4",
    "logged 4 1",
  ]);
});

test("L7: a write that has no answer within ten seconds counts as failed, and what follows its answer is not confused", async () => {
  const { clock, log, events, write } = logging();
  log.onSent(1, "a");
  await clock.advanceAsync(9_999);
  assert.deepEqual(events, ["append sent 1"]);
  await clock.advanceAsync(1);
  assert.match(events[1] ?? "", /^interrupted Expected the session store to answer within 10000 ms/);
  await clock.advanceAsync(100);
  await write();
  assert.deepEqual(events.slice(2), ["save", "logged 1 0", "works again"]);
});

test("L7: a store that goes on failing is reported once its time is up", async () => {
  const { clock, log, events, write } = logging();
  log.onSent(1, "a");
  for (let time = 0; time < PATIENCE + 10_000; time += 50) {
    await clock.advanceAsync(50);
    await write(new Error("disk full"));
  }
  const saves = events.filter((event) => event === "save").length;
  assert.ok(saves >= 15 && saves <= 17, `${saves} tries`); // 100 ms after the first one, and at last every 5 s
  assert.deepEqual(
    events.filter((event) => event !== "save"),
    ["append sent 1", "interrupted disk full", "failed disk full"],
  );
});

test("L7: a write that no repetition helps is reported at once", async () => {
  for (const error of [new SessionFencedError("moved"), new MessageTooBigError("too big", 2, 1)]) {
    const { clock, log, events, write } = logging();
    log.onSent(1, "a");
    await clock.advanceAsync(0);
    await write(error);
    assert.deepEqual(events, ["append sent 1", `failed ${error.message}`]);
  }
});

test("L4: when another process has the session, it may have what a failed write said, but not what was refused", async () => {
  const { clock, log, loggings, write } = logging();
  log.onSent(1, "a");
  await clock.advanceAsync(0);
  await write(new Error("no answer"));
  log.onSent(2, "b");
  await clock.advanceAsync(100);
  await write(new SessionFencedError("moved"));
  assert.deepEqual(loggings, [1, 2, 1]);
});

test("L7: a log that ends while it waits for the store ends at once", async () => {
  const { clock, log, events, write } = logging();
  log.onSent(1, "a");
  await clock.advanceAsync(0);
  await write(new Error("disk full"));
  await log.end();
  await clock.advanceAsync(PATIENCE);
  assert.deepEqual(events, ["append sent 1", "interrupted disk full"]);
  assert.equal(clock.pendingTimers, 0);
});

test("L7: reading stays paused while the store fails", async () => {
  const { clock, log, events, write } = logging();
  log.onReceived(1, "a");
  await clock.advanceAsync(0);
  await write(new Error("disk full"));
  for (let position = 2; position <= 18; position++) log.onReceived(position, "x".repeat(64 * 1024));
  await clock.advanceAsync(100);
  await write(new Error("disk full"));
  await clock.advanceAsync(200);
  await write();
  assert.deepEqual(events.slice(2), ["full", "save", "save", "logged 0 18", "room", "works again"]);
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
