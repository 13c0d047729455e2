import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Heartbeat } from "../../build/heartbeat/heartbeat.js";
import type { Observation } from "../../build/heartbeat/signals.js";
import { assertLinear } from "holdfast-testkit";
import { Harness } from "../connection/harness.js";

/** An application's pings, each queued and due a millisecond after the one before, and the answers to them. */
class ManyPings {
  readonly count: number;
  /** Actions, by type. */
  readonly actions = new Map<string, number>();
  readonly #heartbeat = new Heartbeat({ pingInterval: 20_000, pingTimeout: null, liveness: "pong" });
  #now = 0;

  constructor(count: number, timeout: number | null) {
    this.count = count;
    this.observe({ type: "opened", wallNow: 0 });
    for (let index = 0; index < count; index++) {
      this.#now += 1;
      this.observe({ type: "ping-queued", payload: `${index}`, isKeepalive: false, timeout });
      this.observe({ type: "ping-sent", payload: `${index}` });
    }
  }

  observe(observation: Observation): void {
    for (const { type } of this.#heartbeat.observe(this.#now, observation)) {
      this.actions.set(type, (this.actions.get(type) ?? 0) + 1);
    }
    assert.notEqual(this.#heartbeat.nextWake, undefined); // The caller reads it after each observation.
  }

  answer(index: number): void {
    this.observe({ type: "pong", payload: `${index}` });
  }

  abandon(index: number): void {
    this.observe({ type: "ping-abandoned", payload: `${index}` });
  }

  /** Runs the timer until no ping is left. */
  wakeUntilEmpty(): void {
    while (this.#heartbeat.pings.size > 0) this.wakeOnce();
  }

  wakeOnce(): void {
    this.#now = this.#heartbeat.nextWake ?? assert.fail("There is nothing to wait for.");
    this.observe({ type: "wake", wallNow: this.#now, lastReceivedAt: 0 });
    this.observe({ type: "polled", wallNow: this.#now, lastReceivedAt: 0 });
  }
}

const inOrder = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** The first half in any order answers nothing but its newest: the rest of its pongs are unknown by then. */
const shuffled = (count: number): number[] => {
  const order = inOrder(count);
  let seed = 1;
  for (let index = count - 1; index > 0; index--) {
    seed = (seed * 48_271) % 2_147_483_647;
    const other = seed % (index + 1);
    [order[index], order[other]] = [order[other], order[index]];
  }
  return order;
};

interface Fate {
  readonly timeout?: number;
  readonly run: (pings: ManyPings) => void;
  readonly expected: (count: number) => Readonly<Record<string, number>>;
}

const FATES: Readonly<Record<string, Fate>> = {
  "aborting, oldest first": {
    run: (pings) => inOrder(pings.count).forEach((index) => pings.abandon(index)),
    expected: () => ({}),
  },
  "aborting, newest first": {
    run: (pings) =>
      inOrder(pings.count)
        .reverse()
        .forEach((index) => pings.abandon(index)),
    expected: () => ({}),
  },
  "aborting in any order": {
    run: (pings) => shuffled(pings.count).forEach((index) => pings.abandon(index)),
    expected: () => ({}),
  },
  "answering, oldest first": {
    run: (pings) => inOrder(pings.count).forEach((index) => pings.answer(index)),
    expected: (count) => ({ answered: count }),
  },
  "answering the older half in any order, with the newer half in flight": {
    run: (pings) => shuffled(pings.count / 2).forEach((index) => pings.answer(index)),
    expected: (count) => ({ answered: count / 2 }),
  },
  "pongs that match none of them": {
    run: (pings) => inOrder(pings.count).forEach(() => pings.observe({ type: "pong", payload: "stranger" })),
    expected: () => ({}),
  },
  "expiring one after the other": {
    timeout: 500,
    run: (pings) => pings.wakeUntilEmpty(),
    expected: (count) => ({ expired: count, poll: count }),
  },
};

describe("Many pings of the application in flight", () => {
  for (const [name, { timeout = 1_000_000, run, expected }] of Object.entries(FATES)) {
    test(`C4: ${name}: takes time in proportion to their number`, async () => {
      const runOf = (count: number): void => {
        const pings = new ManyPings(count, timeout);
        pings.actions.clear();
        run(pings);
        const { answered, expired, poll } = Object.fromEntries(pings.actions);
        const seen = Object.entries({ answered, expired, poll }).filter(([, times]) => times !== undefined);
        assert.deepEqual(Object.fromEntries(seen), expected(count));
      };
      await assertLinear(32_000, runOf, name);
    });
  }

  test("C4: aborting the pings of a connection, each with its signal, takes time in proportion to their number", async () => {
    const abort = async (count: number): Promise<void> => {
      const h = new Harness({ role: "client" });
      const calls = inOrder(count).map((index) => {
        const aborter = new AbortController();
        return { aborter, ping: h.connection.ping(`${index}`, { signal: aborter.signal, timeout: 60_000 }) };
      });
      const outcomes = Promise.allSettled(calls.map(({ ping }) => ping));
      h.clock.advance(0);
      for (const { aborter } of calls) aborter.abort(new Error("enough"));
      assert.ok((await outcomes).every(({ status }) => status === "rejected"));
      h.connection.terminate();
    };
    await assertLinear(16_000, abort, "Aborting pings");
  });
});
