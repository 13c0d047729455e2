import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { constants, createDeflateRaw, deflateRawSync, type ZlibOptions } from "node:zlib";
import fc from "fast-check";
import { OPCODE, processorTime, type FrameOptions } from "holdfast-testkit";
import { patterned, Endpoint, framesTo, ROLES } from "../endpoint.js";
import { binary, failure } from "../recorder.js";
import { MessageTooBigError, ProtocolError } from "../../../build/shared/errors.js";
import { decoded, endsOf, inflatesTooFar } from "./agreements.js";
import { contentOf } from "./contents.js";

const MIB = 1024 * 1024;
const RSV1 = 4;

/** Zeros, deflated at the fastest level: six megabytes for a gibibyte. */
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

/** The message as sent, without the empty block at the end (RFC 7692 section 7.2.1). */
function deflated(content: Uint8Array, options: ZlibOptions = {}): Buffer {
  const bytes = deflateRawSync(content, { finishFlush: constants.Z_SYNC_FLUSH, ...options });
  return options.finishFlush === constants.Z_FINISH ? bytes : bytes.subarray(0, -4);
}

const NOT_COMPRESSED = new ProtocolError(
  "Expected compressed data (RFC 1951) of whole blocks, got other bytes.",
  1007,
);

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
    const [start, startOfWork] = [performance.now(), processorTime()];
    endpoint.receive(stream);
    const held = performance.now() - start;
    while (endpoint.protocol.isDecoding) await nextTurn();
    const took = performance.now() - start;
    const work = processorTime() - startOfWork;
    const { rss, arrayBuffers } = process.memoryUsage();
    assert.deepEqual(endpoint.told, [inflatesTooFar(limit)]);
    t.diagnostic(
      `${Math.round(took)} ms, the loop held for ${Math.round(held)} ms at once; ` +
        `rss + ${Math.round((rss - before.rss) / MIB)} MiB, buffers + ${Math.round((arrayBuffers - before.arrayBuffers) / MIB)} MiB`,
    );
    assert(work < 2000, `${work} ms of a processor`);
    // The stream, its copy in the message buffer, and the inflated data up to the limit plus a chunk.
    const allowed = 2 * stream.length + 2 * limit + 24 * MIB;
    assert(rss - before.rss < allowed, `rss grew by ${rss - before.rss} bytes`);
  });
}

test("E2: a message may inflate to the limit, and not to one byte more", () => {
  for (const role of ROLES) {
    for (const limit of [100, 64 * 1024, 512 * 1024]) {
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
  const rows = [512 * 1024 + 1, MIB, 4 * MIB].flatMap((limit) => [
    [limit, limit, [binary(new Uint8Array(limit))]] as const,
    [limit, limit + 1, [inflatesTooFar(limit)]] as const,
  ]);
  for (const [limit, size, told] of rows) {
    const payload = deflated(new Uint8Array(size));
    const endpoint = new Endpoint("client", { extension: endsOf().client, maxMessageSize: limit });
    endpoint.receive(framesTo("client", { opcode: OPCODE.binary, rsv: RSV1, payload }));
    while (endpoint.protocol.isDecoding) await nextTurn();
    assert.deepEqual(endpoint.told, told);
  }
});

test("E2: the limit counts the bytes of the message: compressed it may be larger, as the worst encoder makes it", () => {
  const noise = contentOf("noise", 100_000);
  const strategies = [
    { level: 0 },
    { memLevel: 1 },
    { strategy: constants.Z_FIXED },
    { strategy: constants.Z_HUFFMAN_ONLY },
  ];
  for (const role of ROLES) {
    for (const size of [1, 10, 100, 1000, 100_000]) {
      const message = noise.subarray(0, size);
      for (const strategy of strategies) {
        const payload = deflated(message, strategy);
        assert(payload.length > size);
        const endpoint = new Endpoint(role, { extension: endsOf()[role], maxMessageSize: size });
        const frames = fragments(payload, 1 + Math.ceil(payload.length / 3));
        assert.deepEqual(endpoint.receive(framesTo(role, ...frames)), [binary(message)]);
      }
    }
  }
});

test("E2: compressed bytes far over the limit are refused before any is inflated (RFC 6455 section 7.4.1)", () => {
  for (const role of ROLES) {
    for (const [limit, most] of [
      [100, 179],
      [MIB, 1_196_096],
    ] as const) {
      const frame = { opcode: OPCODE.text, rsv: RSV1, payload: "", declaredLength: most + 1 };
      const endpoint = new Endpoint(role, { extension: endsOf()[role], maxMessageSize: limit });
      const message = `Expected a message of at most ${limit} bytes, got ${most + 1} encoded ones.`;
      assert.deepEqual(endpoint.receive(framesTo(role, frame)), [
        { type: "failure", failure: new MessageTooBigError(message, most + 1, limit) },
      ]);
      const allowed = new Endpoint(role, { extension: endsOf()[role], maxMessageSize: limit });
      assert.deepEqual(allowed.receive(framesTo(role, { ...frame, declaredLength: most })), []);
    }
  }
});

test("E8: a truncated message fails the connection with 1007 (RFC 7692 section 7.2.2)", async () => {
  for (const [kind, strategy] of [
    ["text", {}],
    ["text", { strategy: constants.Z_FIXED }],
    ["text", { level: 0 }],
    ["text", { finishFlush: constants.Z_FINISH }],
    ["noise", {}],
    ["zeros", {}],
  ] as const) {
    const message = contentOf(kind, 300);
    const payload = deflated(message, strategy);
    // Of a block with BFINAL set all but its last byte is a part; behind other blocks stands the header of another.
    for (let length = 1; length < payload.length; length++) {
      const end = endsOf().client;
      const result = await decoded(end, payload.subarray(0, length), 1000);
      // A header of an empty block is a message of its own, and the start of a block without compression looks so.
      const looksEmpty = length === 1 && payload[0] === 0;
      if (looksEmpty) assert.deepEqual(result, Uint8Array.of());
      else assert.deepEqual(result, NOT_COMPRESSED, `${kind}, ${length} of ${payload.length} bytes`);
    }
    assert.deepEqual(await decoded(endsOf().client, payload, 1000), Uint8Array.from(message));
  }
});

test("E8: a truncated message in a thread fails the connection too", async () => {
  const payload = deflated(contentOf("text", 100_000));
  const large = Buffer.concat(
    Array.from({ length: 20 }, () => Buffer.concat([payload, Buffer.of(0, 0, 255, 255)])),
  );
  const endpoint = (length: number) => {
    const end = new Endpoint("client", { extension: endsOf().client, maxMessageSize: 16 * MIB });
    const frame = { opcode: OPCODE.binary, rsv: RSV1, payload: large.subarray(0, length) };
    end.receive(framesTo("client", frame));
    assert(end.protocol.isDecoding);
    return end;
  };
  for (const [length, told] of [
    [large.length, [binary(Buffer.concat(Array<Uint8Array>(20).fill(contentOf("text", 100_000))))]],
    [large.length - 10, [failure(NOT_COMPRESSED.message, 1007)]],
  ] as const) {
    const end = endpoint(length);
    while (end.protocol.isDecoding) await nextTurn();
    assert.deepEqual(end.told, told);
  }
});

test("H: any bytes as a compressed message give a message, or a failure with 1007 or 1009 (RFC 7692 section 7.2.2)", async () => {
  const failures = [
    failure(NOT_COMPRESSED.message, 1007),
    failure("Expected UTF-8 in a text message, got other bytes.", 1007),
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
        while (endpoint.protocol.isDecoding) await nextTurn();
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
