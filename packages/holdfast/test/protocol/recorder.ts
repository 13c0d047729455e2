// Records the events of a protocol as a list that a test compares as a whole.

import { MessageTooBigError, ProtocolError } from "../../build/shared/errors.js";
import type { CloseFrame } from "../../build/shared/close-code.js";
import type { ProtocolFailure } from "../../build/protocol/extension.js";
import type { MessageHandler, ProtocolHandler } from "../../build/protocol/message/message-handler.js";

/** One call of a handler. Failures are compared by class, message and all fields. */
export type Told =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "binary"; readonly bytes: Uint8Array }
  | { readonly type: "ping"; readonly payload: Uint8Array }
  | { readonly type: "pong"; readonly payload: Uint8Array }
  | { readonly type: "close"; readonly close: CloseFrame }
  | { readonly type: "failure"; readonly failure: ProtocolFailure };

/** Collects copies: a payload may be a view of a chunk that the test changes later. */
export class Recorder implements MessageHandler, ProtocolHandler {
  readonly told: Told[] = [];

  onMessage(message: string | Uint8Array): void {
    if (typeof message === "string") this.told.push({ type: "text", text: message });
    else this.told.push({ type: "binary", bytes: Uint8Array.from(message) });
  }

  onPing(payload: Uint8Array): void {
    this.told.push({ type: "ping", payload: Uint8Array.from(payload) });
  }

  onPong(payload: Uint8Array): void {
    this.told.push({ type: "pong", payload: Uint8Array.from(payload) });
  }

  onClose(close: CloseFrame): void {
    this.told.push({ type: "close", close });
  }

  onFailure(cause: ProtocolFailure): void {
    this.told.push({ type: "failure", failure: cause });
  }

  onDecodingBegun(): void {
    // The test compares only the final list, which includes the decoded messages.
  }

  onDecodingEnded(): void {
    // As above.
  }
}

// Expected events. A string stands for its UTF-8 bytes.

export const text = (content: string): Told => ({ type: "text", text: content });
export const binary = (content: Uint8Array | string): Told => ({ type: "binary", bytes: bytesOf(content) });
export const ping = (content: Uint8Array | string): Told => ({ type: "ping", payload: bytesOf(content) });
export const pong = (content: Uint8Array | string): Told => ({ type: "pong", payload: bytesOf(content) });
export const close = (code: number, reason = ""): Told => ({ type: "close", close: { code, reason } });

export function failure(message: string, closeCode = 1002): Told {
  return { type: "failure", failure: new ProtocolError(message, closeCode) };
}

export function tooBig(size: number, limit: number, shownSize = `${size}`): Told {
  const message = `Expected a message of at most ${limit} bytes, got ${shownSize}.`;
  return { type: "failure", failure: new MessageTooBigError(message, size, limit) };
}

export const NOT_TEXT: Told = failure("Expected UTF-8 in a text message, got other bytes.", 1007);

function bytesOf(content: Uint8Array | string): Uint8Array {
  return Uint8Array.from(typeof content === "string" ? Buffer.from(content) : content);
}
