// A connection with permessage-deflate over a fake transport, and a peer that decodes its frames.

import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { OPCODE, type RawFrame } from "holdfast-testkit";
import type { Role } from "../../build/shared/role.js";
import { endsOf, packed } from "../protocol/deflate/agreements.js";
import type { DeflateTuning, PermessageDeflate } from "../../build/protocol/deflate/permessage-deflate.js";
import { Harness, type Setup } from "./harness.js";

const RSV1 = 4;

export interface CompressedSetup extends Omit<Setup, "extension" | "role"> {
  readonly tuning?: Partial<DeflateTuning>;
}

export class Compressed {
  readonly harness: Harness;
  readonly peer: PermessageDeflate;

  /** The threshold is 0 unless `tuning` sets another. */
  constructor(role: Role, { tuning = {}, ...setup }: CompressedSetup = {}) {
    const ends = endsOf({}, tuning);
    this.harness = new Harness({ role, extension: ends[role], ...setup });
    this.peer = ends[role === "client" ? "server" : "client"];
  }

  /** A text message of the peer, compressed if that makes it shorter. */
  async text(text: string): Promise<Uint8Array> {
    const { bytes, isCompressed } = await packed(this.peer, Buffer.from(text));
    return this.harness.frame({ opcode: OPCODE.text, rsv: isCompressed ? RSV1 : 0, payload: bytes });
  }

  /** Descriptions of the frames sent since the last call, decoded. */
  async sent(): Promise<readonly string[]> {
    const words = [];
    for (const frame of this.harness.sentFrames()) words.push(await this.#describe(frame));
    return words;
  }

  /**
   * Waits in real time for the compression threads: their promises settle in turns of the real event loop.
   */
  async until(isDone: () => boolean): Promise<void> {
    const start = performance.now();
    while (!isDone()) {
      assert(performance.now() - start < 30_000, "The threads take too long");
      this.harness.clock.turn();
      await nextTurn();
    }
    this.harness.clock.turn();
  }

  async #describe({ opcode, rsv, payload }: RawFrame): Promise<string> {
    const name = Object.entries(OPCODE).find(([, value]) => value === opcode)?.[0] ?? String(opcode);
    const content = rsv === RSV1 ? await this.peer.decode(payload, 2 ** 24) : payload;
    assert(content instanceof Uint8Array, String(content));
    const bytes = Buffer.from(content);
    const text = opcode === OPCODE.close ? String(bytes.readUInt16BE(0)) : nameOf(bytes);
    return `${rsv === RSV1 ? "deflated " : ""}${name} ${text}`.trimEnd();
  }
}

/** The first word of a message, and its size if it is large. */
function nameOf(bytes: Buffer): string {
  const text = bytes.toString("utf8");
  return bytes.length <= 40 ? text : `${text.split(" ", 1)[0]} (${bytes.length} bytes)`;
}

const LINES = Array.from({ length: 4000 }, (_, index) => ((index * 2_654_435_761) >>> 0).toString(36)).join();

/** A text of this many bytes that begins with its name, and repeats itself only about every 30 KB. */
export function long(name: string, size: number): string {
  return `${name} ${LINES.repeat(Math.ceil(size / LINES.length))}`.slice(0, size);
}
