import assert from "node:assert/strict";
import { after, test } from "node:test";
import { constants, createDeflateRaw, createInflateRaw, type Zlib } from "node:zlib";
import type { Transform } from "node:stream";
import { decoded, encoded, endsOf, packed, WAYS } from "./agreements.js";
import { contentOf, type Kind } from "./contents.js";

/** One zlib stream for all messages of a connection: context takeover as RFC 7692 section 7.2.3.2 describes it. */
class Stream {
  readonly #zlib: Transform & Zlib;
  #chunks: Buffer[] = [];

  constructor(zlib: Transform & Zlib) {
    this.#zlib = zlib;
    zlib.on("data", (chunk: Buffer) => this.#chunks.push(chunk));
    after(() => zlib.close());
  }

  async run(...inputs: readonly Uint8Array[]): Promise<Buffer> {
    await new Promise<void>((resolve, reject) => {
      this.#zlib.once("error", reject);
      for (const input of inputs) this.#zlib.write(input);
      (this.#zlib as unknown as { flush(kind: number, callback: () => void): void }).flush(
        constants.Z_SYNC_FLUSH,
        resolve,
      );
    });
    this.#zlib.removeAllListeners("error");
    const output = Buffer.concat(this.#chunks);
    this.#chunks = [];
    return output;
  }
}

const TAIL = Uint8Array.of(0, 0, 0xff, 0xff);

/** Thirty messages of all kinds and sizes; among them an empty one, and some that go to a thread. */
const MESSAGES = Array.from({ length: 30 }, (_, index) => {
  const kind = (["text", "text", "noise", "text", "zeros"] as const satisfies Kind[])[index % 5];
  return contentOf(kind, [0, 60, 700, 5000, 40_000, 300][index % 6], index % 7);
});

const BITS = [9, 10, 11, 12, 13, 14, 15];

test("E8: a zlib stream with our window inflates our messages (RFC 7692 sections 7.2.1 and 7.2.2)", async () => {
  for (const windowBits of [8, ...BITS]) {
    for (const [role] of WAYS) {
      const end = endsOf({ serverMaxWindowBits: windowBits, clientMaxWindowBits: windowBits })[role];
      const peer = new Stream(createInflateRaw({ windowBits }));
      for (const [index, message] of MESSAGES.entries()) {
        const { bytes, isCompressed } = await packed(end, message);
        const output = isCompressed ? await peer.run(bytes, TAIL) : bytes;
        assert(Buffer.compare(output, message) === 0, `Message ${index}, ${windowBits} bits, ${role}`);
      }
    }
  }
});

test("E8: we decode messages deflated by a zlib stream (RFC 7692 sections 7.2.1 and 7.2.2)", async () => {
  for (const windowBits of BITS) {
    for (const [, role] of WAYS) {
      const end = endsOf({ serverMaxWindowBits: windowBits, clientMaxWindowBits: windowBits })[role];
      const peer = new Stream(createDeflateRaw({ windowBits }));
      for (const [index, message] of MESSAGES.entries()) {
        const output = await peer.run(message);
        // zlib writes nothing if there was no input since the last flush (RFC 7692 section 7.2.3.6).
        const payload = output.subarray(0, -TAIL.length);
        const result = await decoded(end, payload);
        assert(result instanceof Uint8Array, String(result));
        assert(Buffer.compare(result, message) === 0, `Message ${index}, ${windowBits} bits, ${role}`);
      }
    }
  }
});

test("E8: without context takeover zlib can inflate each message on its own (RFC 7692 section 7.1.1)", async () => {
  for (const [role] of WAYS) {
    const end = endsOf({ serverNoContextTakeover: true, clientNoContextTakeover: true })[role];
    for (const message of MESSAGES) {
      const peer = new Stream(createInflateRaw());
      const { bytes, isCompressed } = await packed(end, message);
      if (isCompressed) assert.deepEqual(await peer.run(bytes, TAIL), Buffer.from(message));
    }
  }
});

test("E8: context takeover compresses similar messages to a third or less", async () => {
  const message = contentOf("text", 500);
  const lengths = async (forgets: boolean) => {
    const end = endsOf({ clientNoContextTakeover: forgets }).client;
    return [await encoded(end, message), await encoded(end, message)].map(({ length }) => length);
  };
  const [first, second] = await lengths(false);
  assert.deepEqual(await lengths(true), [first, first]);
  assert(second * 3 < first, `${first}, then ${second} bytes`);
});
