// Counts what a peer sends, for limits. Called within the read, on the hot path: it must not allocate or throw.

import type { MessageHandler } from "../../protocol/message/message-handler.js";

export interface ReceiveMeter {
  /** Whether the peer has sent too much: messages are dropped from now on, and its Close is still read. */
  readonly isDropping: boolean;
  /** A chunk arrived and has been parsed. */
  onBytes(count: number): void;
  /** A message is complete, or the first piece of a streamed one was delivered (null). */
  onMessage(message: Uint8Array | string | null): void;
}

/** Counts each message before it is delivered. */
export function metered(handler: MessageHandler, meter: ReceiveMeter): MessageHandler {
  return {
    onMessage(message) {
      meter.onMessage(message);
      if (!meter.isDropping) handler.onMessage(message);
    },
    onPing: (payload) => handler.onPing(payload),
    onPong: (payload) => handler.onPong(payload),
  };
}
