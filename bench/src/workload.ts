// Describes a workload: the load on a peer, and the bars that its peers must reach.

import type { Timing } from "./generators/generator.js";

/** Messages sent and echoed on many connections, each with `depth` of them in flight. */
export interface EchoLoad {
  readonly kind: "echo";
  readonly payload: "text" | "non-ascii" | "binary" | "json";
  /** Bytes of payload per message. */
  readonly size: number;
  readonly connections: number;
  readonly depth: number;
  readonly compression?: Compression;
}

/** The use of permessage-deflate that the generator offers. */
export type Compression = "context" | "no-context";

/** Connections that stay open and idle after a few messages each, to measure their memory. */
export interface IdleLoad {
  readonly kind: "idle";
  readonly connections: number;
  /** Messages before the idle time. @default 1 */
  readonly messages?: number;
  readonly compression?: Compression;
}

/** Connections opened and closed one after another, `parallel` of them at a time. */
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
 * Connections on which nothing happens except the server's pings. They open evenly over one interval, like
 * those of a server in use, and are measured over two intervals.
 */
export interface KeepaliveLoad {
  readonly kind: "keepalive";
  readonly connections: number;
  /** Milliseconds between the pings of a connection. */
  readonly interval: number;
}

/** A client against a far end in C, which echoes, discards, or sends endlessly. */
export interface ClientLoad {
  readonly kind: "client";
  readonly work: "echo" | "send" | "receive";
  readonly payload: "text" | "binary";
  /** Bytes of payload per message. */
  readonly size: number;
  readonly connections: number;
  /** Messages in flight on each connection, if they are echoed. */
  readonly depth: number;
}

/**
 * Servers that share one Redis: each is a separate process. A message published by one is delivered to the connections
 * of all, each of which is subscribed to all topics.
 */
export interface ClusterLoad {
  readonly kind: "cluster";
  /**
   * `"throughput"`: each process publishes `batch` messages at once, and again when they were delivered; two such batches
   * are under way. `"latency"`: 1,000 messages a second in all, one at a time.
   */
  readonly work: "throughput" | "latency";
  readonly processes: number;
  readonly topics: number;
  /** In all: evenly spread over the processes. */
  readonly connections: number;
  readonly batch: number;
  /** Bytes of payload per message. */
  readonly size: number;
}

/** The loads for servers. */
export type ServerLoad = EchoLoad | IdleLoad | HandshakeLoad | BroadcastLoad | KeepaliveLoad;

export type Load = ServerLoad | ClientLoad | ClusterLoad;

/** The median of the ratios base ÷ peer, each from one round. */
export interface RatioBar {
  readonly kind: "ratio";
  readonly peer: string;
  readonly base: string;
  readonly atLeast: number;
  /** With fewer rounds the bar is not judged: the machine's noise exceeds the margin. */
  readonly rounds?: number;
}

/** The peer's median cost: CPU microseconds or bytes, depending on the load. */
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

/** The peer's median messages per second, on a machine that does nothing else. */
export interface RateBar {
  readonly kind: "rate";
  readonly peer: string;
  readonly atLeast: number;
}

/** The peer's median latencies in milliseconds, on a machine that does nothing else. */
export interface LatencyBar {
  readonly kind: "latency";
  readonly peer: string;
  readonly p50: number;
  readonly p99: number;
}

export type Bar = RatioBar | LimitBar | BurstBar | RateBar | LatencyBar;

export interface Workload {
  /** The id in the tables and on the command line. */
  readonly id: string;
  readonly title: string;
  /** A few words for the chart. */
  readonly label: string;
  readonly load: Load;
  /** The smaller load that `--quick` runs instead. Bars are not judged on it. */
  readonly quick?: { readonly title: string; readonly load: Load };
  /** Where the usual times are too short. Not for `--quick`. */
  readonly timing?: Partial<Timing>;
  /** The peer that the others are compared with. @default "ws" */
  readonly base?: string;
  /** The peers that run it unless `--peers` names others. @default all that support it */
  readonly peers?: readonly string[];
  readonly bars: readonly Bar[];
}

/** holdfast must cost at most 1/`factor` of what ws costs. */
export function beatsWs(factor: number, rounds?: number): RatioBar {
  return beats("ws", factor, rounds);
}

/** The same, compared with another peer. */
export function beats(base: string, factor: number, rounds?: number): RatioBar {
  const bar: RatioBar = { kind: "ratio", peer: "holdfast", base, atLeast: factor };
  return rounds === undefined ? bar : { ...bar, rounds };
}

/** Settings of the load that a server needs, in the variables DEFLATE, BROADCAST, PING_INTERVAL, TOPICS and SIZE. */
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
    case "cluster":
      return { TOPICS: String(load.topics), SIZE: String(load.size) };
    case "handshake":
    case "client":
      return {};
  }
}

/** The unit in which the cost of a load is counted. */
export function unitOf(load: Load): { readonly symbol: "µs" | "B"; readonly per: string } {
  switch (load.kind) {
    case "echo":
    case "client":
      return { symbol: "µs", per: "CPU per message" };
    case "handshake":
      return { symbol: "µs", per: "CPU per connection" };
    case "broadcast":
      return { symbol: "µs", per: "CPU per delivery" };
    case "cluster":
      return { symbol: "µs", per: "CPU per delivery, of all processes and Redis" };
    case "keepalive":
      return { symbol: "µs", per: "CPU per ping sent and answered" };
    case "idle":
      return { symbol: "B", per: "resident memory per connection" };
  }
}
