// An independent WebSocket program, as the tests see it: it connects or listens, plays a script, and reports
// events.

/** Which end of the connection the peer is. */
export type PeerRole = "server" | "client";

/** The actions of a peer before it echoes; the path of the URL contains them. */
export type Script =
  | { readonly do: "echo" }
  | { readonly do: "fragments" }
  | { readonly do: "ping" }
  | { readonly do: "close"; readonly code: number; readonly reason: string }
  /** Times in seconds. Only trio-websocket: for websockets it is a setting. */
  | { readonly do: "heartbeat"; readonly timeout: number; readonly interval: number }
  // Only Holdfast on other runtimes:
  /** Connects, and aborts after 100 ms. */
  | { readonly do: "abort" }
  /** Sends this many bytes at once. */
  | { readonly do: "flood"; readonly bytes: number }
  /** Blocks its event loop after a ping was answered. */
  | { readonly do: "stall"; readonly milliseconds: number }
  /** Pauses reading. */
  | { readonly do: "doze"; readonly milliseconds: number };

export interface Close {
  readonly code: number;
  readonly reason: string;
}

/** A line that a peer reports. */
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
      /** The library's own message. */
      readonly says: string;
      readonly received: Close | null;
      /** Only from websockets and from Holdfast. */
      readonly sent?: Close | null;
      /** Only from Holdfast. */
      readonly cause?: string;
      /** Only from Holdfast: how long its process did not run, in milliseconds. */
      readonly longestStall?: number;
      /** Only from Holdfast: when the connection ended, in milliseconds of the wall clock. */
      readonly endedAt?: number;
    };

export interface Peer extends AsyncDisposable {
  readonly role: PeerRole;
  /** The URL of a server, without a path. */
  readonly url: string;
  /** Makes a client connect. */
  connect(url: string): void;
  /** Waits for a report of the peer about the connection `id`, or about itself. */
  report<Event extends Report["event"]>(
    event: Event,
    id?: string | null,
  ): Promise<Extract<Report, { event: Event }>>;
}

/** The source of peers: one process for the tests of a file. */
export interface Peers {
  get(role: PeerRole, settings?: PeerSettings): Promise<Peer>;
}

/** The settings of a peer: options of its own, and TLS if it has to use that. */
export interface PeerSettings {
  readonly tls?: { readonly key?: string; readonly cert?: string; readonly ca?: string };
  readonly [option: string]: unknown;
}
