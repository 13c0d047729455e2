import assert from "node:assert/strict";
import { test } from "node:test";
import { closePayload, frame, OPCODE, type FrameOptions } from "holdfast-testkit";
import { byteByByte, cutAt, Endpoint, frameTo, framesTo, ROLES } from "../endpoint.js";
import { close, failure, NOT_TEXT, tooBig, type Told } from "../recorder.js";

const LIMIT = 40;

/** Bytes that would be frames if a client read them as such. */
const DISGUISED = framesTo("client", { opcode: OPCODE.ping, payload: "?" }, { opcode: OPCODE.close });

type Row = readonly [title: string, frames: readonly FrameOptions[], expected: Told];

const rows: readonly Row[] = [
  [
    "a reserved bit",
    [{ opcode: OPCODE.text, rsv: 1, payload: DISGUISED }],
    failure("Expected no reserved bits, got RSV3."),
  ],
  ["an unknown opcode", [{ opcode: 7, payload: DISGUISED }], failure("Expected a known opcode, got 0x7.")],
  [
    "a fragmented Ping",
    [{ opcode: OPCODE.ping, isFinal: false, payload: DISGUISED }],
    failure("Expected a control frame in one piece, got a fragment."),
  ],
  [
    "a fragmented Close",
    [{ opcode: OPCODE.close, isFinal: false, payload: closePayload(1000) }],
    failure("Expected a control frame in one piece, got a fragment."),
  ],
  [
    "a Close of 126 bytes",
    [{ opcode: OPCODE.close, payload: closePayload(1000, "a".repeat(124)) }],
    failure("Expected at most 125 bytes in a control frame, got 126."),
  ],
  [
    "a bad Close",
    [{ opcode: OPCODE.close, payload: closePayload(1006) }],
    failure("Expected a valid close code, got 1006."),
  ],
  [
    "a continuation on its own",
    [{ opcode: OPCODE.continuation, payload: DISGUISED }],
    failure("Expected the first frame of a message, got a continuation."),
  ],
  [
    "a length that is not minimal",
    [{ opcode: OPCODE.text, lengthEncoding: 64, payload: DISGUISED }],
    failure("Expected the payload length in its shortest form, got a longer one."),
  ],
  ["a message that is too big", [{ opcode: OPCODE.text, payload: new Uint8Array(41) }], tooBig(41, LIMIT)],
  [
    "a fragment that is too much",
    [
      { opcode: OPCODE.text, isFinal: false, payload: new Uint8Array(30) },
      { opcode: OPCODE.continuation, isFinal: false, payload: new Uint8Array(30) },
    ],
    tooBig(60, LIMIT),
  ],
  ["a text of other bytes", [{ opcode: OPCODE.text, payload: Buffer.from("ab\xff89", "latin1") }], NOT_TEXT],
  [
    "a fragment of other bytes",
    [
      { opcode: OPCODE.text, isFinal: false, payload: "abc" },
      { opcode: OPCODE.continuation, isFinal: false, payload: Buffer.from("d\xffefg", "latin1") },
    ],
    NOT_TEXT,
  ],
];

/** Everything that a peer may still send before it knows of the failure. */
const LATER: readonly FrameOptions[] = [
  { opcode: OPCODE.continuation, payload: "rest" },
  { opcode: OPCODE.text, payload: "text" },
  { opcode: OPCODE.binary, payload: new Uint8Array(500) },
  { opcode: OPCODE.ping, payload: "ping" },
  { opcode: OPCODE.pong, payload: "pong" },
  { opcode: OPCODE.close, isFinal: false, payload: closePayload(1000) },
  { opcode: OPCODE.close, payload: "1" },
  { opcode: OPCODE.close, payload: closePayload(999) },
  { opcode: OPCODE.close, payload: closePayload(1000, "a".repeat(124)) },
  { opcode: 12, rsv: 5 },
  { opcode: OPCODE.close, payload: closePayload(1002, "you too") },
  { opcode: OPCODE.ping },
  { opcode: OPCODE.close, payload: closePayload(1000) },
];

for (const [title, frames, expected] of rows) {
  test(`D6: after ${title} only a Close is still reported, once (RFC 6455 section 7.1.7)`, () => {
    for (const role of ROLES) {
      const failing = framesTo(role, ...frames);
      const stream = Buffer.concat([failing, framesTo(role, ...LATER)]);
      const whole = [expected, close(1002, "you too")];
      const received = (chunks: readonly Uint8Array[]) =>
        new Endpoint(role, { maxMessageSize: LIMIT }).receive(chunks);
      assert.deepEqual(received([stream]), whole, `to a ${role}, in one chunk`);
      assert.deepEqual(received(byteByByte(stream)), whole, `to a ${role}, in bytes`);
      for (let place = 1; place <= failing.length; place++) {
        assert.deepEqual(received(cutAt(stream, [place])), whole, `to a ${role}, cut at ${place}`);
      }
    }
  });
}

test("D6: a rejected frame fails at its header, and a Close after its payload is reported (RFC 6455 section 7.1.7)", () => {
  const tooLarge = frameTo("client", { opcode: OPCODE.text, payload: new Uint8Array(100_000) });
  const end = frameTo("client", { opcode: OPCODE.close });
  const endpoint = new Endpoint("client", { maxMessageSize: LIMIT });
  const expected = [tooBig(100_000, LIMIT)];
  assert.deepEqual(endpoint.receive(tooLarge.subarray(0, 10)), expected);
  assert.deepEqual(endpoint.receive(tooLarge.subarray(10, 70_000)), expected);
  assert.deepEqual(endpoint.receive([tooLarge.subarray(70_000), end]), [...expected, close(1005)]);
});

test("D6: if the failure is about masks, the following Close is still reported (RFC 6455 section 5.1)", () => {
  for (const role of ROLES) {
    const mask = role !== "server";
    const stream = Buffer.concat([
      frame({ opcode: OPCODE.text, payload: DISGUISED, mask }),
      frame({ opcode: OPCODE.close, payload: closePayload(1001, "bye"), mask }),
    ]);
    const problem =
      role === "server"
        ? "Expected a masked frame from a client, got an unmasked one."
        : "Expected an unmasked frame from a server, got a masked one.";
    const expected = [failure(problem), close(1001, "bye")];
    assert.deepEqual(new Endpoint(role).receive(stream), expected);
    assert.deepEqual(new Endpoint(role).receive(byteByByte(stream)), expected);
  }
});
