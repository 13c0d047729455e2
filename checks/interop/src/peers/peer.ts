// A program that speaks WebSocket without our help, as the tests see it: it connects or listens, plays a script, and
// reports what it sees.

/** Which end of the connection the peer is. */
export type PeerRole = "server" | "client";

/** What a peer does before it echoes; the path of the URL carries it. */
export type Script =
  | { readonly do: "echo" }
  | { readonly do: "fragments" }
  | { readonly do: "ping" }
  | { readonly do: "close"; readonly code: number; readonly reason: string }
  /** Seconds. Only trio-websocket: websockets has it among its settings. */
  | { readonly do: "heartbeat"; readonly timeout: number; readonly interval: number }
  // Only Holdfast on other runtimes.
  /** Connects, and gives up after 100 ms. */
  | { readonly do: "abort" }
  /** Sends that much at once. */
  | { readonly do: "flood"; readonly bytes: number }
  /** Blocks its event loop, once a ping was answered. */
  | { readonly do: "stall"; readonly milliseconds: number }
  /** Does not read. */
  | { readonly do: "doze"; readonly milliseconds: number };

export interface Close {
  readonly code: number;
  readonly reason: string;
}

/** A line of what a peer reports. */
export type Report =
  | { readonly event: "ready" }
  | { readonly event: "listening"; readonly port: number }
  | { readonly event: "failed"; readonly id: string; readonly says: string; readonly status?: number }
  | { readonly event: "pong"; readonly id: string; readonly latency: number }
  | { readonly event: "too slow"; readonly id: string }
  | { readonly event: "suspended"; readonly id: string }
  | {
      readonly event: "closed";
      readonly id: string;
      /** In the words of the library. */
      readonly says: string;
      readonly received: Close | null;
      /** Only from websockets and from Holdfast. */
      readonly sent?: Close | null;
      /** Only from Holdfast. */
      readonly cause?: string;
      /** Only from Holdfast: how long its process did not run, in milliseconds. */
      readonly longestStall?: number;
      /** Only from Holdfast: milliseconds of the wall clock. */
      readonly endedAt?: number;
    };

export interface Peer extends AsyncDisposable {
  readonly role: PeerRole;
  /** Where a server listens, without a path. */
  readonly url: string;
  /** Makes a client connect. */
  connect(url: string): void;
  /** Waits for what the peer reports of the connection `id`, or of itself. */
  report<Event extends Report["event"]>(
    event: Event,
    id?: string | null,
  ): Promise<Extract<Report, { event: Event }>>;
}

/** Where tests get their peers: one process for the tests of a file. */
export interface Peers {
  get(role: PeerRole, settings?: PeerSettings): Promise<Peer>;
}

/** What a peer is started with: options of its own, and TLS where it is to speak that. */
export interface PeerSettings {
  readonly tls?: { readonly key?: string; readonly cert?: string; readonly ca?: string };
  readonly [option: string]: unknown;
}
