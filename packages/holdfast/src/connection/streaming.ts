// Messages that are read in pieces as they arrive. Only where the transport delivers pieces: a browser's WebSocket does not.

import { HeldMessage, type HoldingConnection } from "./held-message.js";
import { MessageStream, type StreamableConnection } from "./message-stream.js";

export const STREAMING = {
  /** `recvStream()` */
  read: (connection: StreamableConnection, signal: AbortSignal | null, maxSize: number): MessageStream =>
    new MessageStream(connection, signal, maxSize),
  /** Keeps a large message, which has begun to arrive, until somebody reads. */
  hold: (connection: HoldingConnection, size: number): HeldMessage => new HeldMessage(connection, size),
};

export type Streaming = typeof STREAMING;
