// What a workload is: the load to put on a peer, and the bars that its peers must reach.

/** Messages sent and awaited on many connections; each holds `depth` of them in flight. */
export interface EchoLoad {
  readonly kind: "echo";
  readonly payload: "text" | "non-ascii" | "binary" | "json";
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

/** One connection sends `burst` messages at once, and the server sends each of them to every connection. */
export interface BroadcastLoad {
  readonly kind: "broadcast";
  /** Bytes of payload per message. */
  readonly size: number;
  readonly connections: number;
  readonly burst: number;
}

/**
 * Connections on which nothing happens but the server's pings. They are opened evenly over one interval, as those
 * of a server in use are, and measured over two.
 */
export interface KeepaliveLoad {
  readonly kind: "keepalive";
  readonly connections: number;
  /** Milliseconds from ping to ping of a connection. */
  readonly interval: number;
}

/** A client against a far end in C, which echoes, swallows, or sends without an end. */
export interface ClientLoad {
  readonly kind: "client";
  readonly work: "echo" | "send" | "receive";
  readonly payload: "text" | "binary";
  /** Bytes of payload per message. */
  readonly size: number;
  readonly connections: number;
  /** Messages in flight on each connection, where they are echoed. */
  readonly depth: number;
}

/** What a server is loaded with. */
export type ServerLoad = EchoLoad | IdleLoad | HandshakeLoad | BroadcastLoad | KeepaliveLoad;

export type Load = ServerLoad | ClientLoad;

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

/** The peer's largest share of an interval's pings within a tenth of a second. */
export interface BurstBar {
  readonly kind: "burst";
  readonly peer: string;
  readonly atMost: number;
}

export type Bar = RatioBar | LimitBar | BurstBar;

export interface Workload {
  /** The id in the tables and on the command line. */
  readonly id: string;
  readonly title: string;
  /** A few words for the chart. */
  readonly label: string;
  readonly load: Load;
  /** What `--quick` runs instead. Bars are not judged on a load that differs. */
  readonly quick?: { readonly title: string; readonly load: Load };
  /** Which peer the others are compared with. @default "ws" */
  readonly base?: string;
  readonly bars: readonly Bar[];
}

/** holdfast must cost at most a `factor`-th of what ws costs. */
export function beatsWs(factor: number, rounds?: number): RatioBar {
  return beats("ws", factor, rounds);
}

/** The same, compared with another peer. */
export function beats(base: string, factor: number, rounds?: number): RatioBar {
  const bar: RatioBar = { kind: "ratio", peer: "holdfast", base, atLeast: factor };
  return rounds === undefined ? bar : { ...bar, rounds };
}

/** What a server has to be told of the load, in the variables DEFLATE, BROADCAST and PING_INTERVAL. */
export function environmentFor(load: Load): Readonly<Record<string, string>> {
  switch (load.kind) {
    case "echo":
    case "idle":
      if (load.compression === undefined) return {};
      return { DEFLATE: load.compression === "context" ? "1" : "nct" };
    case "broadcast":
      return { BROADCAST: "1" };
    case "keepalive":
      return { PING_INTERVAL: String(load.interval) };
    case "handshake":
    case "client":
      return {};
  }
}

/** What the cost of a load is counted in. */
export function unitOf(load: Load): { readonly symbol: "µs" | "B"; readonly per: string } {
  switch (load.kind) {
    case "echo":
    case "client":
      return { symbol: "µs", per: "CPU per message" };
    case "handshake":
      return { symbol: "µs", per: "CPU per connection" };
    case "broadcast":
      return { symbol: "µs", per: "CPU per delivery" };
    case "keepalive":
      return { symbol: "µs", per: "CPU per ping sent and answered" };
    case "idle":
      return { symbol: "B", per: "resident memory per connection" };
  }
}
