import type { RunningServer } from "../machine/server.js";
import type { EchoLoad, ServerLoad } from "../workload.js";

/** How long to load a server, in milliseconds. */
export interface Timing {
  readonly warmup: number;
  readonly duration: number;
  /** The wait after each of two collections of garbage, before memory is read. */
  readonly settle: number;
}

/** One run of one load on one server. What could not be measured is null. */
export interface Measurement {
  /** Messages, deliveries, pings or connections per second. */
  readonly perSecond: number | null;
  /** In the unit of the load (`unitOf`): CPU microseconds or bytes, per message, delivery, ping or connection. */
  readonly cost: number | null;
  /** Round trip in microseconds. */
  readonly p50: number | null;
  readonly p99: number | null;
  /** The generator's share of one core; close to 1 it was the bottleneck, and the server could do more. */
  readonly generatorShare: number | null;
  /** Of pings, the largest share of an interval's within a tenth of a second. */
  readonly burst: number | null;
}

/** Puts load on a server that runs already, and measures it from outside. */
export interface Generator {
  readonly name: string;
  /** @throws Error if the server refused, hung, closed a connection or answered wrongly. */
  measure(load: ServerLoad, server: RunningServer, timing: Timing): Promise<Measurement>;
  /** Compares what comes back with what was sent, byte for byte; null if the generator cannot. */
  readonly verify: ((load: EchoLoad, server: RunningServer) => Promise<void>) | null;
}

/** Above this share of its core, the generator was as busy as it can be. */
export const busyShare = 0.93;
