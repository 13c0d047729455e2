// What a client tells: a union by `type`. The order in which events come is a grammar (docs/events.md):
//
//   connecting ( connectFail | connected ( rejected | protocolError | ready poll body )? ) disconnected
//   body = ( text | binary | ping | pong | poll | suspended )*
//          ( closing … closed | closed | unresponsive | protocolError )?
//
// and, from `persist()`, `backOff` between two attempts.

import type { CloseCause, CloseInfo } from "../connection/close-info.js";
import type { Connection } from "../connection/connection.js";
import type { HandshakeResponse } from "../connection/handshake-record.js";
import type { Address } from "../connection/ports.js";
import type { HoldfastError, InvalidStatusError } from "../shared/errors.js";
import type { TextBytes } from "../shared/text-bytes.js";

/** When it happened: for what the peer sent, when its bytes were read, however late the event is consumed. */
export interface EventTime {
  /** Monotonic milliseconds, from an arbitrary origin: for measuring. */
  readonly at: number;
  /** Milliseconds since 1970, by the wall clock: for showing. */
  readonly receivedAt: number;
}

/** An attempt to connect begins. */
export interface ConnectingEvent extends EventTime {
  readonly type: "connecting";
  /** The URL, without user info; null where there is none: it is invalid, or the function that gives it failed. */
  readonly url: string | null;
  /** 1, and one more for each attempt in a row that failed or whose connection did not stay up. */
  readonly attempt: number;
}

/** There is no way to the server: name lookup, TCP, proxy or TLS failed, or what was to be sent is invalid. */
export interface ConnectFailEvent extends EventTime {
  readonly type: "connectFail";
  readonly error: HoldfastError;
}

/** The transport to the server is up, TLS included; the upgrade follows. */
export interface ConnectedEvent extends EventTime {
  readonly type: "connected";
  readonly remoteAddress: Address | null;
  readonly localAddress: Address | null;
}

/** The server answered the upgrade with another status than 101. */
export interface RejectedEvent extends EventTime {
  readonly type: "rejected";
  readonly error: InvalidStatusError;
  readonly status: number;
  readonly headers: Headers;
  /** At most 64 KiB of it. */
  readonly body: Uint8Array;
  /** Milliseconds that the server asks to stay away; null where it does not say. */
  readonly retryAfter: number | null;
}

/** The connection is open: `send()` works from here on. */
export interface ReadyEvent extends EventTime {
  readonly type: "ready";
  /** For listeners and details. Its messages come as events; closing it is no wish to stay away (`persist()`). */
  readonly connection: Connection;
  readonly subprotocol: string | null;
  readonly extensions: readonly string[];
  readonly response: HandshakeResponse;
}

/** Comes right after `ready`, and each `pollInterval` from then on, while the connection is open. */
export interface PollEvent extends EventTime {
  readonly type: "poll";
}

/** A text message came. */
export interface TextEvent extends EventTime {
  readonly type: "text";
  readonly text: string;
  /** The UTF-8 that it came in, with the option `text: "bytes"`: `text` is decoded when it is asked for. Null otherwise. */
  readonly bytes: TextBytes | null;
  /** The text as JSON; throws SyntaxError where it is none. */
  json(): unknown;
}

/** A binary message came. */
export interface BinaryEvent extends EventTime {
  readonly type: "binary";
  readonly data: Uint8Array;
}

/** The peer sent a Ping; it is answered already, unless `autoPong` is off. */
export interface PingEvent extends EventTime {
  readonly type: "ping";
  readonly payload: Uint8Array;
}

/** The peer sent a Pong: an answer to a ping of the keepalive or of `ping()`, or one that nobody asked for. */
export interface PongEvent extends EventTime {
  readonly type: "pong";
  readonly payload: Uint8Array;
  /** Milliseconds; null where it answers no ping in flight. */
  readonly roundTrip: number | null;
}

/** Our own process did not run for a while. The peer is not blamed for it. */
export interface SuspendedEvent extends EventTime {
  readonly type: "suspended";
  /** Milliseconds. */
  readonly gap: number;
}

/**
 * The peer closes the connection. `send()` still works until the next event is asked for: then its Close is answered
 * (RFC 6455 section 5.5.1).
 */
export interface ClosingEvent extends EventTime {
  readonly type: "closing";
  /** 1005 where the peer gave none. */
  readonly code: number;
  readonly reason: string;
}

/** The closing handshake is complete: both Close frames were sent. The end of the transport follows. */
export interface ClosedEvent extends EventTime {
  readonly type: "closed";
  /** The peer's code; 1005 where it gave none. */
  readonly code: number;
  readonly reason: string;
  /** Who sent the first Close. */
  readonly initiator: "local" | "peer";
}

/** The peer was declared dead: a ping stayed unanswered for `pingTimeout`. */
export interface UnresponsiveEvent extends EventTime {
  readonly type: "unresponsive";
  /** Milliseconds for which the oldest ping that counts has waited. */
  readonly silence: number;
}

/** The peer broke RFC 6455, in its answer to the upgrade or later, and the connection is given up. */
export interface ProtocolErrorEvent extends EventTime {
  readonly type: "protocolError";
  readonly error: HoldfastError;
}

/** The attempt is over. Comes once for each, last. */
export interface DisconnectedEvent extends EventTime {
  readonly type: "disconnected";
  /** How it ended; `explain(info)` says what to do. `evidence.openedAt` is null where it never was open. */
  readonly info: CloseInfo;
  /** Why it ended; null where it ended as it should (`info.ok`). */
  readonly error: HoldfastError | null;
}

/** `persist()` waits before it tries again. */
export interface BackOffEvent extends EventTime {
  readonly type: "backOff";
  /** Milliseconds from `at` to the next attempt. */
  readonly delay: number;
  /** Attempts in a row that failed, or whose connection did not stay up. */
  readonly attempt: number;
  /** What ended the last one. */
  readonly reason: CloseCause;
  /** When the next attempt begins, in milliseconds since 1970. */
  readonly retryAt: number;
  /** Whether the server asked for this wait: by `Retry-After`, or by closing with 1012 or 1013. */
  readonly requestedByServer: boolean;
}

/** What a Close frame says. */
export type Close = Pick<ClosingEvent, "code" | "reason">;

/** Ignore a `type` that you do not know: later versions may add some. */
export type ClientEvent =
  | ConnectingEvent
  | ConnectFailEvent
  | ConnectedEvent
  | RejectedEvent
  | ReadyEvent
  | PollEvent
  | TextEvent
  | BinaryEvent
  | PingEvent
  | PongEvent
  | SuspendedEvent
  | ClosingEvent
  | ClosedEvent
  | UnresponsiveEvent
  | ProtocolErrorEvent
  | DisconnectedEvent
  | BackOffEvent;

/** The words that events are told apart by. New ones may come: ignore what you do not know. */
export type ClientEventType = ClientEvent["type"];
