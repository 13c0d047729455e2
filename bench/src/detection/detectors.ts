// The ways to find out that a peer is dead: those of Holdfast, with its real heartbeat, and those of others, after their
// documentation. Each of them watches one simulated connection until its verdict.

import { AdaptiveDetection } from "../../../packages/holdfast/build/heartbeat/adaptive-detection.js";
import { Heartbeat } from "../../../packages/holdfast/build/heartbeat/heartbeat.js";
import type {
  Action,
  HeartbeatSettings,
  Observation,
} from "../../../packages/holdfast/build/heartbeat/signals.js";
import type { SimulatedLink } from "./link.js";

export interface Watched {
  /** When the peer was declared dead; null if it was not until the end. */
  readonly verdictAt: number | null;
  /** When it was first suspected; null for never. */
  readonly suspectedAt: number | null;
  readonly pings: number;
}

export interface Detector {
  readonly name: string;
  /** Watches a connection for this many milliseconds. `isBusy`: messages pass all the time. */
  watch(link: SimulatedLink, duration: number, isBusy: boolean): Watched;
}

const FIXED: HeartbeatSettings = { pingInterval: 20_000, pingTimeout: 20_000, liveness: "pong" };

export const DETECTORS: readonly Detector[] = [
  heartbeat('Holdfast, `detection: "adaptive"`', {
    ...FIXED,
    detection: { floor: 3_000, maxPeriod: 20_000 },
    adaptive: AdaptiveDetection,
  }),
  heartbeat("Holdfast, fixed 20 s + 20 s", FIXED),
  phiAccrual("phi accrual, φ = 8, every 2 s", 2_000),
  socketIo("Socket.IO 4, 25 s + 20 s"),
];

function heartbeat(name: string, settings: HeartbeatSettings): Detector {
  return {
    name,
    watch: (link, duration, isBusy) => new HeartbeatRun(settings, link, isBusy).watch(duration),
  };
}

/** Runs Holdfast's heartbeat as a connection does. Only pongs arrive: no other byte shows that the peer is alive. */
class HeartbeatRun {
  readonly #heartbeat: Heartbeat;
  readonly #link: SimulatedLink;
  readonly #isBusy: boolean;
  #now = 0;
  #lastReceivedAt = 0;
  #pings = 0;
  #verdictAt: number | null = null;
  #suspectedAt: number | null = null;
  /** In the order of arrival. */
  readonly #pongs: { readonly payload: string; readonly at: number }[] = [];

  constructor(settings: HeartbeatSettings, link: SimulatedLink, isBusy: boolean) {
    this.#heartbeat = new Heartbeat(settings);
    this.#link = link;
    this.#isBusy = isBusy;
  }

  watch(duration: number): Watched {
    this.#observe({ type: "opened", wallNow: 0 });
    while (this.#verdictAt === null) {
      const pong = this.#pongs[0];
      const wake = this.#heartbeat.nextWake ?? Infinity;
      const next = Math.min(pong?.at ?? Infinity, wake);
      if (next > duration) break;
      this.#now = next;
      if (pong !== undefined && pong.at <= wake) {
        this.#pongs.shift();
        this.#lastReceivedAt = next;
        this.#observe({ type: "pong", payload: pong.payload });
      } else {
        this.#observe({ type: "wake", wallNow: next, lastReceivedAt: this.#lastReceivedAt });
      }
    }
    return { verdictAt: this.#verdictAt, suspectedAt: this.#suspectedAt, pings: this.#pings };
  }

  #observe(observation: Observation): void {
    for (const action of this.#heartbeat.observe(this.#now, observation)) this.#perform(action);
  }

  #perform(action: Action): void {
    switch (action.type) {
      case "send-ping": {
        const payload = String(this.#pings++);
        this.#observe({ type: "ping-queued", payload, isKeepalive: true });
        this.#observe({ type: "ping-sent", payload });
        const at = this.#link.pongArrival(this.#now);
        if (at < Infinity) this.#pongs.push({ payload, at });
        if (this.#isBusy && this.#heartbeat.isQuiet) this.#observe({ type: "traffic" });
        return;
      }
      case "poll":
        this.#observe({ type: "polled", wallNow: this.#now, lastReceivedAt: this.#lastReceivedAt });
        return;
      case "suspect":
        this.#suspectedAt ??= this.#now;
        return;
      case "dead":
        this.#verdictAt = this.#now;
        return;
      default:
        return;
    }
  }
}

/**
 * Hayashibara et al., "The φ accrual failure detector" (2004), with the values of Akka's `PhiAccrualFailureDetector` but
 * without its `acceptable-heartbeat-pause`, which is a fixed timeout: a window of 1,000 intervals, and at least 100 ms of
 * standard deviation. φ exceeds 8 when the silence is longer than the mean and 5.612 standard deviations.
 */
function phiAccrual(name: string, interval: number): Detector {
  const [window, leastDeviation, quantile] = [1_000, 100, 5.612];
  return {
    name,
    watch: (link, duration) => {
      const intervals: number[] = [];
      let [sum, squares, lastAt, pings] = [0, 0, 0, 0];
      for (let sentAt = 0; ; sentAt += interval) {
        const at = link.pongArrival(sentAt);
        pings++;
        const count = intervals.length;
        if (count >= 5) {
          const mean = sum / count;
          const deviation = Math.max(leastDeviation, Math.sqrt(Math.max(0, squares / count - mean ** 2)));
          const verdictAt = lastAt + mean + quantile * deviation;
          if (verdictAt < Math.min(at, duration)) return { verdictAt, suspectedAt: null, pings };
        }
        if (at > duration) return { verdictAt: null, suspectedAt: null, pings };
        if (sentAt > 0) {
          const passed = at - lastAt;
          intervals.push(passed);
          sum += passed;
          squares += passed ** 2;
          const oldest = intervals.length > window ? (intervals.shift() ?? 0) : 0;
          sum -= oldest;
          squares -= oldest ** 2;
        }
        lastAt = at;
      }
    },
  };
}

/**
 * The server pings every 25 s after the last pong (`pingInterval`), and the client waits 20 s longer than that for the next
 * ping (`pingTimeout`): socket.io-client, engine.io-client `resetPingTimeout`. Judged at the client.
 */
function socketIo(name: string): Detector {
  const [interval, timeout] = [25_000, 20_000];
  return {
    name,
    watch: (link, duration) => {
      let [lastAt, sentAt, pings] = [0, interval, 0];
      for (;;) {
        const at = link.arrivalFromPeer(sentAt);
        pings++;
        const verdictAt = lastAt + interval + timeout;
        if (verdictAt < Math.min(at, duration)) return { verdictAt, suspectedAt: null, pings };
        if (at > duration) return { verdictAt: null, suspectedAt: null, pings };
        lastAt = at;
        sentAt = at + interval; // The pong's way back is short beside this.
      }
    },
  };
}
