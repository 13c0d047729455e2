import type { RunningServer } from "../machine/server.js";
import type { EchoLoad, ServerLoad } from "../workload.js";

/** How long to load a server, in milliseconds. */
export interface Timing {
  readonly warmup: number;
  readonly duration: number;
  /** The wait after each of two garbage collections, before memory is read. */
  readonly settle: number;
}

/** One run of one load on one server. Figures that could not be measured are null. */
export interface Measurement {
  /** Messages, deliveries, pings or connections per second. */
  readonly perSecond: number | null;
  /**
   * CPU microseconds or bytes per message, delivery, ping or connection, in the unit of the load (`unitOf`).
   */
  readonly cost: number | null;
  /** Round trip in microseconds. */
  readonly p50: number | null;
  readonly p99: number | null;
  /**
   * The generator's share of one core. Close to 1 the generator was the bottleneck, and the server could
   * handle more.
   */
  readonly generatorShare: number | null;
  /** The largest share of an interval's pings that were sent within a tenth of a second. */
  readonly burst: number | null;
}

/** Puts load on a running server, and measures it from outside. */
export interface Generator {
  readonly name: string;
  /** @throws Error if the server refused, hung, closed a connection or answered wrongly. */
  measure(load: ServerLoad, server: RunningServer, timing: Timing): Promise<Measurement>;
  /** Compares each echo with the sent message, byte for byte; null if the generator cannot. */
  readonly verify: ((load: EchoLoad, server: RunningServer) => Promise<void>) | null;
}

/** Above this share of its core, the generator is saturated. */
export const busyShare = 0.93;
