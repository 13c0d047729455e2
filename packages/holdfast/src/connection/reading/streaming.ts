// Messages that are read in pieces as they arrive. Only where the transport delivers pieces: a browser's WebSocket does not.

import type { ConnectionCore } from "../connection-core.js";
import { HeldMessage } from "./held-message.js";
import { MessageStream } from "./message-stream.js";

export const STREAMING = {
  /** `recvStream()` */
  read: (connection: ConnectionCore, signal: AbortSignal | null, maxSize: number): MessageStream =>
    new MessageStream(connection, signal, maxSize),
  /** Keeps a large message, which has begun to arrive, until somebody reads. */
  hold: (connection: ConnectionCore, size: number): HeldMessage => new HeldMessage(connection, size),
};

export type Streaming = typeof STREAMING;
