// The handlers of received messages, and the settings of the receiving direction.

import type { CloseFrame } from "../../shared/close-code.js";
import type { TextForm } from "../../shared/text-bytes.js";
import type { MessageExtension, ProtocolFailure } from "../extension.js";

/** Receives what the peer sent, in the order of arrival. Payloads may be views of the received chunk. */
export interface MessageHandler {
  /** A text message as a string or as `TextBytes`, or a binary one. */
  onMessage(message: string | Uint8Array): void;
  onPing(payload: Uint8Array): void;
  onPong(payload: Uint8Array): void;
}

/** Follows the state of the receiving direction. */
export interface ProtocolHandler {
  onClose(close: CloseFrame): void;
  /** The peer broke the rules. Called once; afterwards only a Close is still reported. */
  onFailure(failure: ProtocolFailure): void;
  /** A message is being decoded asynchronously: no more events until `onDecodingEnded`. */
  onDecodingBegun(): void;
  /** The decoded message was delivered. Call `Protocol.resume` to continue with the data received meanwhile. */
  onDecodingEnded(): void;
  /**
   * A message that nobody reads in pieces has more bytes than `maxMessageSize`. If this calls `streamTo`, the message is
   * delivered in pieces; otherwise it is a failure.
   */
  onLargeMessage?(size: number): void;
  /**
   * Called every few frames. Return true to delay the following frames because this turn of the event loop has taken
   * too long; no more events follow until `Protocol.endYield`. Without this method, frames are never delayed.
   */
  mustYield?(): boolean;
}

export interface ReceiveSettings {
  /** Maximum payload of a message in bytes, also after inflating; null for no limit. */
  readonly maxMessageSize: number | null;
  /** The form in which text messages are delivered. @default "string" */
  readonly text?: TextForm;
  /** The negotiated extension; null for none. */
  readonly extension: MessageExtension | null;
  /** Receives all messages as bytes, in place of `onMessage`; text has been validated. Absent or null for `onMessage`. */
  readonly onBytes?: BytesHandler | null;
}

/** Receives a message as a view of the received chunk. */
export type BytesHandler = (payload: Buffer, isText: boolean) => void;
