import assert from "node:assert/strict";
import { test } from "node:test";
import { OPCODE } from "holdfast-testkit";
import { coreOf } from "../../build/connection/core-of.js";
import type { Suspicion } from "../../build/heartbeat/adaptive-detection.js";
import type { RaceObserver } from "../../build/reconnect/race.js";
import { SuspicionWatch, type SuspicionHandler } from "../../build/reconnect/persistent/suspicion-watch.js";
import { Harness, sharedRuntime } from "../connection/harness.js";

const SUSPICION: Suspicion = { level: 0.3, silence: 1_000, expected: 1_000 };

/** A persistent connection that records its races. */
class Scene implements SuspicionHandler {
  canRace = true;
  spread: number | null = null;
  /** The times of the races, in milliseconds. */
  readonly races: number[] = [];
  readonly log: string[] = [];
  observer: RaceObserver | null = null;
  readonly h: Harness;
  readonly watch: SuspicionWatch;

  constructor(shared = sharedRuntime()) {
    this.h = new Harness({ shared });
    this.watch = new SuspicionWatch(shared.runtime, this);
    this.watch.watch(this.h.connection);
  }

  suspect(): this {
    coreOf(this.h.connection).onSuspect(SUSPICION);
    return this;
  }

  pong(): this {
    this.h.deliver(this.h.frame({ opcode: OPCODE.pong, payload: "late" }));
    return this;
  }

  advance(ms: number): this {
    this.h.clock.advance(ms);
    return this;
  }

  onSuspicion(suspicion: Suspicion | null): void {
    this.log.push(suspicion === null ? "trusted" : "suspected");
  }

  race(observer: RaceObserver): void {
    this.observer = observer;
    this.races.push(this.h.clock.now());
    this.log.push("race");
  }

  cancelRace(): void {
    this.log.push("cancel");
  }
}

test("O3: a suspicion starts a race within half a second; a late pong cancels it", () => {
  const scene = new Scene().advance(100).suspect().advance(500);
  assert.deepEqual(scene.log, ["suspected", "race"]);
  assert.equal(scene.observer?.mayTakeOver(), true);
  scene.pong();
  assert.deepEqual(scene.log.slice(2), ["cancel", "trusted"]);
  assert.equal(scene.observer.mayTakeOver(), false);
});

test("O3: a pong that comes before the race starts prevents it, and so do other bytes", () => {
  const answered = new Scene().advance(100).suspect().pong().advance(10_000);
  assert.deepEqual(answered.log, ["suspected", "cancel", "trusted"]);
  const receiving = new Scene().advance(100).suspect();
  receiving.advance(1).h.deliver(receiving.h.text("a large message goes on"));
  receiving.advance(10_000);
  assert.deepEqual(receiving.log, ["suspected"]);
});

test("O3: bytes that arrive while the second socket opens stop it from taking over", () => {
  const scene = new Scene().advance(100).suspect().advance(500);
  scene.h.deliver(scene.h.text("alive"));
  assert.equal(scene.observer?.mayTakeOver(), false);
});

test("O3: a stall of our own process never leads to a race", () => {
  const scene = new Scene().advance(100).suspect();
  coreOf(scene.h.connection).onSuspended(1_500);
  scene.advance(10_000);
  assert.deepEqual(scene.races, []);
});

test("O3: without a session there is no race, and none when the connection has ended", () => {
  const without = new Scene();
  without.canRace = false;
  without.suspect().advance(10_000);
  assert.deepEqual(without.log, ["suspected"]);
  const ended = new Scene().suspect();
  ended.watch.unwatch();
  ended.advance(10_000);
  assert.deepEqual(ended.races, []);
});

test("O3: races are at least 5 s apart, then 10, 20 … up to 300 s, until there was none for ten minutes", () => {
  const scene = new Scene();
  for (let second = 0; second < 3_600; second++) scene.suspect().advance(999).pong().advance(1);
  const apart = scene.races.slice(1).map((time, index) => Math.round((time - scene.races[index]) / 1000));
  assert.equal(apart.length, 16);
  for (const [index, seconds] of apart.entries()) {
    const pause = Math.min(5 * 2 ** index, 300);
    assert(seconds >= pause && seconds <= pause + 2, `pause ${index}: ${seconds} s`);
  }
  scene.advance(600_000).suspect().advance(1_000).pong().advance(5_000).suspect().advance(1_000);
  const [last, first] = [scene.races.at(-1) ?? 0, scene.races.at(-2) ?? 0];
  assert(last - first < 7_000, `${last - first}`);
});

test("O3: a fleet that becomes suspicious at once starts its races uniformly over the width that the server has set", () => {
  for (const [spread, width] of [
    [null, 500],
    [2_000, 2_000],
    [60_000, 5_000],
  ] as const) {
    const shared = sharedRuntime();
    const fleet = Array.from({ length: 1_000 }, () => new Scene(shared));
    for (const scene of fleet) {
      scene.spread = spread;
      scene.suspect();
    }
    const start = shared.clock.now();
    shared.clock.advance(10_000);
    const delays = fleet.flatMap(({ races }) => races.map((time) => time - start));
    assert.equal(delays.length, 1_000);
    assert(Math.max(...delays) <= width);
    for (let tenth = 0; tenth < 10; tenth++) {
      const count = delays.filter((delay) => Math.min(9, Math.floor((10 * delay) / width)) === tenth).length;
      assert(count > 60 && count < 140, `${count} of 1,000 in tenth ${tenth} of ${width} ms`);
    }
  }
});
