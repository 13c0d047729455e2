import type { ServerLoad } from "../../workload.js";

// What the runner and the load generator in Node tell each other.

/** The generator's only argument, as JSON. Durations in milliseconds. */
export interface Task {
  readonly load: ServerLoad;
  readonly port: number;
  readonly warmup: number;
  readonly duration: number;
}

export type Report =
  /** The warm-up is over: what the server uses counts from now on. */
  | { readonly type: "measuring" }
  /** The measurement is over. Latencies in microseconds, `share` of one core. */
  | {
      readonly type: "measured";
      readonly count: number;
      readonly seconds: number;
      readonly p50: number;
      readonly p99: number;
      readonly share: number;
    }
  /** All connections of an idle load are open and have had their message; they stay until the runner ends them. */
  | { readonly type: "idle" };
