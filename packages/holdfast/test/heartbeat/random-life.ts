// Random sequences of events in our own process, the application and the peer.

import fc from "fast-check";
import type { HeartbeatSettings } from "../../build/heartbeat/signals.js";
import type { Simulation } from "./simulated-peer.js";

const OWN = ["stall", "stallInPoll", "suspend", "pause", "resume"] as const;
const HARMLESS = ["advance", "ping", "abandon"] as const;
const SENT_BY_PEER = ["data", "stranger"] as const;

type StepType = (typeof OWN)[number] | (typeof HARMLESS)[number] | (typeof SENT_BY_PEER)[number];

export interface Step {
  readonly type: StepType;
  readonly ms: number;
}

export interface Life {
  readonly options: HeartbeatSettings & { readonly pingInterval: number; readonly pingTimeout: number };
  readonly steps: readonly Step[];
  /** Milliseconds that the peer takes to answer, in turn; always less than `pingTimeout`. */
  readonly latencies: readonly number[];
}

/** The interruptions of our own process. */
export interface Disturbance {
  /** Milliseconds in which we did not run or did not read. */
  ms: number;
  resumptions: number;
}

export function anyLife(kind: "disturbed" | "undisturbed"): fc.Arbitrary<Life> {
  const types = [
    ...HARMLESS,
    ...HARMLESS,
    ...SENT_BY_PEER,
    ...(kind === "disturbed" ? [...OWN, ...OWN] : []),
  ];
  // In thousandths: fast-check draws doubles by their bits, which makes most of them tiny.
  const share = fc
    .oneof(fc.nat({ max: 100 }), fc.nat({ max: 2000 }))
    .map((thousandths) => thousandths / 1000);
  const step = fc.record({ type: fc.constantFrom(...types), share });
  return fc
    .record({
      pingInterval: fc.constantFrom(60, 1000, 20_000),
      ratio: fc.constantFrom(0.1, 0.5, 0.75, 1, 1.5, 4),
      liveness: fc.constantFrom("pong" as const, "traffic" as const),
      steps: fc.array(step, { maxLength: 60, size: "max" }),
      latencies: fc.array(fc.nat({ max: 999 }), { minLength: 1, maxLength: 8 }),
    })
    .map(({ pingInterval, ratio, liveness, steps, latencies }) => {
      const pingTimeout = pingInterval * ratio;
      const toStep = (one: { type: StepType; share: number }): Step => ({
        type: one.type,
        ms: Math.round(one.share * (pingInterval + pingTimeout)),
      });
      return {
        options: { pingInterval, pingTimeout, liveness },
        steps: steps.map(toStep),
        latencies: latencies.map((thousandths) => Math.floor((thousandths / 1000) * pingTimeout)),
      };
    });
}

/** Performs the steps until the connection ends. The application's pings may have a timeout. */
export function live(
  simulation: Simulation,
  steps: readonly Step[],
  timeout: number | null = null,
): Disturbance {
  const disturbance: Disturbance = { ms: 0, resumptions: 0 };
  let newest = "";
  for (const { type, ms } of steps) {
    if (simulation.isOver) break;
    if (simulation.isPaused || type === "stall" || type === "stallInPoll") disturbance.ms += ms;
    switch (type) {
      case "advance":
        simulation.advance(ms);
        break;
      case "stall":
        simulation.stall(ms);
        break;
      case "stallInPoll":
        simulation.stallInPoll(ms);
        break;
      case "suspend":
        simulation.sleep(ms * 3, "wall");
        break;
      case "pause":
        simulation.pause();
        break;
      case "resume":
        disturbance.resumptions++;
        simulation.resume();
        break;
      case "ping":
        newest = `mine ${simulation.queued.length}`; // A late pong must not match a reused payload.
        simulation.ping(newest, timeout).advance(0);
        break;
      case "abandon":
        simulation.abandon(newest);
        break;
      case "data":
        simulation.receiveData().advance(0);
        break;
      case "stranger":
        simulation.receivePong("stranger").advance(0);
        break;
    }
  }
  return disturbance;
}
