import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "../../../packages/holdfast/build/testing/fake/clock.js";

describe("FakeClock", () => {
  test("runs timers in order, each at its exact time", () => {
    const clock = new FakeClock({ now: 1_000, wallNow: 5_000 });
    const ran: [string, number, number][] = [];
    const note = (name: string) => () => ran.push([name, clock.now(), clock.wallNow()]);
    clock.setTimer(20, note("late"));
    clock.setTimer(10, note("early"));
    clock.setTimer(10, note("early, set second"));
    clock.setTimer(31, note("too late"));
    clock.advance(30);
    assert.deepEqual(ran, [
      ["early", 1_010, 5_010],
      ["early, set second", 1_010, 5_010],
      ["late", 1_020, 5_020],
    ]);
    assert.equal(clock.now(), 1_030);
    assert.equal(clock.pendingTimers, 1);
  });

  test("runs the timers that timers set, and none that was cancelled", () => {
    const clock = new FakeClock();
    const times: number[] = [];
    const cancel = clock.setTimer(10, () => times.push(-1));
    cancel();
    cancel();
    const cancelDueNow: (() => void)[] = [];
    clock.setTimer(20, () => {
      cancelDueNow.forEach((cancelOne) => {
        cancelOne();
      });
    });
    cancelDueNow.push(clock.setTimer(20, () => times.push(-2)));
    const tick = () => {
      times.push(clock.now());
      if (clock.now() < 60) clock.setTimer(30, tick);
    };
    clock.setTimer(30, tick);
    clock.advance(100);
    assert.deepEqual(times, [30, 60]);
    assert.equal(clock.pendingTimers, 0);
  });

  test("goes through the phases of the event loop: timers, poll, after the poll, each with its turn's end", () => {
    const clock = new FakeClock();
    const ran: string[] = [];
    const note = (name: string) => () => {
      ran.push(name);
      clock.atTurnEnd(() => ran.push(`end of ${name}`));
    };
    clock.setTimer(10, () => {
      note("first timer")();
      clock.afterPoll(note("after poll"));
      clock.atPoll(note("poll"));
      clock.setTimer(0, note("timer of the next iteration"));
    });
    clock.setTimer(10, note("second timer"));
    clock.advance(10);
    assert.deepEqual(
      ran.filter((name) => !name.startsWith("end of")),
      ["first timer", "second timer", "poll", "after poll", "timer of the next iteration"],
    );
    assert.deepEqual(
      ran.filter((_, index) => index % 2 === 1),
      ran.filter((_, index) => index % 2 === 0).map((name) => `end of ${name}`),
    );
  });

  test("stall() runs nothing while time passes, then the timers late, and only then the poll", () => {
    const clock = new FakeClock();
    const ran: [string, number][] = [];
    clock.atPoll(() => ran.push(["poll", clock.now()]));
    clock.setTimer(100, () => ran.push(["deadline", clock.now()]));
    clock.setTimer(50, () => ran.push(["interval", clock.now()]));
    const wallBefore = clock.wallNow();
    clock.stall(1_000);
    assert.deepEqual(ran, [
      ["interval", 1_000],
      ["deadline", 1_000],
      ["poll", 1_000],
    ]);
    assert.equal(clock.wallNow() - wallBefore, 1_000);
  });

  test("stall() within a callback makes it a slow one", () => {
    const clock = new FakeClock();
    const times: number[] = [];
    clock.setTimer(10, () => {
      clock.stall(500);
    });
    clock.setTimer(20, () => times.push(clock.now()));
    clock.advance(20);
    assert.deepEqual(times, [510]);
    assert.equal(clock.now(), 510);
  });

  test("suspend() moves the wall clock only, jumpMonotonic() the monotonic one only", () => {
    const clock = new FakeClock({ wallNow: 0 });
    const times: number[] = [];
    clock.setTimer(100, () => times.push(clock.now()));
    clock.suspend(3_600_000);
    assert.deepEqual([clock.now(), clock.wallNow(), times], [0, 3_600_000, []]);
    clock.jumpMonotonic(3_600_000);
    assert.deepEqual([clock.now(), clock.wallNow(), times], [3_600_000, 3_600_000, [3_600_000]]);
  });

  test("turn() runs one turn and one poll, and no timer", () => {
    const clock = new FakeClock();
    const ran: string[] = [];
    clock.setTimer(0, () => ran.push("timer"));
    clock.afterPoll(() => {
      ran.push("first poll");
      clock.afterPoll(() => ran.push("second poll"));
    });
    clock.turn();
    assert.deepEqual([ran, clock.pendingCallbacks], [["first poll"], 1]);
    clock.turn();
    assert.deepEqual([ran, clock.pendingCallbacks], [["first poll", "second poll"], 0]);
  });

  test("advanceAsync() settles promises after each callback, before its turn ends", async () => {
    const clock = new FakeClock();
    const ran: string[] = [];
    const sleep = (ms: number) => new Promise<void>((resolve) => clock.setTimer(ms, resolve));
    const loop = async () => {
      for (const round of [1, 2, 3]) {
        await sleep(10);
        ran.push(`round ${round} at ${clock.now()}`);
        clock.atTurnEnd(() => ran.push("turn end"));
      }
    };
    const done = loop();
    await clock.advanceAsync(30);
    await done;
    assert.deepEqual(ran, [
      "round 1 at 10",
      "turn end",
      "round 2 at 20",
      "turn end",
      "round 3 at 30",
      "turn end",
    ]);
  });

  test("settle() alternates promises and turns until nothing is left", async () => {
    const clock = new FakeClock();
    let polls = 0;
    const poll = async () => {
      while (polls < 3) {
        await new Promise<void>((resolve) => {
          clock.afterPoll(resolve);
        });
        polls++;
      }
    };
    const done = poll();
    await clock.settle();
    await done;
    assert.deepEqual([polls, clock.now(), clock.pendingCallbacks], [3, 0, 0]);
  });

  test("refuses what would make a test pass for the wrong reason", () => {
    const clock = new FakeClock();
    assert.throws(() => clock.setTimer(Number.NaN, () => undefined), /0 or more, got NaN/);
    assert.throws(() => {
      clock.advance(-1);
    }, /0 or more milliseconds, got -1/);
    const spin = () => {
      clock.setTimer(0, spin);
    };
    spin();
    assert.throws(() => {
      clock.advance(1);
    }, /without letting time pass/);
    const nested = new FakeClock();
    nested.setTimer(1, () => {
      nested.advance(1);
    });
    assert.throws(() => {
      nested.advance(1);
    }, /cannot turn the clock/);
  });
});
