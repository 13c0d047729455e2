import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { HeartbeatSettings, Observation } from "../../build/heartbeat/signals.js";
import { answersInTurn, mute, muteFrom, type Peer } from "./peers.js";
import { anyLife, live, type Life, type Step } from "./random-life.js";
import { Simulation } from "./simulated-peer.js";

const RUNS = { seed: 6455, numRuns: 300 };

function verdicts(simulation: Simulation): string[] {
  return simulation.timeline.filter((line) => line.includes(" dead"));
}

/** Answers every ping, each after the next of the latencies, over and over. */
function answersAll({ latencies }: Life): Peer {
  const again: Peer = (ping, pongAfter) => {
    peer = answersInTurn(latencies, again);
    peer(ping, pongAfter);
  };
  let peer = answersInTurn(latencies, again);
  return (ping, pongAfter) => peer(ping, pongAfter);
}

/** A step in which the peer says nothing. */
function isSilent({ type }: Step): boolean {
  return type !== "data" && type !== "stranger";
}

/** The first ping is sent in the turn of the opening; another test covers a blocked first turn. */
function open(simulation: Simulation): Simulation {
  return simulation.open().advance(0);
}

test("C8, C9, C10: a peer that answers within pingTimeout is never declared dead, whatever our process does", () => {
  fc.assert(
    fc.property(anyLife("disturbed"), (life) => {
      const simulation = open(new Simulation(life.options, answersAll(life)));
      live(simulation, life.steps);
      if (simulation.isPaused) simulation.resume();
      simulation.advance(3 * (life.options.pingInterval + life.options.pingTimeout));
      assert.deepEqual(verdicts(simulation), []);
    }),
    RUNS,
  );
});

test("C9: a live peer is not declared dead after up to three sleeps in which the network slept as well", () => {
  const sleeps = fc.array(fc.constantFrom("wall", "monotonic", "both"), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(anyLife("undisturbed"), sleeps, (life, clocks) => {
      const simulation = open(new Simulation(life.options, answersAll(life)));
      const span = life.options.pingInterval + life.options.pingTimeout;
      const share = Math.ceil(life.steps.length / (clocks.length + 1));
      for (const [index, clock] of clocks.entries()) {
        live(simulation, life.steps.slice(index * share, (index + 1) * share));
        simulation.sleep(span * 2 + 3000, clock);
      }
      live(simulation, life.steps.slice(clocks.length * share));
      simulation.advance(3 * span);
      assert.deepEqual(verdicts(simulation), []);
    }),
    RUNS,
  );
});

test("C5: undisturbed, the verdict falls exactly pingTimeout after the first ping into silence, or the last byte", () => {
  fc.assert(
    fc.property(anyLife("undisturbed"), fc.nat({ max: 60 }), (life, spoken) => {
      const { pingInterval, pingTimeout, liveness } = life.options;
      const simulation = new Simulation(life.options, answersAll(life));
      open(simulation);
      live(simulation, life.steps.slice(0, spoken));
      const mutedAt = simulation.clock.now() + 0.5;
      simulation.peer = mute;
      live(simulation, life.steps.slice(spoken).filter(isSilent));
      simulation.advance(10 * (pingInterval + pingTimeout));
      // A late pong, whose ping had been answered by a newer one's pong, is also a sign of life (C21).
      const sinceLife = simulation.timeline.slice(
        simulation.timeline.findLastIndex((line) => line.endsWith(" life")),
      );
      const afterLife = parseFloat(sinceLife.find((line) => line.includes(" ping k")) ?? "0");
      const firstUnanswered = Math.max(Math.ceil(mutedAt / pingInterval) * pingInterval, afterLife);
      const lastRead = liveness === "traffic" ? simulation.lastReceivedAt : -Infinity;
      const due = Math.max(firstUnanswered, lastRead) + pingTimeout;
      assert.deepEqual(verdicts(simulation), [`${due} dead, silent for ${due - firstUnanswered}`]);
    }),
    RUNS,
  );
});

