// How a connection ended: who ended it, which Close frames were exchanged, the cause, the evidence.

import { describeObject, inspectCustom } from "./inspection.js";
import type { LatencyStats } from "../heartbeat/latency-statistics.js";
import { describeClose, type CloseFrame } from "../shared/close-code.js";
import { InvalidHeaderError, InvalidURLError, type OpenFailure } from "../shared/errors.js";

/** Why a connection ended. */
export type CloseCause =
  | OpenFailure
  | "close-timeout"
  | "handler-failed"
  | "heartbeat-timeout"
  | "invalid-data"
  | "local-close"
  | "message-too-big"
  | "peer-close"
  | "protocol-error"
  | "server-shutdown"
  | "write-failed";

/**
 * Traffic of a connection in each direction: whole messages, and the bytes of all frames, without the opening handshake,
 * TLS and HTTP/2. In pages, which see no frames, the lengths of the messages instead.
 */
export type Traffic = Pick<
  CloseEvidence,
  "bytesReceived" | "bytesSent" | "messagesReceived" | "messagesSent"
>;

/** The facts about a connection when it ended. Times are epoch milliseconds. JSON-serialisable. */
export interface CloseEvidence {
  /** Null if it never opened. */
  readonly openedAt: number | null;
  readonly endedAt: number;
  /** When bytes were last read; null for never. */
  readonly lastReceivedAt: number | null;
  /** When bytes were last handed to the socket; null for never. */
  readonly lastSentAt: number | null;
  /** When a ping was last queued; null for never. */
  readonly lastPingAt: number | null;
  /** When a pong last answered a ping; null for never. */
  readonly lastPongAt: number | null;
  readonly latency: LatencyStats;
  readonly pingsInFlight: number;
  /** Milliseconds since the oldest unanswered ping was queued; null for none in flight. */
  readonly oldestPingAge: number | null;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly messagesReceived: number;
  readonly messagesSent: number;
  /** Bytes that were sent and that the kernel had not accepted. */
  readonly bytesBuffered: number;
  /** Messages that were received and that the application had not read. */
  readonly messagesUnread: number;
  /** Bytes of these messages. */
  readonly bytesUnread: number;
  /** Reading was paused because the application did not keep up. */
  readonly isReadingPaused: boolean;
  /** A message had begun to arrive, and its end had not. Always false in pages, where messages arrive whole. */
  readonly isAmidMessage: boolean;
  /**
   * The longest time in milliseconds in which our own process did not run: a blocked event loop or a sleeping machine.
   */
  readonly longestStall: number;
  /** The configured keepalive, in milliseconds; null for off. */
  readonly pingInterval: number | null;
  readonly pingTimeout: number | null;
  /** How the peer was judged: the option `detection`. */
  readonly detection: "adaptive" | "fixed";
  /**
   * Milliseconds of silence from which adaptive detection suspected the peer; null with fixed detection, and while there
   * were too few samples.
   */
  readonly suspectAfter: number | null;
  /**
   * The time in milliseconds that a ping could stay unanswered at the end: `pingTimeout`, or what adaptive detection made
   * of the measured round trips; null for any time.
   */
  readonly deadAfter: number | null;
}

/** How a connection ended. Frozen. */
export interface CloseInfo {
  /** The received close code; 1005 for an empty Close, 1006 if none was received. */
  readonly code: number;
  /** The received reason. */
  readonly reason: string;
  readonly received: CloseFrame | null;
  readonly sent: CloseFrame | null;
  /** Whether the peer's Close arrived before ours was sent. */
  readonly receivedFirst: boolean;
  /** Both Close frames were exchanged. */
  readonly clean: boolean;
  /** Both Close frames were exchanged, with codes in {1000, 1001, 1005}. */
  readonly ok: boolean;
  readonly initiator: "local" | "network" | "peer";
  readonly cause: CloseCause;
  /** The error behind the cause, if there is one. */
  readonly error: Error | null;
  /** One line for a log: the Close frames that were exchanged, in order. */
  readonly message: string;
  readonly evidence: CloseEvidence;
}

/** The facts from which the other fields of `CloseInfo` follow. */
export interface CloseFacts {
  readonly cause: CloseCause;
  readonly error: Error | null;
  readonly received: CloseFrame | null;
  readonly sent: CloseFrame | null;
  readonly receivedFirst: boolean;
  readonly evidence: CloseEvidence;
}

const OK_CODES: ReadonlySet<number> = new Set([1000, 1001, 1005]);

export function closeInfo(facts: CloseFacts): CloseInfo {
  const { received, sent, receivedFirst } = facts;
  const info: CloseInfo = {
    code: received?.code ?? 1006,
    reason: received?.reason ?? "",
    received: received && Object.freeze(received),
    sent: sent && Object.freeze(sent),
    receivedFirst,
    clean: received !== null && sent !== null,
    ok: received !== null && sent !== null && OK_CODES.has(received.code) && OK_CODES.has(sent.code),
    initiator: initiatorOf(facts),
    cause: facts.cause,
    error: facts.error,
    message: closeMessage(received, sent, receivedFirst),
    evidence: Object.freeze(facts.evidence),
  };
  // Not enumerable, so that copies and comparisons see plain data only.
  Object.defineProperty(info, inspectCustom, { value: describeCloseInfo });
  return Object.freeze(info);
}

/** One line, without the evidence, which is for programs and for `explain()`. */
function describeCloseInfo(this: CloseInfo): string {
  const { code, cause, initiator, ok, message, error } = this;
  return describeObject("CloseInfo", { code, cause, initiator, ok, message, error: error?.message });
}

/** The one-liner: each Close as `code (name) reason`, in the order in which they were sent. */
export function closeMessage(
  received: CloseFrame | null,
  sent: CloseFrame | null,
  receivedFirst: boolean,
): string {
  if (received === null) {
    return sent === null
      ? "no close frame received or sent"
      : `sent ${describeClose(sent)}; no close frame received`;
  }
  if (sent === null) return `received ${describeClose(received)}; no close frame sent`;
  if (receivedFirst) return `received ${describeClose(received)}; then sent ${describeClose(sent)}`;
  return `sent ${describeClose(sent)}; then received ${describeClose(received)}`;
}

function initiatorOf({ cause, error, receivedFirst }: CloseFacts): CloseInfo["initiator"] {
  // The application's URL or header, before anything reached the network.
  if (error instanceof InvalidURLError || error instanceof InvalidHeaderError) return "local";
  if (cause === "close-timeout") return receivedFirst ? "peer" : "local";
  return PEERS.has(cause) ? "peer" : NETWORKS.has(cause) ? "network" : "local";
}

/** The causes that lie with the peer, and those that lie with the network. All others are this side's decisions. */
const PEERS: ReadonlySet<CloseCause> = new Set(["peer-close", "rejected", "invalid-handshake"]);
const NETWORKS: ReadonlySet<CloseCause> = new Set([
  "dns",
  "eof",
  "open-timeout",
  "proxy",
  "refused",
  "reset",
  "tls",
  "unreachable",
  "write-failed",
]);
