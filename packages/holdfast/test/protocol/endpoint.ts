// One end of a connection for the tests, and the frames that its peer sends.

import { frame, SeededRandom, type FrameOptions } from "holdfast-testkit";
import { FrameEncoder } from "../../build/protocol/frame/frame-encoder.js";
import { MaskKeys } from "../../build/protocol/frame/mask-keys.js";
import type { MessageHandler, ProtocolHandler } from "../../build/protocol/message/message-handler.js";
import { Protocol, type ProtocolOptions } from "../../build/protocol/protocol.js";
import type { Role } from "../../build/shared/role.js";
import { Recorder, type Told } from "./recorder.js";

export const ROLES = ["client", "server"] as const satisfies readonly Role[];

export type EndpointOptions = Partial<Omit<ProtocolOptions, "encoder">>;

/** A protocol whose events are recorded. */
export class Endpoint {
  readonly protocol: Protocol;
  readonly #recorder = new Recorder();

  /**
   * @param options no limit and no extension by default
   * @param events handlers that replace the recorder's
   */
  constructor(
    role: Role,
    options: EndpointOptions = {},
    events: Partial<MessageHandler & ProtocolHandler> = {},
  ) {
    const handlers: MessageHandler & ProtocolHandler = Object.assign(
      this.#recorder,
      { onDecodingEnded: () => this.protocol.resume() },
      events,
    );
    this.protocol = new Protocol(handlers, handlers, {
      encoder: encoderOf(role),
      maxMessageSize: null,
      extension: null,
      ...options,
    });
  }

  get told(): readonly Told[] {
    return this.#recorder.told;
  }

  /** Receives copies of the chunks, since the protocol unmasks in place; returns all events so far. */
  receive(chunks: Uint8Array | readonly Uint8Array[]): readonly Told[] {
    const list = chunks instanceof Uint8Array ? [chunks] : chunks;
    for (const chunk of list) this.protocol.receive(Buffer.from(chunk));
    return this.told;
  }
}

/** An encoder with the same masking keys in each run. */
export function encoderOf(role: Role, seed = 1): FrameEncoder {
  const random = new SeededRandom(seed);
  return new FrameEncoder(role === "client" ? new MaskKeys((target) => random.fill(target)) : null);
}

/** A frame as the peer of `role` sends it: masked to a server, unmasked to a client (RFC 6455 section 5.1). */
export function frameTo(role: Role, options: FrameOptions): Uint8Array {
  return frame({ mask: role === "server", ...options });
}

/** All the frames in one chunk. */
export function framesTo(role: Role, ...list: readonly FrameOptions[]): Uint8Array {
  return Buffer.concat(list.map((options) => frameTo(role, options)));
}

/** The pieces of `bytes` between the given offsets, in any order. */
export function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [...new Set(places)]
    .filter((place) => place > 0 && place < bytes.length)
    .sort((a, b) => a - b);
  const ends = [...sorted, bytes.length];
  return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
}

/** Pieces of one byte. */
export function byteByByte(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (byte) => Uint8Array.of(byte));
}

/** That many bytes, each different from its neighbours. */
export function patterned(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) bytes[index] = index * 7 + (index >>> 8);
  return bytes;
}
