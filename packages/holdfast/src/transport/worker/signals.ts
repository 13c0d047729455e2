// The messages that a worker and the other thread exchange about a connection. They are in order, and several
// travel as one batch.

import type { Suspicion } from "../../heartbeat/adaptive-detection.js";
import type { LatencyStats } from "../../heartbeat/latency-statistics.js";
import type { CloseFrame } from "../../shared/close-code.js";
import type { CloseInfo } from "../../connection/close-info.js";
import type { HandshakeRecord, HandshakeRequest } from "../../connection/handshake-record.js";
import type { Message } from "../../connection/reading/inbox.js";
import type { Address } from "../../connection/ports.js";
import type { ErrorCopy } from "./error-copy.js";

/** Marks the message that assigns a connection to a worker; it carries the port for everything else. */
export const ASSIGNMENT = "holdfast:connect";

export interface Assignment {
  readonly type: typeof ASSIGNMENT;
  readonly url: string;
  readonly options: object;
  /** When the connection must be open, in epoch milliseconds; null for no limit. */
  readonly deadline: number | null;
}

/** Commands to the worker. */
export type WorkerCommand =
  | {
      readonly type: "send";
      readonly id: number;
      readonly message: string | Uint8Array;
      readonly mayEncode: boolean;
    }
  | { readonly type: "unsend"; readonly id: number }
  | {
      readonly type: "fragment";
      readonly piece: string | Uint8Array;
      readonly size: number;
      readonly isFirst: boolean;
      readonly isLast: boolean;
    }
  | {
      readonly type: "ping";
      readonly key: string;
      readonly payload: Uint8Array;
      readonly timeout: number | null;
    }
  | { readonly type: "unping"; readonly key: string }
  | { readonly type: "pong"; readonly payload: Uint8Array }
  | { readonly type: "close"; readonly close: CloseFrame; readonly isUrgent: boolean }
  /** These messages have been consumed: the worker may forward as many again. */
  | {
      readonly type: "ack-messages";
      readonly messages: number;
      readonly bytes: number;
      readonly overhead: number;
    }
  /** This many pings and pongs of the peer have been handled. */
  | { readonly type: "ack-control"; readonly count: number }
  | { readonly type: "stream"; readonly isWanted: boolean; readonly maxSize?: number | undefined }
  | { readonly type: "probe" }
  /** `alive` answers. */
  | { readonly type: "check" }
  | { readonly type: "abort" }
  | { readonly type: "terminate" };

/** Events from the worker. */
export type WorkerEvent =
  | { readonly type: "opened"; readonly opened: Opened }
  | { readonly type: "failed"; readonly error: ErrorCopy }
  | { readonly type: "message"; readonly message: Message; readonly isText: boolean }
  | { readonly type: "piece"; readonly piece: Message }
  | { readonly type: "last-piece" }
  /** The bytes on the wire so far; the first event of each batch. */
  | { readonly type: "traffic"; readonly bytesReceived: number; readonly bytesSent: number }
  /** This many bytes of messages have been passed to the socket, or cancelled. */
  | { readonly type: "credit"; readonly bytes: number }
  | { readonly type: "pinged"; readonly key: string; readonly elapsed: number }
  | { readonly type: "alive" }
  | { readonly type: "not-pinged"; readonly key: string; readonly error: ErrorCopy }
  | { readonly type: "ping"; readonly payload: Uint8Array }
  | {
      readonly type: "pong";
      readonly payload: Uint8Array;
      readonly roundTrip: number | null;
      readonly stats: LatencyStats;
    }
  | {
      readonly type: "overdue";
      readonly elapsed: number;
      readonly expected: number;
      readonly stats: LatencyStats;
    }
  | ({ readonly type: "suspect"; readonly stats: LatencyStats } & Suspicion)
  | { readonly type: "suspended"; readonly gap: number }
  | {
      readonly type: "closing";
      readonly close: CloseFrame;
      readonly initiator: "local" | "peer";
      /** Whether the worker waits for an answer to the Close. */
      readonly isAnswerable: boolean;
    }
  | { readonly type: "ended"; readonly info: CloseInfoCopy };

export interface Opened {
  readonly handshake: HandshakeCopy;
  readonly remoteAddress: Address | null;
  readonly localAddress: Address | null;
}

type HeadersCopy = readonly (readonly [name: string, value: string])[];

export interface HandshakeCopy extends Pick<HandshakeRecord, "extensions" | "subprotocol" | "url"> {
  readonly request: Omit<HandshakeRequest, "headers"> & { readonly headers: HeadersCopy };
  readonly response: { readonly status: number; readonly headers: HeadersCopy };
}

export type CloseInfoCopy = Omit<CloseInfo, "error"> & { readonly error: ErrorCopy | null };
