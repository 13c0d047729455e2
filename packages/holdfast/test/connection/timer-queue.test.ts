import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FakeClock } from "holdfast-testkit";
import { Alarm, TimerQueue } from "../../build/connection/timer-queue.js";

/** Named alarms. When one fires, the time is recorded, and the test's callback runs. */
class Bench {
  readonly clock: FakeClock & { timerSpacing?: number } = new FakeClock();
  readonly queue: TimerQueue;
  readonly fired: string[] = [];
  readonly onFire = new Map<string, () => void>();
  readonly #alarms = new Map<string, Alarm>();

  constructor(timerSpacing?: number) {
    if (timerSpacing !== undefined) this.clock.timerSpacing = timerSpacing;
    this.queue = new TimerQueue(this.clock);
  }

  alarm(name: string): Alarm {
    const known = this.#alarms.get(name);
    if (known !== undefined) return known;
    const alarm = new Alarm({
      onAlarm: (now) => {
        assert.equal(now, this.clock.now());
        this.fired.push(`${now} ${name}`);
        this.onFire.get(name)?.();
      },
    });
    this.#alarms.set(name, alarm);
    return alarm;
  }

  set(name: string, deadline: number): void {
    this.queue.set(this.alarm(name), deadline);
  }

  cancel(name: string): void {
    this.queue.cancel(this.alarm(name));
  }
}

test("C16: alarms fire at their exact times, in order, with one timer of the clock", () => {
  const bench = new Bench();
  for (const deadline of [500, 20.5, 7000, 20.25, 1]) bench.set(`a${deadline}`, deadline);
  assert.equal(bench.clock.pendingTimers, 1);
  assert.equal(bench.queue.size, 5);
  bench.clock.advance(600);
  assert.deepEqual(bench.fired, ["1 a1", "20.25 a20.25", "20.5 a20.5", "500 a500"]);
  assert.equal(bench.clock.pendingTimers, 1);
  bench.clock.advance(6400);
  assert.equal(bench.fired.at(-1), "7000 a7000");
  assert.deepEqual([bench.queue.size, bench.clock.pendingTimers], [0, 0]);
});

test("C16: an alarm that is moved fires once, at its newest time, earlier or later", () => {
  const bench = new Bench();
  bench.set("a", 100);
  bench.set("b", 200);
  bench.set("a", 300);
  bench.set("b", 50);
  bench.set("b", 50);
  bench.clock.advance(1000);
  assert.deepEqual(bench.fired, ["50 b", "300 a"]);
  assert.equal(bench.alarm("a").isSet, false);
});

test("C16: the timer ends with the last alarm, whether that is cancelled or fires", () => {
  const bench = new Bench();
  bench.set("a", 100);
  bench.set("b", 200);
  bench.cancel("a");
  bench.cancel("a");
  bench.cancel("b");
  assert.deepEqual([bench.queue.size, bench.clock.pendingTimers], [0, 0]);
  bench.set("a", 300);
  bench.clock.advance(300);
  assert.deepEqual([bench.queue.size, bench.clock.pendingTimers, bench.fired], [0, 0, ["300 a"]]);
});

test("C16: an alarm in the past fires in the next turn, not inside the call that sets it", () => {
  const bench = new Bench();
  bench.clock.advance(1000);
  bench.set("a", 10);
  assert.deepEqual(bench.fired, []);
  bench.clock.advance(0);
  assert.deepEqual(bench.fired, ["1000 a"]);
});

test("C16: alarms that set, move and cancel others while they fire leave no timer behind", () => {
  const bench = new Bench();
  bench.set("a", 100);
  bench.set("b", 100);
  bench.set("c", 100);
  bench.onFire.set("a", () => {
    bench.cancel("b");
    bench.set("d", 50); // In the past: it fires in this round, after the alarms that are due.
    bench.set("a", 150);
  });
  bench.onFire.set("d", () => bench.cancel("a"));
  bench.clock.advance(100);
  assert.deepEqual(bench.fired.sort(), ["100 a", "100 c", "100 d"]);
  assert.deepEqual([bench.queue.size, bench.clock.pendingTimers], [0, 0]);
});

test("C16: a round of alarms sets the timer once, for the next deadline", () => {
  const bench = new Bench();
  let armed = 0;
  const setTimer = bench.clock.setTimer.bind(bench.clock);
  bench.clock.setTimer = (delay, callback) => {
    armed++;
    return setTimer(delay, callback);
  };
  for (let index = 0; index < 100; index++) {
    bench.set(`a${index}`, 100);
    bench.onFire.set(`a${index}`, () => bench.set(`a${index}`, 200 + index));
  }
  bench.clock.advance(100);
  assert.deepEqual([armed, bench.fired.length], [2, 100]);
});

