import type { ServerLoad } from "../../workload.js";

// The messages between the runner and the load generator in Node.

/** The generator's only argument, as JSON. Durations are in milliseconds. */
export interface Task {
  readonly load: ServerLoad;
  readonly port: number;
  readonly warmup: number;
  readonly duration: number;
}

export type Report =
  /** All connections of a broadcast are open: the server may collect its garbage now. */
  | { readonly type: "opened" }
  /** The warm-up is over: the server's resource use counts from now on. */
  | { readonly type: "measuring" }
  /** The measurement is over. Latencies are in microseconds; `share` is that of one core. */
  | {
      readonly type: "measured";
      readonly count: number;
      readonly seconds: number;
      readonly p50: number;
      readonly p99: number;
      readonly share: number;
    }
  /**
   * All connections of an idle load are open and have exchanged their message. They stay open until the
   * runner ends them.
   */
  | { readonly type: "idle" };
