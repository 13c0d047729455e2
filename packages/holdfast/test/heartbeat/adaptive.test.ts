import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RoundTripEstimate } from "../../build/heartbeat/round-trip-estimate.js";
import type { DetectionSettings } from "../../build/heartbeat/detection-settings.js";
import type { HeartbeatSettings } from "../../build/heartbeat/signals.js";
import { answersAfter, mute, muteFrom, type Peer } from "./peers.js";
import { anyLife, live } from "./random-life.js";
import { Simulation } from "./simulated-peer.js";

const detection: DetectionSettings = { floor: 3_000, maxPeriod: 20_000 };

function adaptive(peer: Peer, options: Partial<HeartbeatSettings> = {}): Simulation {
  return new Simulation({ detection, ...options }, peer).open();
}

function estimateOf(samples: readonly number[]): RoundTripEstimate {
  const estimate = new RoundTripEstimate();
  for (const sample of samples) estimate.add(sample);
  return estimate;
}

/** The times of the pings, the suspicions and the verdict; no polls. */
function outline({ timeline }: Simulation, from = 0): readonly string[] {
  return timeline.filter((line) => Number.parseFloat(line) >= from && /ping|suspect|dead/.test(line));
}

function pingTimes(simulation: Simulation): readonly number[] {
  return simulation.timeline.filter((line) => line.includes(" ping ")).map(Number.parseFloat);
}

test("O1: the deadlines follow from RFC 6298's estimate and the kernel's retransmissions", () => {
  // SRTT stays 50; RTTVAR starts at 25, and each equal sample leaves three quarters of it.
  const steady = estimateOf([50, 50, 50, 50, 50]);
  assert.equal(steady.isReady, true);
  assert.equal(steady.suspectAfter, 1000);
  assert.equal(steady.deadAfter, 50 + 15 * 250);

  const slow = estimateOf([600, 600, 600, 600, 600]);
  const deviation = 300 * 0.75 ** 4;
  assert.equal(slow.suspectAfter, Math.max(1000, 600 + 4 * deviation));
  assert.equal(slow.deadAfter, 600 + 15 * 800);

  // One jump: the deviation outweighs the retransmissions only when the round trip varies by more than they take.
  const [smoothed, varied] = [50 * 0.875 + 8000 * 0.125, 25 * 0.75 ** 4 * 0.75 + 7950 * 0.25];
  const jumped = estimateOf([50, 50, 50, 50, 50, 8000]);
  assert.equal(jumped.suspectAfter, smoothed + 4 * varied);
});

test("O1: fewer than five samples are not enough", () => {
  assert.equal(estimateOf([50, 50, 50, 50]).isReady, false);
  const estimate = estimateOf([50, 50, 50, 50, 50]);
  estimate.forget();
  assert.equal(estimate.isReady, false);
});

test("O2: the more samples look like a retransmission, the more retransmissions are awaited", () => {
  const clean = (count: number) => Array.from({ length: count }, () => 50);
  /** A multiple of (SRTT + 200 ms). */
  const factorOf = (samples: readonly number[]): number => {
    const { deadAfter, smoothed } = estimateOf(samples);
    return Math.round((deadAfter - smoothed) / (smoothed + 200));
  };
  assert.equal(factorOf(clean(300)), 15);
  assert.equal(factorOf([...clean(10), 300]), 31, "one of the first");
  assert.equal(factorOf([...clean(10), 300, ...clean(20)]), 15, "one of many");
  assert.equal(factorOf([...clean(300), 300, ...clean(10)]), 15, "one of many");
  assert.equal(factorOf([...clean(10), 300, ...clean(5), 300]), 63, "two of the first");
  const lossy = Array.from({ length: 300 }, (_, index) => (index % 10 === 9 ? 300 : 50));
  assert.equal(factorOf(lossy), 63, "one in ten");
  assert.equal(factorOf([...lossy, ...clean(70)]), 31, "no more since");
  assert.equal(factorOf([...lossy, ...clean(130)]), 15, "no more for long");
});

test("O2: a silent drop at 50 ms is found within 6 s while messages pass, and suspected after 1 s", () => {
  // Silent from just after a ping was answered: the worst moment.
  const simulation = adaptive(muteFrom(20_001, answersAfter(50))).chat(60_000);
  assert.deepEqual(outline(simulation, 20_000), [
    "20000 ping k11",
    "22000 ping k12",
    "23000 suspect, silent for 1000 of 1000, level 0.26",
    "24000 ping k13",
    "25800 dead, silent for 3800",
  ]);
});

