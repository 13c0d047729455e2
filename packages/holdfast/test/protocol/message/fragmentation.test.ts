import assert from "node:assert/strict";
import { test } from "node:test";
import { closePayload, OPCODE, type FrameOptions } from "holdfast-testkit";
import { byteByByte, cutAt, Endpoint, framesTo, patterned, ROLES } from "../endpoint.js";
import { binary, close, failure, ping, pong, text, type Told } from "../recorder.js";

const {
  text: TEXT,
  binary: BINARY,
  continuation: CONTINUATION,
  ping: PING,
  pong: PONG,
  close: CLOSE,
} = OPCODE;

type Row = readonly [title: string, frames: readonly FrameOptions[], expected: readonly Told[]];

const start = (opcode: number, payload: string): FrameOptions => ({ opcode, payload, isFinal: false });
const middle = (payload: string): FrameOptions => ({ opcode: CONTINUATION, payload, isFinal: false });
const last = (payload: string): FrameOptions => ({ opcode: CONTINUATION, payload });

const UNEXPECTED_CONTINUATION = failure("Expected the first frame of a message, got a continuation.");
const unexpectedStart = (kind: "binary" | "text"): Told =>
  failure(`Expected the next fragment of a message, got the start of another (${kind}).`);

const rows: readonly Row[] = [
  ["fragments make one text", [start(TEXT, "Hel"), middle("lo, "), last("world")], [text("Hello, world")]],
  ["fragments make one binary message", [start(BINARY, "a"), last("b")], [binary("ab")]],
  [
    "messages follow each other, in fragments and whole",
    [start(TEXT, "a"), last("b"), { opcode: BINARY, payload: "c" }, start(BINARY, "d"), last("e")],
    [text("ab"), binary("c"), binary("de")],
  ],
  [
    "control frames between fragments are reported before the message (section 5.4)",
    [
      start(TEXT, "a"),
      { opcode: PING, payload: "1" },
      middle("b"),
      { opcode: PONG, payload: "2" },
      last("c"),
    ],
    [ping("1"), pong("2"), text("abc")],
  ],
  [
    "a Close between fragments ends everything: the message is never reported (section 5.5.1)",
    [start(TEXT, "a"), { opcode: CLOSE, payload: closePayload(1001, "bye") }, last("b")],
    [close(1001, "bye")],
  ],
  ["an empty text", [{ opcode: TEXT }], [text("")]],
  ["an empty binary message", [{ opcode: BINARY }], [binary("")]],
  ["a message of empty fragments", [start(TEXT, ""), middle(""), last("")], [text("")]],
  ["a binary message of empty fragments", [start(BINARY, ""), last("")], [binary("")]],
  [
    "empty fragments before, between and after others",
    [start(TEXT, ""), middle("a"), middle(""), middle("b"), last("")],
    [text("ab")],
  ],
  [
    "a control frame between the empty fragments of a message",
    [start(BINARY, ""), { opcode: PING }, last("")],
    [ping(""), binary("")],
  ],
  ["a continuation without a start is refused", [last("a")], [UNEXPECTED_CONTINUATION]],
  ["a continuation without a start is refused, final or not", [middle("a")], [UNEXPECTED_CONTINUATION]],
  [
    "a continuation after the end of a message is refused",
    [start(TEXT, "a"), last("b"), last("c")],
    [text("ab"), UNEXPECTED_CONTINUATION],
  ],
  [
    "a continuation after a whole message is refused",
    [{ opcode: TEXT, payload: "a" }, last("b")],
    [text("a"), UNEXPECTED_CONTINUATION],
  ],
  [
    "a text inside of a text is refused",
    [start(TEXT, "a"), { opcode: TEXT, payload: "b" }],
    [unexpectedStart("text")],
  ],
  ["a start inside of a text is refused", [start(TEXT, "a"), start(TEXT, "b")], [unexpectedStart("text")]],
  [
    "a binary message inside of one of empty fragments is refused",
    [start(BINARY, ""), middle(""), { opcode: BINARY, payload: "b" }],
    [unexpectedStart("binary")],
  ],
];

for (const [title, frames, expected] of rows) {
  test(`E: ${title} (RFC 6455 section 5.4)`, () => {
    for (const role of ROLES) {
      const stream = framesTo(role, ...frames);
      assert.deepEqual(new Endpoint(role).receive(stream), expected, `to a ${role}, in one chunk`);
      assert.deepEqual(new Endpoint(role).receive(byteByByte(stream)), expected, `to a ${role}, in bytes`);
      for (let place = 1; place < stream.length; place++) {
        assert.deepEqual(new Endpoint(role).receive(cutAt(stream, [place])), expected);
      }
    }
  });
}

test("E3: a message in ten thousand one-byte fragments, empty ones between them, comes out whole (RFC 6455 section 5.4)", () => {
  const payload = patterned(10_000);
  const fragments = Array.from(payload, (byte) => [
    { opcode: CONTINUATION, payload: Uint8Array.of(byte), isFinal: false },
    { opcode: CONTINUATION, isFinal: false },
  ]);
  const stream = framesTo("server", start(BINARY, ""), ...fragments.flat(), last(""));
  assert.deepEqual(new Endpoint("server").receive(stream), [binary(payload)]);
});
