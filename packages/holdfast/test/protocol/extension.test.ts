import assert from "node:assert/strict";
import { test } from "node:test";
import { OPCODE, type FrameOptions } from "holdfast-testkit";
import { FIN, PING } from "../../build/shared/opcode.js";
import { MessageTooBigError, ProtocolError } from "../../build/shared/errors.js";
import type { MessageExtension } from "../../build/protocol/extension.js";
import type { Protocol } from "../../build/protocol/protocol.js";
import { byteByByte, cutAt, Endpoint, encoderOf, framesTo, patterned, ROLES } from "./endpoint.js";
import { binary, close, failure, NOT_TEXT, ping, text, tooBig, type Told } from "./recorder.js";

const RSV1 = 4;
const RSV2 = 2;

/** Inverts each byte and appends their number (modulo 256). Leaves messages of fewer than three bytes unencoded. */
const TURNING: MessageExtension = {
  name: "x-turning",
  reservedBits: 0x40,
  threshold: 0,
  maxEncodedSize: (size) => size + 1,
  encode: (payload) => (payload.length < 3 ? null : turned(payload)),
  decode(payload) {
    const content = payload.subarray(0, -1).map((byte) => byte ^ 0xff);
    const isWhole = payload.length > 0 && payload.at(-1) === content.length % 256;
    return isWhole ? content : new ProtocolError("Expected the number of bytes at the end", 1002);
  },
};

/** Uses two reserved bits, and decodes each byte to ten. */
const GROWING: MessageExtension = {
  name: "x-growing",
  reservedBits: 0x60,
  threshold: 0,
  maxEncodedSize: (size) => size,
  encode: () => null,
  decode(payload, maxSize) {
    const size = payload.length * 10;
    if (size <= maxSize) return Uint8Array.from([...payload].flatMap((byte) => Array<number>(10).fill(byte)));
    return new MessageTooBigError(
      `Expected a message of at most ${maxSize} bytes, got ${size}.`,
      size,
      maxSize,
    );
  },
};

function turned(content: Uint8Array | string): Uint8Array {
  const payload = Buffer.from(content);
  return Uint8Array.from([...payload.map((byte) => byte ^ 0xff), payload.length % 256]);
}

type Row = readonly [
  title: string,
  extension: MessageExtension | null,
  frames: readonly FrameOptions[],
  expected: readonly Told[],
];

const whole = (payload: Uint8Array | string, rsv = RSV1): FrameOptions => ({
  opcode: OPCODE.text,
  rsv,
  payload,
});
const start = (payload: Uint8Array | string, rsv = RSV1): FrameOptions => ({
  ...whole(payload, rsv),
  isFinal: false,
});
const last = (payload: Uint8Array | string, rsv = 0): FrameOptions => ({
  opcode: OPCODE.continuation,
  rsv,
  payload,
});

/** A frame that is not a promise. */
function encoded(protocol: Protocol, opcode: number, payload: Uint8Array): Uint8Array {
  const bytes = protocol.encode(payload);
  assert(!(bytes instanceof Promise));
  return bytes === null
    ? protocol.frame(FIN | opcode, payload)
    : protocol.frame(protocol.encodedByte(opcode), bytes);
}

const HELLO = turned("Hello");
const NO_RSV1 = failure("Expected no reserved bits, got RSV1.");

