import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { OPCODE, type FrameOptions } from "holdfast-testkit";
import type { FrameEncoder } from "../../build/protocol/frame/frame-encoder.js";
import type { MessageHandler, ProtocolHandler } from "../../build/protocol/message/message-handler.js";
import { Protocol } from "../../build/protocol/protocol.js";
import { anyText } from "./arbitraries.js";
import { cutAt, encoderOf, frameTo, patterned, ROLES } from "./endpoint.js";

/** Keeps payloads without copying them, and pauses with each third message. */
class Keeper implements MessageHandler, ProtocolHandler {
  readonly kept: unknown[] = [];
  pause: () => void = () => undefined;

  onPing(payload: Uint8Array): void {
    this.kept.push(payload);
  }

  onPong(payload: Uint8Array): void {
    this.kept.push(payload);
  }

  onClose(): void {
    this.kept.push("close");
  }

  onFailure(error: Error): void {
    this.kept.push(error);
  }

  onDecodingBegun(): void {
    this.kept.push("held");
  }

  onDecodingEnded(): void {
    this.kept.push("released");
  }

  onMessage(message: string | Uint8Array): void {
    this.kept.push(message);
    if (this.kept.length % 3 === 0) this.pause();
  }
}

type Receive = (protocol: Protocol, chunk: Uint8Array) => void;

function keptOf(encoder: FrameEncoder, form: "bytes" | "string", chunks: Uint8Array[], receive: Receive) {
  const keeper = new Keeper();
  const protocol = new Protocol(keeper, keeper, {
    encoder,
    maxMessageSize: null,
    text: form,
    extension: null,
  });
  keeper.pause = () => protocol.pause();
  for (const chunk of chunks) {
    receive(protocol, chunk);
    if (protocol.isPaused) protocol.unpause();
  }
  while (protocol.isPaused) protocol.unpause();
  return keeper.kept;
}

const toKeep: Receive = (protocol, chunk) => protocol.receive(Buffer.from(chunk));

const lent: Receive = (protocol, chunk) => {
  const memory = Buffer.from(chunk);
  protocol.receive(memory, true);
  memory.fill(0xaa);
};

const anyFrame = fc
  .tuple(fc.constantFrom(OPCODE.text, OPCODE.binary, OPCODE.ping, OPCODE.pong), anyText(40))
  .map(([opcode, payload]): FrameOptions => ({ opcode, payload: payload.slice(0, 30) }));

for (const role of ROLES) {
  test(`E3: a ${role} handles chunks in a reused buffer like chunks to keep, paused or not`, () => {
    fc.assert(
      fc.property(
        fc.array(anyFrame, { maxLength: 12 }),
        fc.array(fc.nat(), { maxLength: 6 }),
        fc.constantFrom("bytes" as const, "string" as const),
        (frames, places, form) => {
          const stream = Buffer.concat(frames.map((options) => frameTo(role, options)));
          const cuts = places.map((place) => place % (stream.length + 1));
          const kept = keptOf(encoderOf(role), form, cutAt(stream, cuts), toKeep);
          assert.deepEqual(keptOf(encoderOf(role), form, cutAt(stream, cuts), lent), kept);
        },
      ),
    );
  });
}

test("E3: bytes copied out of a shared chunk are counted, and text that became a string is not", () => {
  const events = new Keeper();
  const protocol = new Protocol(events, events, {
    encoder: encoderOf("client"),
    maxMessageSize: null,
    extension: null,
  });
  const text = frameTo("client", { opcode: OPCODE.text, payload: "short" });
  const whole = frameTo("client", { opcode: OPCODE.binary, payload: patterned(1000) });
  const copied = (chunk: Uint8Array, isLent: boolean): number => {
    protocol.receive(Buffer.from(chunk), isLent);
    return protocol.copiedBytes;
  };
  assert.equal(copied(Buffer.concat([text, whole, text]), true), 1000);
  assert.equal(copied(whole.subarray(0, 504), true), 500, "of a message that is put together");
  assert.equal(copied(Buffer.concat([whole.subarray(504), whole]), false), 500, "of a chunk to keep");
});
