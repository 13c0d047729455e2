// Frames to a server and to a client (RFC 6455 sections 5 to 7): nothing is thrown, at most one failure is
// reported, with a code that may be sent, and the result does not depend on how the bytes are split.

import assert from "node:assert/strict";
import {
  isSendableCloseCode,
  type CloseFrame,
} from "../../../../packages/holdfast/build/shared/close-code.js";
import {
  closeCodeOf,
  closeOf,
  type ProtocolFailure,
} from "../../../../packages/holdfast/build/protocol/extension.js";
import { FrameEncoder } from "../../../../packages/holdfast/build/protocol/frame/frame-encoder.js";
import { MaskKeys } from "../../../../packages/holdfast/build/protocol/frame/mask-keys.js";
import type {
  MessageHandler,
  ProtocolHandler,
} from "../../../../packages/holdfast/build/protocol/message/message-handler.js";
import { Protocol } from "../../../../packages/holdfast/build/protocol/protocol.js";
import { cut, Input } from "../input.js";

const LIMIT = 300;
const ENCODERS = [
  new FrameEncoder(null),
  new FrameEncoder(new MaskKeys((target) => target.fill(1))),
] as const;

class Told implements MessageHandler, ProtocolHandler {
  readonly events: (readonly [type: string, value: unknown])[] = [];

  onMessage(message: string | Uint8Array): void {
    if (typeof message === "string") this.events.push(["text", message]);
    else this.events.push(["binary", Uint8Array.from(message)]);
  }
  onPing(payload: Uint8Array): void {
    this.events.push(["ping", payload]);
  }
  onPong(payload: Uint8Array): void {
    this.events.push(["pong", payload]);
  }
  onClose(close: CloseFrame): void {
    this.events.push(["close", close]);
  }
  onFailure(failure: ProtocolFailure): void {
    this.events.push(["failure", failure]);
  }
  onDecodingBegun(): void {
    this.events.push(["held", null]);
  }
  onDecodingEnded(): void {
    this.events.push(["released", null]);
  }
}

function receive(encoder: FrameEncoder, chunks: readonly Uint8Array[]): Told["events"] {
  const told = new Told();
  const protocol = new Protocol(told, told, { encoder, maxMessageSize: LIMIT, extension: null });
  for (const chunk of chunks) protocol.receive(Buffer.from(chunk));
  return told.events;
}

/** Whole frames, boundary lengths, and UTF-8 characters. */
export const dictionary: readonly string[] = [
  "\x81\x05hello",
  "\x88\x02\x03\xe8",
  "\x89\x00",
  "\x8a\x00",
  "\x01\x01x",
  "\x80\x00",
  "\x81\x85\x00\x00\x00\x00hello",
  "\x82\x7e\x00\x7e",
  "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00",
  "\xe2\x82\xac",
  "\xed\xa0\x80",
  "\xf0\x9f\x91\x8d",
];

export function fuzz(data: Uint8Array): void {
  const input = new Input(data);
  const seed = input.byte();
  const bytes = input.bytes();
  for (const encoder of ENCODERS) {
    const events = receive(encoder, [bytes]);
    assertLawful(events);
    assert.deepEqual(receive(encoder, cut(bytes, seed)), events);
  }
}

function assertLawful(events: Told["events"]): void {
  assert.match(
    events.map(([type]) => type).join(" "),
    /^(?:(?:text|binary|ping|pong) ?)*(?:failure ?)?(?:close)?$/,
  );
  for (const [type, value] of events) {
    if (type === "failure") {
      const failure = value as ProtocolFailure;
      assert([1002, 1007, 1009].includes(closeCodeOf(failure)));
      assert(Buffer.byteLength(closeOf(failure).reason) <= 123);
    } else if (type === "close") {
      const { code, reason } = value as CloseFrame;
      assert(code === 1005 ? reason === "" : isSendableCloseCode(code));
      assert(Buffer.byteLength(reason) <= 123);
    } else {
      const limit = type === "text" || type === "binary" ? LIMIT : 125;
      assert(Buffer.byteLength(value as string | Uint8Array) <= limit);
    }
  }
}
