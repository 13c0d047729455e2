// What a page or a main thread and a worker tell one another of a connection, in order, several in one message.

import type { LatencyStats } from "../../heartbeat/latency-statistics.js";
import type { CloseFrame } from "../../shared/close-code.js";
import type { CloseInfo } from "../../connection/close-info.js";
import type { HandshakeRecord, HandshakeRequest } from "../../connection/handshake-record.js";
import type { Message } from "../../connection/inbox.js";
import type { Address } from "../../connection/ports.js";
import type { ErrorCopy } from "./error-copy.js";

/** Marks the message by which a worker is given a connection to open; the port for all else goes with it. */
export const ASSIGNMENT = "holdfast:connect";

export interface Assignment {
  readonly type: typeof ASSIGNMENT;
  readonly url: string;
  readonly options: object;
  /** Epoch milliseconds by which the connection has to be open; null for no limit. */
  readonly deadline: number | null;
}

/** What the worker is to do. */
export type WorkerCommand =
  | { readonly type: "send"; readonly id: number; readonly message: Message; readonly mayEncode: boolean }
  | { readonly type: "unsend"; readonly id: number }
  | {
      readonly type: "fragment";
      readonly piece: Message;
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
  /** These messages have been taken: there is room for as much. */
  | { readonly type: "taken"; readonly messages: number; readonly bytes: number; readonly overhead: number }
  /** So many pings and pongs of the peer have been told. */
  | { readonly type: "heard"; readonly count: number }
  | { readonly type: "stream"; readonly isWanted: boolean }
  | { readonly type: "probe" }
  | { readonly type: "abort" }
  | { readonly type: "terminate" };

/** What the worker tells. */
export type WorkerEvent =
  | { readonly type: "opened"; readonly opened: Opened }
  | { readonly type: "failed"; readonly error: ErrorCopy }
  | { readonly type: "message"; readonly message: Message; readonly isText: boolean }
  | { readonly type: "piece"; readonly piece: Message }
  | { readonly type: "last-piece" }
  /** So many bytes of messages were handed to the socket, or taken back. */
  | { readonly type: "gone"; readonly bytes: number }
  | { readonly type: "pinged"; readonly key: string; readonly elapsed: number }
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
  | { readonly type: "suspended"; readonly gap: number }
  | {
      readonly type: "closing";
      readonly close: CloseFrame;
      readonly initiator: "local" | "peer";
      /** Whether the worker waits for the answer to it. */
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
