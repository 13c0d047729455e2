// What a workload is: the load to put on a server, and the bars that its peers must reach.

/** Messages sent and awaited on many connections; each holds `depth` of them in flight. */
export interface EchoLoad {
  readonly kind: "echo";
  readonly payload: "text" | "binary" | "json";
  /** Bytes of payload per message. */
  readonly size: number;
  readonly connections: number;
  readonly depth: number;
  readonly compression?: Compression;
}

/** permessage-deflate as the generator offers it. */
export type Compression = "context" | "no-context";

/** Connections that stay open and quiet after a few messages each: what they cost in memory. */
export interface IdleLoad {
  readonly kind: "idle";
  readonly connections: number;
  /** Messages before the quiet. @default 1 */
  readonly messages?: number;
  readonly compression?: Compression;
}

/** Connections opened and closed one after the other, `parallel` of them at a time. */
export interface HandshakeLoad {
  readonly kind: "handshake";
  readonly parallel: number;
}

export type Load = EchoLoad | IdleLoad | HandshakeLoad;

/** The median of the ratios base ÷ peer, each taken within one round. */
export interface RatioBar {
  readonly kind: "ratio";
  readonly peer: string;
  readonly base: string;
  readonly atLeast: number;
  /** Fewer rounds than this decide nothing: the machine's noise is wider than the margin. */
  readonly rounds?: number;
}

/** The peer's median cost: CPU microseconds or bytes, whichever the load measures. */
export interface LimitBar {
  readonly kind: "limit";
  readonly peer: string;
  readonly atMost: number;
}

export type Bar = RatioBar | LimitBar;

export interface Workload {
  /** The id in the tables and on the command line. */
  readonly id: string;
  readonly title: string;
  readonly load: Load;
  /** What `--quick` runs instead. Bars are not judged on a load that differs. */
  readonly quick?: { readonly title: string; readonly load: Load; readonly rounds: number };
  readonly bars: readonly Bar[];
}

/** holdfast must cost at most a `factor`-th of what ws costs. */
export function beatsWs(factor: number, rounds?: number): RatioBar {
  const bar: RatioBar = { kind: "ratio", peer: "holdfast", base: "ws", atLeast: factor };
  return rounds === undefined ? bar : { ...bar, rounds };
}

/** What a server has to be told of the load, in the variable DEFLATE. */
export function environmentFor(load: Load): Readonly<Record<string, string>> {
  const compression = load.kind === "handshake" ? undefined : load.compression;
  if (compression === undefined) return {};
  return { DEFLATE: compression === "context" ? "1" : "nct" };
}

/** What the cost of a load is counted in. */
export function unitOf(load: Load): { readonly symbol: "µs" | "B"; readonly per: string } {
  switch (load.kind) {
    case "echo":
      return { symbol: "µs", per: "CPU per message" };
    case "handshake":
      return { symbol: "µs", per: "CPU per connection" };
    case "idle":
      return { symbol: "B", per: "resident memory per connection" };
  }
}
