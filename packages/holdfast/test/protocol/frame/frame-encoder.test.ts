import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { frame, OPCODE, parseFrame, SeededRandom } from "holdfast-testkit";
import { FrameEncoder } from "../../../build/protocol/frame/frame-encoder.js";
import { MaskKeys } from "../../../build/protocol/frame/mask-keys.js";
import { FIN, MAX_HEADER_SIZE } from "../../../build/shared/opcode.js";
import { anyString, anyText } from "../arbitraries.js";
import { Endpoint, encoderOf, patterned, ROLES } from "../endpoint.js";

const SIZES = [0, 1, 125, 126, 127, 128, 65_535, 65_536, 65_537, 1024 * 1024];

/** The mask of the nth frame of an encoder with the seed 1; false for a server. */
function maskOf(role: "client" | "server", index = 0): Uint8Array | false {
  const pool = new SeededRandom(1).bytes(8192);
  return role === "client" && pool.slice(index * 4, index * 4 + 4);
}

for (const role of ROLES) {
  test(`E: a ${role}'s frames of every size are those of the RFC, in the shortest encoding (RFC 6455 section 5.2)`, () => {
    const encoder = encoderOf(role);
    for (const [index, size] of SIZES.entries()) {
      const payload = patterned(size);
      const bytes = encoder.frame(FIN | OPCODE.binary, payload);
      const expected = frame({ opcode: OPCODE.binary, payload, mask: maskOf(role, index) });
      assert.deepEqual(Uint8Array.from(bytes), expected);
      assert.deepEqual(parseFrame(bytes), {
        value: { opcode: OPCODE.binary, isFinal: true, rsv: 0, isMasked: role === "client", payload },
        length: encoder.frameSize(size),
      });
    }
  });

  test(`E: what a ${role} writes into given memory equals the frame made on its own, and touches nothing around it`, () => {
    for (const size of SIZES) {
      const payload = patterned(size);
      const plain = encoderOf(role).frame(FIN | OPCODE.binary, payload);
      const target = Buffer.alloc(plain.length + 11, 0xee);
      const end = encoderOf(role).writeFrame(target, 5, FIN | OPCODE.binary, payload);
      assert.equal(end, 5 + plain.length);
      assert.deepEqual(target, Buffer.concat([Buffer.alloc(5, 0xee), plain, Buffer.alloc(6, 0xee)]));
    }
  });

  test(`E: a ${role}'s text written in one pass equals the plain way where bytes and characters differ in number`, () => {
    const letters = ["a", "é", "€", "😀", "\ud800", "\udc00"];
    const counts = [0, 1, 41, 42, 62, 63, 125, 126, 21_845, 21_846, 32_767, 32_768, 65_535, 65_536];
    for (const letter of letters) {
      for (const count of counts) assertSameText(role, letter.repeat(count));
    }
  });

  test(`E: for any text, a ${role}'s writeText equals sendText, and the other end reads it back`, () => {
    const content = fc.oneof(anyText(200), anyString(150));
    fc.assert(fc.property(content, (text) => assertSameText(role, text)));
  });
}

test("E: a server's header alone is that of the whole frame (RFC 6455 section 5.2)", () => {
  for (const size of [...SIZES, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 52 + 1]) {
    const target = Buffer.alloc(MAX_HEADER_SIZE + 2, 0xee);
    const encoder = encoderOf("server");
    const end = encoder.writeHeader(target, 1, FIN | OPCODE.text, size);
    const header = frame({ opcode: OPCODE.text, declaredLength: size });
    const rest = Buffer.alloc(target.length - end, 0xee);
    assert.deepEqual(target, Buffer.concat([Buffer.of(0xee), header, rest]));
    assert.equal(encoder.frameSize(size), header.length + size);
  }
});

test("H: each frame of a client takes the next key, and a key of zeros is sent as such (RFC 6455 section 5.3)", () => {
  const encoder = encoderOf("client");
  const sent = Array.from({ length: 3000 }, () => encoder.frame(FIN | OPCODE.text, Buffer.from("Hello")));
  const received = sent.map((bytes) => Buffer.from(parseFrame(bytes)?.value.payload ?? []).toString());
  assert.deepEqual(new Set(received), new Set(["Hello"]));
  assert.equal(new Set(sent.map((bytes) => bytes.readUInt32BE(2))).size, 3000);

  const zeros = new FrameEncoder(new MaskKeys((target) => target.fill(0)));
  assert.deepEqual(
    Uint8Array.from(zeros.frame(FIN | OPCODE.text, Buffer.from("Hello"))),
    frame({ opcode: OPCODE.text, payload: "Hello", mask: new Uint8Array(4) }),
  );
});

/** `writeText` at an odd place, `sendText` and the testkit's frame give the same bytes; the testkit reads them. */
function assertSameText(role: "client" | "server", content: string): void {
  const encoder = encoderOf(role);
  const target = Buffer.alloc(3 + encoder.maxTextFrameSize(content.length), 0xee);
  const end = encoder.writeText(target, 3, content);
  const written = target.subarray(3, end);
  const payload = new TextEncoder().encode(content);
  const expected = frame({ opcode: OPCODE.text, payload, mask: maskOf(role) });
  assert.deepEqual(Uint8Array.from(written), expected);
  assert.deepEqual(Uint8Array.from(new Endpoint(role).protocol.textFrame(content)), expected);
  assert.deepEqual(parseFrame(written)?.value.payload, payload);
  assert.deepEqual(target.subarray(0, 3), Buffer.alloc(3, 0xee));
}
