import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { frame, OPCODE } from "holdfast-testkit";
import { FrameMirror } from "../../../build/protocol/frame/frame-mirror.js";
import type { ObservedFrame } from "../../../build/shared/observed-frame.js";

function shownOf(chunks: readonly Uint8Array[], preface?: number): readonly ObservedFrame[] {
  const shown: ObservedFrame[] = [];
  const mirror = new FrameMirror((one) => shown.push(one), preface);
  for (const chunk of chunks) mirror.push(chunk);
  return shown;
}

function splitAt(bytes: Uint8Array, cuts: readonly number[]): readonly Uint8Array[] {
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
}

const aFrame = fc.record({
  opcode: fc.constantFrom(0, 1, 2, 3, 8, 9, 10, 15),
  isFinal: fc.boolean(),
  rsv: fc.constantFrom(0, 4),
  mask: fc.boolean(),
  payload: fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ minLength: 4090, maxLength: 5000 })),
});

describe("A mirror of frames", () => {
  test("J1, J2: shows each frame once, in order, however its bytes are cut, and leaves the bytes alone (RFC 6455 section 5.2)", () => {
    fc.assert(
      fc.property(
        fc.array(aFrame, { maxLength: 5 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        (frames, cuts) => {
          const bytes = Buffer.concat(frames.map((one) => frame(one)));
          const before = Buffer.from(bytes);
          assert.deepEqual(
            shownOf(splitAt(bytes, cuts)),
            frames.map(({ opcode, isFinal, rsv, payload }) => ({
              opcode,
              isFinal,
              isCompressed: rsv === 4,
              length: payload.length,
              payload: new Uint8Array(payload.subarray(0, 4096)),
            })),
          );
          assert.deepEqual(bytes, before);
        },
      ),
    );
  });

  test("J1, J2: keeps no more of a large frame than it shows", () => {
    const piece = Buffer.alloc(64 * 1024, 7);
    const header = frame({ opcode: OPCODE.binary, declaredLength: 1024 * piece.length });
    const shown: ObservedFrame[] = [];
    const mirror = new FrameMirror((one) => shown.push(one));
    mirror.push(header);
    for (let index = 0; index < 1024; index++) mirror.push(piece);
    assert.deepEqual(
      shown.map(({ length, payload }) => [length, payload.length, payload.buffer.byteLength]),
      [[64 * 1024 * 1024, 4096, 4096]],
    );
  });

  test("J1, J2: begins after the response to an upgrade, wherever that is split", () => {
    const bytes = Buffer.concat([
      Buffer.from("HTTP/1.1 101 \r\n\r\n"),
      frame({ opcode: OPCODE.text, payload: "x" }),
    ]);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const shown = shownOf(splitAt(bytes, [cut]), 17);
      assert.deepEqual(
        shown.map(({ opcode, length }) => [opcode, length]),
        [[OPCODE.text, 1]],
      );
    }
  });

  test("J1, J2: shows a frame of 2^53 bytes or more, although its end will never come", () => {
    const bytes = frame({ opcode: OPCODE.binary, declaredLength: 2n ** 63n });
    assert.deepEqual(shownOf([bytes, Buffer.alloc(100)]), [
      { opcode: 2, isFinal: true, isCompressed: false, length: Infinity, payload: new Uint8Array() },
    ]);
  });
});