test("C5, C8, C10: a mute peer is declared dead, bounded by our own disturbances and three graces", () => {
  fc.assert(
    fc.property(anyLife("disturbed"), fc.nat({ max: 60 }), (life, spoken) => {
      const { pingInterval, pingTimeout } = life.options;
      const simulation = open(new Simulation(life.options, answersAll(life)));
      live(simulation, life.steps.slice(0, spoken));
      simulation.peer = mute;
      if (simulation.isPaused) simulation.resume();
      simulation.advance(pingTimeout); // Pongs on their way arrive.
      const since = Math.max(simulation.lastReceivedAt, simulation.clock.now() - pingTimeout);
      const { ms, resumptions } = live(simulation, life.steps.slice(spoken).filter(isSilent));
      if (simulation.isPaused) simulation.resume();
      simulation.advance(20 * (pingInterval + pingTimeout));
      const bound = since + pingInterval + pingTimeout + ms + (resumptions + 1 + 3) * pingTimeout;
      const [verdict, ...others] = verdicts(simulation);
      assert.ok(parseFloat(verdict ?? "none") <= bound, `${verdict}, which is after ${bound}`);
      assert.deepEqual(others, []);
    }),
    RUNS,
  );
});

test("C4: at every end, each queued ping was answered, is lost, or was withdrawn before it was sent, and no further action is requested", () => {
  const loss = fc.array(fc.boolean(), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(anyLife("disturbed"), loss, fc.boolean(), (life, losses, isAdaptive) => {
      const peer = answersAll(life);
      let count = 0;
      const lossy: Peer = (ping, pongAfter) => {
        if (!losses[count++ % losses.length]) peer(ping, pongAfter);
      };
      const simulation = open(new Simulation(isAdaptive ? adaptive(life) : life.options, lossy));
      live(simulation, life.steps);
      if (!simulation.isOver) simulation.end();
      const { sent, answered, lost } = simulation.heartbeat.statistics.snapshot();
      assert.equal(answered + lost + simulation.withdrawn, simulation.queued.length);
      assert.ok(sent >= answered && sent <= simulation.queued.length);
      assert.equal(simulation.heartbeat.pings.size, 0);
      assert.ok(verdicts(simulation).length <= 1);

      const told = simulation.timeline.length;
      for (const observation of afterTheEnd(simulation)) {
        assert.deepEqual(simulation.observe(observation), [], observation.type);
        simulation.stall(30_000);
      }
      simulation.advance(1_000_000);
      assert.equal(simulation.timeline.length, told);
      assert.equal(simulation.heartbeat.nextWake, null);
      assert.equal(simulation.clock.pendingTimers, 0);
    }),
    RUNS,
  );
});

test("C16: each wake makes progress: there are few, and none leaves the next one already due", () => {
  fc.assert(
    fc.property(anyLife("disturbed"), fc.boolean(), fc.boolean(), (life, isMute, isAdaptive) => {
      const peer = isMute ? muteFrom(1000, answersAll(life)) : answersAll(life);
      const simulation = open(new Simulation(isAdaptive ? adaptive(life) : life.options, peer));
      live(simulation, life.steps);
      simulation.advance(5 * (life.options.pingInterval + life.options.pingTimeout));
      assert.equal(simulation.wakesInVain, 0);
      // For each ping: its slot, its overdue time, its suspicion and its deadline. Each disturbance may add one or two wakes.
      const most = (isAdaptive ? 4 : 3) * simulation.queued.length + 2 * life.steps.length + 3;
      assert.ok(simulation.wakes <= most, `${simulation.wakes} wakes, ${most} at most`);
    }),
    RUNS,
  );
});

function adaptive({ options }: Life): HeartbeatSettings {
  const { pingInterval, pingTimeout } = options;
  return { ...options, detection: { floor: pingTimeout / 4, maxPeriod: pingInterval } };
}

function afterTheEnd({ clock }: Simulation): Observation[] {
  const times = { wallNow: clock.wallNow() + 1e9, lastReceivedAt: clock.now() };
  return [
    { type: "pong", payload: "k1" },
    { type: "wake", ...times },
    { type: "polled", ...times },
    { type: "traffic" },
    { type: "page", isVisible: true },
    { type: "reading-paused" },
    { type: "reading-resumed" },
    { type: "ping-sent", payload: "k1" },
    { type: "ping-abandoned", payload: "k1" },
    { type: "closing" },
    { type: "ended" },
  ];
}
