import assert from "node:assert/strict";
import { test } from "node:test";
import { frame, OPCODE } from "holdfast-testkit";
import {
  FrameParser,
  type FrameHandler,
  UNREADABLE_LENGTH,
} from "../../../build/protocol/frame/frame-parser.js";
import { applyMask } from "../../../build/protocol/frame/masking.js";
import { byteByByte, cutAt, patterned } from "../endpoint.js";

type Call =
  | readonly ["begin", firstByte: number, isMasked: boolean, length: number, isLengthValid: boolean]
  | readonly ["whole" | "piece", string]
  | readonly ["end"];

/** Records each call, with payloads as hex. Refuses frames whose first byte is `refused`. */
class RecordingSink implements FrameHandler {
  readonly isDecoding = false;
  readonly calls: Call[] = [];
  readonly #refused: number | null;

  constructor(refused: number | null) {
    this.#refused = refused;
  }

  beginChunk(): void {
    // Where the payloads lie makes no difference here.
  }

  mayOvertake(): boolean {
    return false;
  }

  beginFrame(firstByte: number, isMasked: boolean, length: number, isLengthValid: boolean): boolean {
    this.calls.push(["begin", firstByte, isMasked, length, isLengthValid]);
    return firstByte !== this.#refused;
  }

  wholePayload(chunk: Buffer, start: number, end: number): void {
    this.calls.push(["whole", chunk.toString("hex", start, end)]);
  }

  payloadPiece(chunk: Buffer, start: number, end: number, key: number): void {
    applyMask(chunk, start, end, key);
    this.calls.push(["piece", chunk.toString("hex", start, end)]);
  }

  endFrame(): void {
    this.calls.push(["end"]);
  }
}

function parse(chunks: readonly Uint8Array[], refused: number | null = null): Call[] {
  const sink = new RecordingSink(refused);
  const parser = new FrameParser(sink);
  for (const chunk of chunks) parser.receive(Buffer.from(chunk));
  return sink.calls;
}

test("E: a payload within one chunk is reported whole, one that spans chunks in pieces (RFC 6455 section 5.2)", () => {
  const bytes = frame({ opcode: OPCODE.text, payload: "Hello", mask: true });
  const begin = ["begin", 0x81, true, 5, true] as const;
  assert.deepEqual(parse([bytes]), [begin, ["whole", "48656c6c6f"]]);
  assert.deepEqual(parse(cutAt(bytes, [5])), [begin, ["whole", "48656c6c6f"]], "cut inside of the header");
  assert.deepEqual(
    parse(cutAt(bytes, [6])),
    [begin, ["piece", "48656c6c6f"], ["end"]],
    "cut after the header",
  );
  assert.deepEqual(parse(cutAt(bytes, [9])), [begin, ["piece", "48656c"], ["piece", "6c6f"], ["end"]]);
  assert.deepEqual(parse(byteByByte(bytes)), [
    begin,
    ...["48", "65", "6c", "6c", "6f"].map((byte) => ["piece", byte] as const),
    ["end"],
  ]);
});

test("E: an empty payload is reported as soon as its header has arrived (RFC 6455 section 5.2)", () => {
  for (const mask of [false, true]) {
    const bytes = frame({ opcode: OPCODE.ping, mask });
    const expected = [
      ["begin", 0x89, mask, 0, true],
      ["whole", ""],
    ];
    assert.deepEqual(parse([bytes]), expected);
    assert.deepEqual(parse(byteByByte(bytes)), expected);
  }
});

test("E: a header cut at any byte, or into single bytes, is read as if it were whole (RFC 6455 section 5.2)", () => {
  for (const [size, headerSize] of [
    [5, 2],
    [126, 4],
    [65_536, 10],
  ] as const) {
    for (const mask of [false, true]) {
      const bytes = frame({ opcode: OPCODE.binary, payload: patterned(size), mask });
      const next = frame({ opcode: OPCODE.ping, payload: "next", mask });
      const stream = Buffer.concat([bytes, next]);
      const uncut = parse([stream]);
      assert.deepEqual(uncut, [
        ["begin", 0x82, mask, size, true],
        ["whole", Buffer.from(patterned(size)).toString("hex")],
        ["begin", 0x89, mask, 4, true],
        ["whole", "6e657874"],
      ]);
      const places = Array.from({ length: headerSize + (mask ? 4 : 0) - 1 }, (_, index) => index + 1);
      for (const place of places) assert.deepEqual(parse(cutAt(stream, [place])), uncut);
      assert.deepEqual(parse(cutAt(stream, places)), uncut);
    }
  }
});

test("E: all sixteen first bytes of an opcode and all reserved bits reach the judge as they came", () => {
  for (let firstByte = 0; firstByte < 256; firstByte++) {
    assert.deepEqual(parse([Uint8Array.of(firstByte, 1, 0x61)]), [
      ["begin", firstByte, false, 1, true],
      ["whole", "61"],
    ]);
  }
});

test("H: a length is reported together with whether its encoding is the shortest (RFC 6455 section 5.2)", () => {
  const told = (declaredLength: number | bigint, lengthEncoding: "minimal" | 16 | 64) =>
    parse([frame({ opcode: OPCODE.binary, declaredLength, lengthEncoding })])[0];
  const begin = (length: number, isLengthValid: boolean) => ["begin", 0x82, false, length, isLengthValid];
  assert.deepEqual(
    [told(0, 16), told(125, 16), told(126, 16), told(65_535, 16)],
    [begin(0, false), begin(125, false), begin(126, true), begin(65_535, true)],
  );
  assert.deepEqual(
    [told(0, 64), told(125, 64), told(65_535, 64), told(65_536, 64)],
    [begin(0, false), begin(125, false), begin(65_535, false), begin(65_536, true)],
  );
  assert.deepEqual(
    [2n ** 32n - 1n, 2n ** 32n, 2n ** 32n + 5n, 2n ** 53n - 1n].map((length) => told(length, 64)),
    [4_294_967_295, 4_294_967_296, 4_294_967_301, Number.MAX_SAFE_INTEGER].map((size) => begin(size, true)),
  );
});

test("H: for a length of 2^53 or more only the header is reported, and nothing after it (RFC 6455 section 5.2)", () => {
  for (const length of [2n ** 53n, 2n ** 62n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n]) {
    for (const mask of [false, true]) {
      const header = frame({ opcode: OPCODE.binary, declaredLength: length, mask });
      const stream = Buffer.concat([header, frame({ opcode: OPCODE.ping, payload: "next", mask })]);
      const expected = [["begin", 0x82, mask, UNREADABLE_LENGTH, length < 2n ** 63n]];
      assert.deepEqual(parse([stream]), expected);
      assert.deepEqual(parse(byteByByte(stream)), expected);
    }
  }
});

test("E: no part of a rejected payload is reported, however it is split, and the next frame is (RFC 6455 section 5.2)", () => {
  for (const size of [0, 1, 200]) {
    const refused = frame({ opcode: OPCODE.text, payload: patterned(size), mask: true });
    const next = frame({ opcode: OPCODE.ping, payload: "next", mask: true });
    const stream = Buffer.concat([refused, next]);
    const expected = [
      ["begin", 0x81, true, size, true],
      ["begin", 0x89, true, 4, true],
      ["whole", "6e657874"],
    ];
    for (let place = 0; place <= refused.length; place++) {
      assert.deepEqual(parse(cutAt(stream, [place]), 0x81), expected);
    }
  }
});
