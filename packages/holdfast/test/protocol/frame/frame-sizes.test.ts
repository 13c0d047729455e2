import assert from "node:assert/strict";
import { test } from "node:test";
import { OPCODE, type FrameOptions } from "holdfast-testkit";
import { byteByByte, cutAt, Endpoint, frameTo, patterned, ROLES } from "../endpoint.js";
import { binary, failure, text, tooBig } from "../recorder.js";

/** Sizes around each change of the length's encoding. */
const SIZES = [0, 1, 125, 126, 127, 128, 65_535, 65_536, 65_537, 1024 * 1024];

for (const role of ROLES) {
  test(`E: a ${role} reads messages of every size around the boundaries (RFC 6455 section 5.2)`, () => {
    for (const size of SIZES) {
      const payload = patterned(size);
      const letters = "x".repeat(size);
      const frames = [
        frameTo(role, { opcode: OPCODE.binary, payload }),
        frameTo(role, { opcode: OPCODE.text, payload: letters }),
      ];
      const expected = [binary(payload), text(letters)];
      const stream = Buffer.concat(frames);
      assert.deepEqual(new Endpoint(role).receive(stream), expected);
      const places = [1, 2, 3, 4, 9, 10, 13, 14, 15, 130, 65_536, stream.length - 1];
      for (const place of places)
        assert.deepEqual(new Endpoint(role).receive(cutAt(stream, [place])), expected);
      assert.deepEqual(new Endpoint(role).receive(cutAt(stream, places)), expected);
      if (size <= 65_537) assert.deepEqual(new Endpoint(role).receive(byteByByte(stream)), expected);
    }
  });

  test(`H: a ${role} refuses a length that is not in its shortest encoding (RFC 6455 section 5.2)`, () => {
    const refused: readonly FrameOptions[] = [
      { opcode: OPCODE.binary, lengthEncoding: 16, payload: "" },
      { opcode: OPCODE.binary, lengthEncoding: 16, payload: patterned(125) },
      { opcode: OPCODE.binary, lengthEncoding: 64, payload: "" },
      { opcode: OPCODE.binary, lengthEncoding: 64, payload: patterned(126) },
      { opcode: OPCODE.binary, lengthEncoding: 64, payload: patterned(65_535) },
      { opcode: OPCODE.ping, lengthEncoding: 16, payload: "a" },
      { opcode: OPCODE.close, lengthEncoding: 64, payload: "" },
    ];
    const expected = [failure("Expected the payload length in its shortest form, got a longer one.")];
    for (const options of refused) {
      assert.deepEqual(new Endpoint(role).receive(frameTo(role, options)), expected);
    }
  });

  test(`H: a ${role} refuses a length whose first bit is not 0 (RFC 6455 section 5.2)`, () => {
    const expected = [failure("Expected a payload length with a first bit of 0, got 1.")];
    for (const declaredLength of [2n ** 63n, 2n ** 64n - 1n]) {
      const claim = frameTo(role, { opcode: OPCODE.binary, declaredLength });
      assert.deepEqual(new Endpoint(role).receive([claim, frameTo(role, { opcode: OPCODE.ping })]), expected);
    }
  });

  test(`H: a ${role} refuses lengths of 2^53 and more, with a limit and without (RFC 6455 section 5.2)`, () => {
    for (const declaredLength of [2n ** 53n, 2n ** 63n - 1n]) {
      const claim = frameTo(role, { opcode: OPCODE.binary, declaredLength });
      const ping = frameTo(role, { opcode: OPCODE.ping });
      assert.deepEqual(new Endpoint(role, { maxMessageSize: 1000 }).receive([claim, ping]), [
        tooBig(Infinity, 1000, "2^53 or more"),
      ]);
      assert.deepEqual(new Endpoint(role, { maxMessageSize: null }).receive([claim, ping]), [
        tooBig(Infinity, Number.MAX_SAFE_INTEGER, "2^53 or more"),
      ]);
      assert.deepEqual(
        new Endpoint(role).receive([frameTo(role, { opcode: OPCODE.ping, declaredLength }), ping]),
        [failure("Expected at most 125 bytes in a control frame, got 2^53 or more.")],
      );
    }
  });
}
