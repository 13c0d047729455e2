import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { constants, createDeflateRaw, deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { OPCODE, type FrameOptions } from "holdfast-testkit";
import { patterned, Endpoint, framesTo, ROLES } from "../endpoint.js";
import { binary, failure, tooBig } from "../recorder.js";
import { endsOf, inflatesTooFar } from "./agreements.js";

const MIB = 1024 * 1024;
const RSV1 = 4;

/** Zeros, deflated as fast as can be: six megabytes for a gibibyte at the lowest level. */
async function bomb(size: number): Promise<Buffer> {
  const stream = createDeflateRaw({ level: 1, finishFlush: constants.Z_SYNC_FLUSH });
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  const zeros = Buffer.alloc(MIB);
  for (let written = 0; written < size; written += MIB) {
    await new Promise((resolve) => stream.write(zeros, resolve));
  }
  await new Promise((resolve) => stream.end(resolve));
  return Buffer.concat(chunks);
}

const gibibyte = bomb(1024 * MIB);

/** As it travels: without the empty block at the end (RFC 7692 section 7.2.1). */
function deflated(content: Uint8Array): Buffer {
  return deflateRawSync(content, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
}

/** The message in fragments of that many bytes. */
function fragments(payload: Uint8Array, size: number): FrameOptions[] {
  const frames: FrameOptions[] = [];
  for (let start = 0; start < payload.length; start += size) {
    frames.push({
      opcode: start === 0 ? OPCODE.binary : OPCODE.continuation,
      rsv: start === 0 ? RSV1 : 0,
      isFinal: start + size >= payload.length,
      payload: payload.subarray(start, start + size),
    });
  }
  return frames;
}

for (const [limit, size] of [
  [MIB, MIB],
  [MIB, 50_000],
  [16 * MIB, Infinity],
  [16 * MIB, 100_000],
]) {
  const inPieces = size === Infinity ? "in one frame" : `in fragments of ${size} bytes`;
  test(`H E2: a gibibyte of zeros ${inPieces} stops at the limit of ${limit} bytes (RFC 7692 section 8)`, async (t) => {
    const payload = (await gibibyte).subarray(0, limit);
    const endpoint = new Endpoint("client", { extension: endsOf().client, maxMessageSize: limit });
    const stream = framesTo("client", ...fragments(payload, size));
    const before = process.memoryUsage();
    const start = performance.now();
    endpoint.receive(stream);
    const held = performance.now() - start;
    while (endpoint.protocol.isHeld) await nextTurn();
    const took = performance.now() - start;
    const { rss, arrayBuffers } = process.memoryUsage();
    assert.deepEqual(endpoint.told, [inflatesTooFar(limit)]);
    t.diagnostic(
      `${Math.round(took)} ms, the loop held for ${Math.round(held)} ms at once; ` +
        `rss + ${Math.round((rss - before.rss) / MIB)} MiB, buffers + ${Math.round((arrayBuffers - before.arrayBuffers) / MIB)} MiB`,
    );
    assert(took < 2000, `${took} ms`);
    // The stream, its copy in the assembly, and what was inflated until the limit and a chunk.
    const allowed = 2 * stream.length + 2 * limit + 24 * MIB;
    assert(rss - before.rss < allowed, `rss grew by ${rss - before.rss} bytes`);
  });
}

test("E2: a message may inflate to the limit, and not to one byte more", () => {
  for (const role of ROLES) {
    for (const limit of [100, 64 * 1024, MIB]) {
      const receive = (size: number) => {
        const payload = deflated(new Uint8Array(size));
        const endpoint = new Endpoint(role, { extension: endsOf()[role], maxMessageSize: limit });
        return endpoint.receive(framesTo(role, { opcode: OPCODE.binary, rsv: RSV1, payload }));
      };
      assert.deepEqual(receive(limit), [binary(new Uint8Array(limit))]);
      assert.deepEqual(receive(limit + 1), [inflatesTooFar(limit)]);
    }
  }
});

test("E2: a message in a thread may inflate to the limit, and not to one byte more", async () => {
  const limit = 4 * MIB;
  for (const [size, told] of [
    [limit, [binary(new Uint8Array(limit))]],
    [limit + 1, [inflatesTooFar(limit)]],
  ] as const) {
    const payload = deflated(new Uint8Array(size));
    const endpoint = new Endpoint("client", { extension: endsOf().client, maxMessageSize: limit });
    endpoint.receive(framesTo("client", { opcode: OPCODE.binary, rsv: RSV1, payload }));
    while (endpoint.protocol.isHeld) await nextTurn();
    assert.deepEqual(endpoint.told, told);
  }
});

test("E2: compressed bytes over the limit are refused before any is inflated (RFC 6455 section 7.4.1)", () => {
  for (const role of ROLES) {
    const endpoint = new Endpoint(role, { extension: endsOf()[role], maxMessageSize: 100 });
    const frame = { opcode: OPCODE.text, rsv: RSV1, payload: "", declaredLength: 101 };
    assert.deepEqual(endpoint.receive(framesTo(role, frame)), [tooBig(101, 100)]);
  }
});

test("H: any bytes as a compressed message are a message, or a failure with 1007 or 1009 (RFC 7692 section 7.2.2)", async () => {
  const failures = [
    failure("Expected compressed data (RFC 1951), got other bytes", 1007),
    failure("Expected UTF-8 in a text message, got other bytes", 1007),
    inflatesTooFar(1000),
  ];
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    // Compressed data with one byte changed.
    fc.tuple(fc.nat(400), fc.nat(400), fc.nat(255)).map(([size, place, value]) => {
      const payload = deflated(patterned(size));
      payload[place % payload.length] = value;
      return payload;
    }),
  );
  const opcode = fc.constantFrom(OPCODE.text, OPCODE.binary);
  await fc.assert(
    fc.asyncProperty(opcode, fc.array(bytes, { maxLength: 3 }), async (kind, payloads) => {
      const endpoint = new Endpoint("server", { extension: endsOf().server, maxMessageSize: 1000 });
      for (const payload of payloads) {
        endpoint.receive(framesTo("server", { opcode: kind, rsv: RSV1, payload }));
        while (endpoint.protocol.isHeld) await nextTurn();
      }
      const found = endpoint.told.find(({ type }) => type === "failure");
      if (found === undefined) assert.equal(endpoint.told.length, payloads.length);
      else
        assert(
          failures.some((expected) => sameFailure(expected, found)),
          JSON.stringify(found),
        );
    }),
    { numRuns: 400 },
  );
});

function sameFailure(one: unknown, other: unknown): boolean {
  try {
    assert.deepEqual(one, other);
    return true;
  } catch {
    return false;
  }
}
