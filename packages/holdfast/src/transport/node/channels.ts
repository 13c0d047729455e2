// What happens on the connections of this process, published on channels of node:diagnostics_channel. A channel that
// nobody subscribed to costs the question whether somebody did.

import { channel } from "node:diagnostics_channel";
import type { CloseInfo } from "../../connection/close-info.js";
import type { Connection } from "../../connection/connection.js";
import type { DiagnosticsObserver } from "../../connection/diagnostics-observer.js";
import type { Address } from "../../connection/ports.js";
import type { ObservedFrame } from "../../shared/observed-frame.js";

/** The channels of `node:diagnostics_channel` by their names, and what is published on each. */
export interface DiagnosticsMessages {
  /** A connection opened, at a client or at a server. */
  readonly "holdfast:connection:open": { readonly connection: Connection };
  /** A connection ended, however it did. Exactly once for each that opened. */
  readonly "holdfast:connection:close": { readonly connection: Connection; readonly info: CloseInfo };
  /** A Ping of the peer arrived. */
  readonly "holdfast:connection:ping": { readonly connection: Connection; readonly payload: Uint8Array };
  /** A Pong arrived; `roundTrip` in milliseconds, null where it answers no ping in flight. */
  readonly "holdfast:connection:pong": {
    readonly connection: Connection;
    readonly payload: Uint8Array;
    readonly roundTrip: number | null;
  };
  /** A frame is handed to the socket. Of connections that open after the subscription. */
  readonly "holdfast:connection:frame:sent": {
    readonly connection: Connection;
    readonly frame: ObservedFrame;
  };
  /** A frame arrived completely. Of connections that open after the subscription. */
  readonly "holdfast:connection:frame:received": {
    readonly connection: Connection;
    readonly frame: ObservedFrame;
  };
  /**
   * A limit of `serve({ limits })` is exceeded: an upgrade is refused, a socket dropped, reading paused, or a connection
   * closed. `connection` is null where there is none yet.
   */
  readonly "holdfast:server:limited": {
    readonly limit: "bytesPerSecond" | "connectionsPerAddress" | "messagesPerSecond" | "upgradesPerSecond";
    readonly remoteAddress: Address | null;
    readonly connection: Connection | null;
  };
}

const open = channelOf("holdfast:connection:open");
const close = channelOf("holdfast:connection:close");
const ping = channelOf("holdfast:connection:ping");
const pong = channelOf("holdfast:connection:pong");
const frameSent = channelOf("holdfast:connection:frame:sent");
const frameReceived = channelOf("holdfast:connection:frame:received");
const limited = channelOf("holdfast:server:limited");

export function publishLimited(message: DiagnosticsMessages["holdfast:server:limited"]): void {
  if (limited.hasSubscribers) limited.publish(message);
}

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
  onFrameSent(connection, frame) {
    if (frameSent.hasSubscribers) frameSent.publish({ connection, frame });
  },
  onFrameReceived(connection, frame) {
    if (frameReceived.hasSubscribers) frameReceived.publish({ connection, frame });
  },
  onClose(connection, info) {
    if (close.hasSubscribers) close.publish({ connection, info });
  },
};

/** A channel that takes only what its name promises. */
interface TypedChannel<Message> {
  readonly hasSubscribers: boolean;
  publish(message: Message): void;
}

function channelOf<Name extends keyof DiagnosticsMessages>(
  name: Name,
): TypedChannel<DiagnosticsMessages[Name]> {
  return channel(name);
}