const rows: readonly Row[] = [
  ["decodes a text", TURNING, [whole(HELLO)], [text("Hello")]],
  [
    "decodes a binary message",
    TURNING,
    [{ opcode: OPCODE.binary, rsv: RSV1, payload: HELLO }],
    [binary("Hello")],
  ],
  ["decodes an empty message", TURNING, [whole(turned(""))], [text("")]],
  [
    "decodes a message from all its fragments, with a Ping between them",
    TURNING,
    [start(HELLO.subarray(0, 2)), { opcode: OPCODE.ping }, last(HELLO.subarray(2))],
    [ping(""), text("Hello")],
  ],
  ["decodes after an empty first fragment", TURNING, [start(""), last(HELLO)], [text("Hello")]],
  [
    "leaves messages without the bit alone, before and after others",
    TURNING,
    [whole("a", 0), whole(HELLO), whole("b", 0), start(HELLO), last(""), start("c", 0), last("d")],
    [text("a"), text("Hello"), text("b"), text("Hello"), text("cd")],
  ],
  ["checks the decoded bytes of a text", TURNING, [whole(turned(Uint8Array.of(0x61, 0xff)))], [NOT_TEXT]],
  ["does not check the encoded bytes of a text", TURNING, [start(turned("é")), last("")], [text("é")]],
  [
    "fails the connection for what it cannot decode, and hears no more but the Close",
    TURNING,
    [whole("nonsense"), whole(HELLO), { opcode: OPCODE.ping }, { opcode: OPCODE.close }],
    [failure("Expected the number of bytes at the end"), close(1005)],
  ],
  ["refuses its bit on a continuation", TURNING, [start(HELLO), last("", RSV1)], [NO_RSV1]],
  ["refuses its bit on a Ping", TURNING, [{ opcode: OPCODE.ping, rsv: RSV1 }], [NO_RSV1]],
  ["refuses its bit on a Pong", TURNING, [{ opcode: OPCODE.pong, rsv: RSV1 }], [NO_RSV1]],
  ["refuses its bit on a Close", TURNING, [{ opcode: OPCODE.close, rsv: RSV1 }], [NO_RSV1]],
  [
    "refuses a bit that is not its own",
    TURNING,
    [whole(HELLO, RSV2)],
    [failure("Expected no reserved bits, got RSV2.")],
  ],
  [
    "refuses a bit that is not its own beside one that is",
    TURNING,
    [whole(HELLO, RSV1 | RSV2)],
    [failure("Expected no reserved bits, got RSV1, RSV2.")],
  ],
  ["that was not negotiated leaves no bit allowed", null, [whole(HELLO)], [NO_RSV1]],
  [
    "with two bits may have either or both set",
    GROWING,
    [whole("a", RSV1), whole("b", RSV2), whole("c", RSV1 | RSV2)],
    [text("a".repeat(10)), text("b".repeat(10)), text("c".repeat(10))],
  ],
  ["is held to the limit by what comes out of it", GROWING, [whole("a".repeat(11))], [tooBig(110, 100)]],
  [
    "may use the limit up",
    GROWING,
    [start("a".repeat(5)), last("b".repeat(5))],
    [text("a".repeat(50) + "b".repeat(50))],
  ],
  [
    "is held to the limit by what goes into it",
    GROWING,
    [whole("a".repeat(101))],
    [
      {
        type: "failure",
        failure: new MessageTooBigError(
          "Expected a message of at most 100 bytes, got 101 encoded ones.",
          101,
          100,
        ),
      },
    ],
  ],
  [
    "that makes messages longer may use the limit up as well",
    TURNING,
    [whole(turned("a".repeat(100))), start(turned("b".repeat(100))), last("")],
    [text("a".repeat(100)), text("b".repeat(100))],
  ],
];

for (const [title, extension, frames, expected] of rows) {
  test(`E: an extension ${title} (RFC 6455 section 9)`, () => {
    for (const role of ROLES) {
      const stream = framesTo(role, ...frames);
      const received = (chunks: readonly Uint8Array[]) =>
        new Endpoint(role, { extension, maxMessageSize: 100 }).receive(chunks);
      assert.deepEqual(received([stream]), expected);
      assert.deepEqual(received(byteByByte(stream)), expected);
      for (let place = 1; place < stream.length; place++)
        assert.deepEqual(received(cutAt(stream, [place])), expected);
    }
  });
}

test("E: messages that an extension encoded are sent with its bit, others without (RFC 6455 section 9)", () => {
  for (const role of ROLES) {
    const { protocol } = new Endpoint(role, { extension: TURNING });
    const plain = encoderOf(role);
    const sent = [
      encoded(protocol, OPCODE.text, Buffer.from("Hello")),
      encoded(protocol, OPCODE.text, Buffer.from("Hi")),
      encoded(protocol, OPCODE.binary, patterned(300)),
      encoded(protocol, OPCODE.binary, new Uint8Array()),
      protocol.frame(FIN | PING, Buffer.from("Hello")),
      protocol.closeFrame({ code: 1000, reason: "Hello" }),
    ];
    assert.deepEqual(sent, [
      plain.frame(0xc1, HELLO),
      plain.frame(0x81, Buffer.from("Hi")),
      plain.frame(0xc2, turned(patterned(300))),
      plain.frame(0x82, new Uint8Array()),
      plain.frame(0x89, Buffer.from("Hello")),
      plain.frame(0x88, Buffer.from("\x03\xe8Hello", "latin1")),
    ]);
  }
});

test("E: two ends with the same extension understand each other, whatever the cuts (RFC 6455 section 9)", () => {
  for (const [role, peerRole] of [["client", "server"] as const, ["server", "client"] as const]) {
    const { protocol } = new Endpoint(role, { extension: TURNING });
    const stream = Buffer.concat([
      encoded(protocol, OPCODE.text, Buffer.from("Hello, é€😀")),
      encoded(protocol, OPCODE.binary, patterned(70_000)),
      encoded(protocol, OPCODE.text, Buffer.from("Hi")),
      protocol.frame(FIN | PING, Buffer.from("?")),
      encoded(protocol, OPCODE.text, Buffer.from("")),
    ]);
    const expected = [text("Hello, é€😀"), binary(patterned(70_000)), text("Hi"), ping("?"), text("")];
    for (const chunks of [[stream], cutAt(stream, [1, 5, 20, 40_000]), byteByByte(stream)]) {
      assert.deepEqual(new Endpoint(peerRole, { extension: TURNING }).receive(chunks), expected);
    }
  }
});
