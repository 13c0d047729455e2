import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  closePayload,
  frame,
  OPCODE,
  parseFrame,
} from "../../../packages/holdfast/build/testing/raw/frame.js";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe("frame", () => {
  test("builds the examples of RFC 6455 section 5.7", () => {
    const built = [
      frame({ opcode: OPCODE.text, payload: "Hello" }),
      frame({ opcode: OPCODE.text, payload: "Hello", mask: true }),
      frame({ opcode: OPCODE.text, payload: "Hel", isFinal: false }),
      frame({ opcode: OPCODE.continuation, payload: "lo" }),
      frame({ opcode: OPCODE.binary, payload: new Uint8Array(256) }).subarray(0, 4),
      frame({ opcode: OPCODE.binary, payload: new Uint8Array(65_536) }).subarray(0, 10),
    ];
    assert.deepEqual(built.map(hex), [
      "810548656c6c6f",
      "818537fa213d7f9f4d5158",
      "010348656c",
      "80026c6f",
      "827e0100",
      "827f0000000000010000",
    ]);
  });

  test("builds what no sender may send", () => {
    const built = [
      frame({ opcode: 3, rsv: 7, payload: "a" }),
      frame({ opcode: OPCODE.text, payload: "a", lengthEncoding: 16 }),
      frame({ opcode: OPCODE.text, payload: "a", lengthEncoding: 64 }),
      frame({ opcode: OPCODE.binary, declaredLength: 2n ** 63n }),
      frame({ opcode: OPCODE.binary, declaredLength: 100, payload: "a" }),
      frame({ opcode: OPCODE.close, payload: closePayload(1005, "é"), mask: Uint8Array.of(0, 0, 0, 0) }),
    ];
    assert.deepEqual(built.map(hex), [
      "f30161",
      "817e000161",
      "817f000000000000000161",
      "827f8000000000000000",
      "826461",
      "88840000000003edc3a9",
    ]);
  });
});

describe("parseFrame", () => {
  test("reads back what frame() built, and nothing from a part of it", () => {
    for (const size of [0, 125, 126, 65_535, 65_536]) {
      for (const mask of [false, true]) {
        const payload = Uint8Array.from({ length: size }, (_, index) => index % 251);
        const bytes = frame({ opcode: OPCODE.binary, rsv: 4, isFinal: false, payload, mask });
        const value = { opcode: OPCODE.binary, rsv: 4, isFinal: false, payload, isMasked: mask };
        assert.deepEqual(parseFrame(Buffer.concat([bytes, Buffer.from("next")])), {
          value,
          length: bytes.length,
        });
        for (const part of [0, 1, 2, bytes.length - 1]) {
          assert.equal(parseFrame(bytes.subarray(0, Math.min(part, bytes.length - 1))), null);
        }
      }
    }
  });
});