test("O2: a round trip that rises from 20 ms to 2 s is suspicious, and is no reason for a verdict", () => {
  const rises: Peer = (ping, pongAfter) => answersAfter(ping.sentAt < 20_000 ? 20 : 2_000)(ping, pongAfter);
  const simulation = adaptive(rises).chat(60_000);
  assert.equal(simulation.timeline.filter((line) => line.includes("suspect")).length, 1);
  assert.deepEqual(
    outline(simulation).filter((line) => line.includes("dead")),
    [],
  );
});

test("O2: a peer that answers within 600 ms is never declared dead, whatever our process does", () => {
  const latencies = fc.array(fc.nat({ max: 600 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(anyLife("disturbed"), latencies, ({ steps }, times) => {
      let count = 0;
      const simulation = adaptive((_, pongAfter) => pongAfter(times[count++ % times.length])).chat(30_000);
      live(
        simulation,
        steps.map(({ type, ms }) => ({ type, ms: ms % 40_000 })),
      );
      if (simulation.isPaused) simulation.resume();
      simulation.advance(60_000);
      assert.deepEqual(
        outline(simulation).filter((line) => line.includes("dead")),
        [],
      );
      assert.equal(simulation.wakesInVain, 0);
    }),
    { seed: 20, numRuns: 200 },
  );
});

test("O2: an idle connection sends no more pings than with fixed detection", () => {
  const fixed = new Simulation({}, answersAfter(50)).open().advance(600_000);
  const idle = adaptive(answersAfter(50)).advance(600_000);
  assert.deepEqual(pingTimes(idle), pingTimes(fixed));
});

test("O2: that holds for each pingInterval, and while messages pass, pings are at most 2 s apart", () => {
  for (const pingInterval of [500, 2_000, 3_000, 5_000, 12_500, 50_000]) {
    const options = { pingInterval, detection: { floor: 3_000, maxPeriod: pingInterval } };
    const idle = pingTimes(adaptive(answersAfter(50), options).advance(600_000));
    const fixed = pingTimes(new Simulation({ pingInterval }, answersAfter(50)).open().advance(600_000));
    assert.deepEqual(idle, fixed, `pingInterval: ${pingInterval}`);
    const busy = pingTimes(adaptive(answersAfter(50), options).chat(60_000));
    assert(busy.length >= 30, `pingInterval: ${pingInterval}: ${busy.length} pings`);
  }
});

test("O2: after the last message, the pings are 2, 4, 8, 16 and then 20 s apart; the next message brings them back", () => {
  const simulation = adaptive(answersAfter(50)).send().advance(100_000);
  assert.deepEqual(pingTimes(simulation), [0, 2_000, 4_000, 8_000, 16_000, 32_000, 52_000, 72_000, 92_000]);
  simulation.advance(1_500).send().advance(2_000);
  assert.deepEqual(pingTimes(simulation).slice(9), [102_000]);
});

test("O1: pings of a visible page come every 2 s, those of a hidden one stretch to maxPeriod", () => {
  const simulation = adaptive(answersAfter(50));
  simulation.observe({ type: "page", isVisible: true });
  simulation.advance(10_000);
  assert.deepEqual(pingTimes(simulation), [0, 2_000, 4_000, 6_000, 8_000, 10_000]);
  simulation.observe({ type: "page", isVisible: false });
  simulation.chat(90_000);
  assert.deepEqual(pingTimes(simulation).slice(6), [12_000, 16_000, 24_000, 40_000, 60_000, 80_000, 100_000]);
  simulation.observe({ type: "page", isVisible: true });
  simulation.advance(2_000);
  assert.deepEqual(pingTimes(simulation).slice(13), [102_000]);
});

test("O1: fixed detection judges until there are five samples", () => {
  const simulation = adaptive(muteFrom(7_000, answersAfter(50))).chat(60_000);
  // Pings at 0, 2, 4 and 6 s were answered: four samples.
  assert.deepEqual(
    outline(simulation, 8_000).filter((line) => !line.includes("ping")),
    ["28000 dead, silent for 20000"],
  );
});

test("O1: the verdict is never later than pingTimeout, and never earlier than the floor", () => {
  const late = adaptive(muteFrom(20_001, answersAfter(900)), { pingTimeout: 5_000 }).chat(60_000);
  assert.equal(outline(late).at(-1), "27000 dead, silent for 5000");
  const floor = { floor: 10_000, maxPeriod: 20_000 };
  const early = adaptive(muteFrom(20_001, answersAfter(50)), { detection: floor }).chat(60_000);
  assert.equal(outline(early).at(-1), "32000 dead, silent for 10000");
});

test("O1: without pingTimeout nothing is judged or suspected", () => {
  const simulation = adaptive(muteFrom(20_001, answersAfter(50)), { pingTimeout: null }).chat(60_000);
  assert.deepEqual(
    outline(simulation).filter((line) => !line.includes("ping")),
    [],
  );
});

test("O2: bytes that arrive put off suspicion and verdict, until pingTimeout", () => {
  const simulation = adaptive(muteFrom(20_001, answersAfter(50))).chat(22_000);
  // The pong of the ping at 22 s waits behind a large message.
  for (let passed = 0; passed < 19_500; passed += 500) simulation.receiveData().advance(500);
  assert.deepEqual(
    outline(simulation, 22_000).filter((line) => !line.includes("ping")),
    [],
  );
  for (let passed = 0; passed < 5_000; passed += 500) simulation.receiveData().advance(500);
  assert.equal(outline(simulation).at(-1), "42000 dead, silent for 20000");
});

test("O2: a suspicion that received bytes have lifted may arise again", () => {
  const simulation = adaptive(muteFrom(20_001, answersAfter(50))).chat(23_500);
  simulation.receiveData().advance(3_000);
  assert.deepEqual(
    outline(simulation, 23_000).filter((line) => line.includes("suspect")),
    [
      "23000 suspect, silent for 1000 of 1000, level 0.26",
      "24500 suspect, silent for 1000 of 1000, level 0.26",
    ],
  );
});

test("O1: a stall or a sleep of our own process drops the samples: fixed detection judges until there are five again", () => {
  for (const disturb of [
    (simulation: Simulation) => simulation.stall(3_500),
    (simulation: Simulation) => simulation.sleep(60_000, "wall"),
    (simulation: Simulation) => simulation.sleep(60_000, "both"),
  ]) {
    const simulation = adaptive(answersAfter(50)).chat(21_000);
    assert.notEqual(simulation.heartbeat.deadlines.suspectAfter, null);
    disturb(simulation).advance(3_000);
    assert.deepEqual(simulation.heartbeat.deadlines, {
      detection: "adaptive",
      suspectAfter: null,
      deadAfter: 20_000,
    });
    simulation.peer = mute;
    simulation.chat(15_000);
    assert.deepEqual(
      outline(simulation).filter((line) => !line.includes("ping")),
      [],
    );
  }
});

test("O1: neither silence while reading is paused nor right after that is held against the peer", () => {
  const simulation = adaptive(answersAfter(50)).chat(21_900).pause().chat(10_000);
  simulation.resume().advance(900);
  assert.deepEqual(
    outline(simulation).filter((line) => !line.includes("ping")),
    [],
  );
});

test("O1: a ping that waits in the outbox, or behind unusually much of our own data, has the fixed deadline", () => {
  const blocked = adaptive(answersAfter(50)).chat(21_000).block().chat(18_000);
  assert.deepEqual(
    outline(blocked, 21_000).filter((line) => !line.includes("ping")),
    [],
  );
  const uploading = adaptive(muteFrom(20_001, answersAfter(50)))
    .chat(21_000)
    .send(1_000_000)
    .chat(60_000);
  assert.equal(outline(uploading).at(-1), "42000 dead, silent for 20000");
  // A link that has drained as much before is judged by its round trips.
  const steady = adaptive(muteFrom(20_001, answersAfter(50)));
  for (let passed = 0; passed < 30_000; passed += 1000) steady.send(100_000).advance(1000);
  assert.equal(outline(steady).at(-1), "25800 dead, silent for 3800");
});

test("O1: the deadlines in the evidence are those of the verdict", () => {
  const simulation = adaptive(muteFrom(20_001, answersAfter(50))).chat(30_000);
  assert.deepEqual(simulation.heartbeat.deadlines, {
    detection: "adaptive",
    suspectAfter: 1000,
    deadAfter: 3800,
  });
});

test("O1: the suspicion that lasts can be asked for, and a pong ends it", () => {
  let delay = 50;
  const simulation = adaptive((_ping, pongAfter) => pongAfter(delay)).chat(21_000);
  assert.equal(simulation.heartbeat.suspicion(simulation.clock.now()), null);
  delay = 2_500;
  simulation.advance(3_000);
  const suspicion = simulation.heartbeat.suspicion(simulation.clock.now());
  assert.deepEqual(suspicion, { level: 2000 / 3800, silence: 2000, expected: 1000 });
  delay = 50;
  simulation.advance(1_000);
  assert.equal(simulation.heartbeat.suspicion(simulation.clock.now()), null);
});
