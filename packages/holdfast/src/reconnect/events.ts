// The events of a client, a union discriminated by `type`. Their order follows a grammar (docs/events.md):
//
//   connecting ( connectFail | connected ( rejected | protocolError | ready poll body )? ) disconnected
//   body = ( text | binary | ping | pong | poll | suspect | suspended )*
//          ( closing … closed | closed | unresponsive | protocolError )?
//
// `persist()` adds `backOff` between two attempts.

import type { CloseCause, CloseInfo } from "../connection/close-info.js";
import type { Connection } from "../connection/connection.js";
import type { Suspicion } from "../heartbeat/adaptive-detection.js";
import type { HandshakeResponse } from "../connection/handshake-record.js";
import type { Address } from "../connection/ports.js";
import type { Message } from "../connection/reading/inbox.js";
import type { HoldfastError, InvalidStatusError } from "../shared/errors.js";
import type { TextBytes } from "../shared/text-bytes.js";

/** When the event happened. For data from the peer: when its bytes were read, however late the event is consumed. */
export interface EventTime {
  /** Monotonic milliseconds from an arbitrary origin: for measuring durations. */
  readonly at: number;
  /** Milliseconds since 1970, by the wall clock: for display. */
  readonly receivedAt: number;
}

/** An attempt to connect starts. */
export interface ConnectingEvent extends EventTime {
  readonly type: "connecting";
  /** The URL, without user info; null if it is invalid, or the function that returns it failed. */
  readonly url: string | null;
  /** 1, plus one for each consecutive earlier attempt that failed or whose connection did not stay open. */
  readonly attempt: number;
}

/** The server could not be reached: DNS, TCP, proxy or TLS failed, or an option of the request is invalid. */
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

/** The server answered the upgrade with a status other than 101. */
export interface RejectedEvent extends EventTime {
  readonly type: "rejected";
  readonly error: InvalidStatusError;
  readonly status: number;
  readonly headers: Headers;
  /** The first 64 KiB at most. */
  readonly body: Uint8Array;
  /** The server's `Retry-After`, in milliseconds; null if it sent none that is valid. */
  readonly retryAfter: number | null;
}

/** The connection is open: `send()` works from now on. */
export interface ReadyEvent extends EventTime {
  readonly type: "ready";
  /** For listeners and details. Its messages arrive as events. After `connection.close()`, `persist()` reconnects. */
  readonly connection: Connection;
  readonly subprotocol: string | null;
  readonly extensions: readonly string[];
  readonly response: HandshakeResponse;
}

/** Emitted right after `ready`, and then every `pollInterval` while the connection is open. */
export interface PollEvent extends EventTime {
  readonly type: "poll";
}

/** A text message was received. */
export interface TextEvent extends EventTime {
  readonly type: "text";
  readonly text: string;
  /** The received UTF-8, with the option `text: "bytes"`; null otherwise. `text` is then decoded on access. */
  readonly bytes: TextBytes | null;
  /** Parses the text as JSON. Throws SyntaxError if it is not JSON. */
  json(): unknown;
}

/** A binary message was received. */
export interface BinaryEvent extends EventTime {
  readonly type: "binary";
  readonly data: Exclude<Message, string>;
}

/** The peer sent a Ping. It is already answered, unless `autoPong` is off. */
export interface PingEvent extends EventTime {
  readonly type: "ping";
  readonly payload: Uint8Array;
}

/** The peer sent a Pong: the answer to a ping of the keepalive or of `ping()`, or an unsolicited one. */
export interface PongEvent extends EventTime {
  readonly type: "pong";
  readonly payload: Uint8Array;
  /** Milliseconds; null if it answers no ping in flight. */
  readonly roundTrip: number | null;
}

/** Adaptive detection suspects the peer: it is silent for longer than usual on this link, but not declared dead. */
export interface SuspectEvent extends EventTime, Suspicion {
  readonly type: "suspect";
}

/** This process was suspended for a while. The time does not count against the peer. */
export interface SuspendedEvent extends EventTime {
  readonly type: "suspended";
  /** Milliseconds. */
  readonly gap: number;
}

/**
 * The peer closes the connection. `send()` still works until the consumer requests the next event: only then the client
 * answers the Close (RFC 6455 section 5.5.1).
 */
export interface ClosingEvent extends EventTime {
  readonly type: "closing";
  /** 1005 if the peer sent none. */
  readonly code: number;
  readonly reason: string;
}

/** The closing handshake is complete: both sides have sent a Close. The end of the transport follows. */
export interface ClosedEvent extends EventTime {
  readonly type: "closed";
  /** The peer's code; 1005 if it sent none. */
  readonly code: number;
  readonly reason: string;
  /** The side that sent the first Close. */
  readonly initiator: "local" | "peer";
}

/** The peer was declared dead: a ping stayed unanswered for `pingTimeout`. */
export interface UnresponsiveEvent extends EventTime {
  readonly type: "unresponsive";
  /** Milliseconds since the oldest ping that counts was sent. */
  readonly silence: number;
}

/** The peer violated RFC 6455, in its answer to the upgrade or later. The connection ends. */
export interface ProtocolErrorEvent extends EventTime {
  readonly type: "protocolError";
  readonly error: HoldfastError;
}

/** The attempt has ended. Every attempt ends with exactly one of these. */
export interface DisconnectedEvent extends EventTime {
  readonly type: "disconnected";
  /** How it ended; `explain(info)` says what to do. `evidence.openedAt` is null if the connection never opened. */
  readonly info: CloseInfo;
  /** Why it ended; null after a clean end (`info.ok`). */
  readonly error: HoldfastError | null;
}

/** `persist()` waits before the next attempt. */
export interface BackOffEvent extends EventTime {
  readonly type: "backOff";
  /** Milliseconds from `at` to the next attempt. */
  readonly delay: number;
  /** Consecutive attempts that failed, or whose connection did not stay open. */
  readonly attempt: number;
  /** Why the last attempt, or its connection, ended. */
  readonly reason: CloseCause;
  /** When the next attempt starts, in milliseconds since 1970. */
  readonly retryAt: number;
  /** Whether the server requested this delay, with `Retry-After` or by closing with 1012 or 1013. */
  readonly requestedByServer: boolean;
}

/** The content of a Close frame. */
export type Close = Pick<ClosingEvent, "code" | "reason">;

/** Ignore an unknown `type`: later versions may add some. */
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
  | SuspectEvent
  | SuspendedEvent
  | ClosingEvent
  | ClosedEvent
  | UnresponsiveEvent
  | ProtocolErrorEvent
  | DisconnectedEvent
  | BackOffEvent;

/** The values of `type`. Ignore unknown ones: later versions may add some. */
export type ClientEventType = ClientEvent["type"];
