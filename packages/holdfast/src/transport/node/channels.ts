// Publishes the events of this process's connections on channels of node:diagnostics_channel. Without
// subscribers, a channel costs one check.

import { channel } from "node:diagnostics_channel";
import type { CloseInfo } from "../../connection/close-info.js";
import type { Connection } from "../../connection/connection.js";
import type { DiagnosticsObserver } from "../../connection/diagnostics-observer.js";
import type { SessionResumedEvent } from "../../connection/session-state.js";
import type { SessionLoss } from "../../shared/session-errors.js";
import type { ObservedFrame } from "../../shared/observed-frame.js";

/** The channels of connections and sessions, and the message of each. */
export interface ConnectionDiagnosticsMessages {
  /** A client or server connection opened. */
  readonly "holdfast:connection:open": { readonly connection: Connection };
  /** A connection ended, for any reason. Published exactly once for each connection that opened. */
  readonly "holdfast:connection:close": { readonly connection: Connection; readonly info: CloseInfo };
  /** A Ping from the peer arrived. */
  readonly "holdfast:connection:ping": { readonly connection: Connection; readonly payload: Uint8Array };
  /** A Pong arrived. `roundTrip` is in milliseconds; null if the Pong answers no ping in flight. */
  readonly "holdfast:connection:pong": {
    readonly connection: Connection;
    readonly payload: Uint8Array;
    readonly roundTrip: number | null;
  };
  /**
   * Adaptive detection suspects the peer: it is silent for longer than usual. `level` is the part of the deadline that has
   * passed, `silence` and `expected` are in milliseconds.
   */
  readonly "holdfast:connection:suspect": {
    readonly connection: Connection;
    readonly level: number;
    readonly silence: number;
    readonly expected: number;
  };
  /** A frame was passed to the socket. Only for connections that open after the subscription. */
  readonly "holdfast:connection:frame:sent": {
    readonly connection: Connection;
    readonly frame: ObservedFrame;
  };
  /** A complete frame was received. Only for connections that open after the subscription. */
  readonly "holdfast:connection:frame:received": {
    readonly connection: Connection;
    readonly frame: ObservedFrame;
  };
  /**
   * A session has its first socket in this process. It `isNew` unless another process, or an earlier page, began it.
   */
  readonly "holdfast:session:open": {
    readonly id: string;
    readonly side: "client" | "server";
    readonly isNew: boolean;
  };
  /** A session has lost its socket, and can be resumed. */
  readonly "holdfast:session:detach": {
    readonly id: string;
    readonly side: "client" | "server";
    readonly info: CloseInfo;
  };
  /** A session continues on another socket, after `gap` milliseconds. The counts are of messages sent again. */
  readonly "holdfast:session:resume": SessionResumedEvent & {
    readonly id: string;
    readonly side: "client" | "server";
  };
  /**
   * A session ended; `reason` is null if it was not lost. `unsent` and `unknown` count the messages of this side that were not confirmed. Published
   * exactly once for each session that opened.
   */
  readonly "holdfast:session:close": {
    readonly id: string;
    readonly side: "client" | "server";
    readonly reason: SessionLoss | null;
    readonly unsent: number;
    readonly unknown: number;
  };
}

const open = channelOf("holdfast:connection:open");
const close = channelOf("holdfast:connection:close");
const ping = channelOf("holdfast:connection:ping");
const pong = channelOf("holdfast:connection:pong");
const suspect = channelOf("holdfast:connection:suspect");
const frameSent = channelOf("holdfast:connection:frame:sent");
const frameReceived = channelOf("holdfast:connection:frame:received");
const sessionOpen = channelOf("holdfast:session:open");
const sessionDetach = channelOf("holdfast:session:detach");
const sessionResume = channelOf("holdfast:session:resume");
const sessionClose = channelOf("holdfast:session:close");

export const channelObserver: DiagnosticsObserver = {
  get wantsFrames() {
    return frameSent.hasSubscribers || frameReceived.hasSubscribers;
  },
  onOpen(connection) {
    if (open.hasSubscribers) open.publish({ connection });
  },
  onPing(connection, payload) {
    if (ping.hasSubscribers) ping.publish({ connection, payload });
  },
  onPong(connection, payload, roundTrip) {
    if (pong.hasSubscribers) pong.publish({ connection, payload, roundTrip });
  },
  onSuspect(connection, suspicion) {
    if (suspect.hasSubscribers) suspect.publish({ connection, ...suspicion });
  },
  onFrameSent(connection, frame) {
    if (frameSent.hasSubscribers) frameSent.publish({ connection, frame });
  },
  onFrameReceived(connection, frame) {
    if (frameReceived.hasSubscribers) frameReceived.publish({ connection, frame });
  },
  onClose(connection, info) {
    if (close.hasSubscribers) close.publish({ connection, info });
  },
  onSessionOpen(id, side, isNew) {
    if (sessionOpen.hasSubscribers) sessionOpen.publish({ id, side, isNew });
  },
  onSessionDetached(id, side, info) {
    if (sessionDetach.hasSubscribers) sessionDetach.publish({ id, side, info });
  },
  onSessionResumed(id, side, { gap, replayedIn, replayedOut }) {
    if (sessionResume.hasSubscribers) sessionResume.publish({ id, side, gap, replayedIn, replayedOut });
  },
  onSessionClosed(id, side, { reason, unsent, unknown }) {
    if (sessionClose.hasSubscribers) sessionClose.publish({ id, side, reason, unsent, unknown });
  },
};

/** A channel with a typed message. */
export interface TypedChannel<Message> {
  readonly hasSubscribers: boolean;
  publish(message: Message): void;
}

function channelOf<Name extends keyof ConnectionDiagnosticsMessages>(
  name: Name,
): TypedChannel<ConnectionDiagnosticsMessages[Name]> {
  return channel(name);
}