test("C16: an alarm that throws does not stop the others", () => {
  const bench = new Bench();
  bench.set("a", 100);
  bench.set("b", 100);
  bench.set("c", 200);
  bench.onFire.set("a", () => {
    throw new Error("an uncaught exception");
  });
  assert.throws(() => bench.clock.advance(100), /an uncaught exception/);
  bench.clock.advance(100);
  assert.deepEqual(bench.fired, ["100 a", "100 b", "200 c"]);
  assert.equal(bench.clock.pendingTimers, 0);
});

test("C8: later alarms of the same round see the time that an alarm spent blocking the loop", () => {
  const bench = new Bench();
  bench.set("a", 100);
  bench.set("b", 100);
  bench.onFire.set("a", () => bench.clock.stall(5000));
  bench.clock.advance(100);
  assert.deepEqual(bench.fired, ["100 a", "5100 b"]);
});

const NAMES = ["a", "b", "c", "d", "e", "f", "g", "h"] as const;
const name = fc.constantFrom(...NAMES);
const delay = fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 1000 }));
const command = fc.oneof(
  fc.record({ type: fc.constant("set" as const), name, delay }),
  fc.record({ type: fc.constant("cancel" as const), name, delay }),
);
type Command = typeof command extends fc.Arbitrary<infer Value> ? Value : never;

test("C16: any sequence of settings, moves, cancels and rounds: the same as a sorted list", () => {
  const advance = fc.record({ type: fc.constantFrom("advance" as const, "stall" as const), delay });
  const script = fc.array(fc.oneof(command, command, advance), { maxLength: 100, size: "max" });
  const reactions = fc.dictionary(name, fc.array(command, { maxLength: 3 }), { maxKeys: NAMES.length });
  fc.assert(
    fc.property(script, reactions, (steps, onFire) => {
      const bench = new Bench();
      const expected = new Map<string, number>();
      const obey = (one: Command): void => {
        if (one.type === "cancel") {
          bench.cancel(one.name);
          expected.delete(one.name);
        } else {
          bench.set(one.name, bench.clock.now() + one.delay + 1);
          expected.set(one.name, bench.clock.now() + one.delay + 1);
        }
      };
      for (const alarm of NAMES) {
        bench.onFire.set(alarm, () => {
          // No earlier alarm is still waiting, and no alarm fires early or after it was cancelled.
          const deadline = expected.get(alarm);
          assert.ok(deadline !== undefined && deadline <= bench.clock.now());
          assert.equal(Math.min(...expected.values()), deadline);
          expected.delete(alarm);
          for (const reaction of onFire[alarm] ?? []) obey(reaction);
        });
      }
      for (const step of steps) {
        if (step.type === "set" || step.type === "cancel") {
          obey(step);
        } else {
          bench.clock[step.type](step.delay);
          for (const deadline of expected.values()) assert.ok(deadline > bench.clock.now(), "on time");
        }
        assert.equal(bench.queue.size, expected.size);
        assert.ok(bench.clock.pendingTimers <= 1);
        assert.equal(bench.clock.pendingTimers === 0, expected.size === 0);
      }
      for (const alarm of NAMES) bench.cancel(alarm);
      assert.equal(bench.clock.pendingTimers, 0);
    }),
    { seed: 16, numRuns: 500 },
  );
});

test("C16: if the clock spaces its timers, many alarms share them, and a lone alarm is exact", () => {
  const bench = new Bench(10);
  for (const deadline of [100, 101, 104, 109, 111, 500]) bench.set(`a${deadline}`, deadline);
  bench.clock.advance(1000);
  assert.deepEqual(bench.fired, ["100 a100", "110 a101", "110 a104", "110 a109", "120 a111", "500 a500"]);
});

test("C16: an alarm that is set during the spacing waits for its end, even if it is due at once", () => {
  const bench = new Bench(10);
  bench.set("first", 100);
  bench.clock.advance(100);
  bench.set("next", 100);
  bench.set("late", 300);
  bench.clock.advance(5);
  assert.deepEqual(bench.fired, ["100 first"]);
  bench.clock.advance(200);
  assert.deepEqual(bench.fired, ["100 first", "110 next", "300 late"]);
});

test("C16: slots are shared only by a crowd, and only where the clock's timer waits between two firings", () => {
  const crowd = new Bench(32);
  for (let index = 0; index < 312; index++) crowd.set(`${index}`, 10_000 + index);
  assert.equal(crowd.queue.sharedSlot(5_000), 0, "fewer than four in 64 ms");
  crowd.set("one more", 20_000);
  assert.equal(crowd.queue.sharedSlot(5_000), 64);
  assert.equal(crowd.queue.sharedSlot(20_000), 0);
  const exact = new Bench();
  for (let index = 0; index < 10_000; index++) exact.set(`${index}`, 10_000 + index);
  assert.equal(exact.queue.sharedSlot(5_000), 0);
});
