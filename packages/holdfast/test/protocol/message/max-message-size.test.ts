import assert from "node:assert/strict";
import { test } from "node:test";
import { closePayload, OPCODE, parseFrame, type FrameOptions } from "holdfast-testkit";
import { MessageTooBigError } from "../../../build/shared/errors.js";
import { closeOf } from "../../../build/protocol/extension.js";
import { byteByByte, Endpoint, frameTo, framesTo, patterned, ROLES } from "../endpoint.js";
import { binary, close, ping, pong, text, tooBig, type Told } from "../recorder.js";

const LIMIT = 100;

const whole = (size: number): FrameOptions => ({ opcode: OPCODE.binary, payload: patterned(size) });
const start = (size: number): FrameOptions => ({ ...whole(size), isFinal: false });
const middle = (size: number): FrameOptions => ({ ...start(size), opcode: OPCODE.continuation });
const last = (size: number): FrameOptions => ({ ...whole(size), opcode: OPCODE.continuation });
const joined = (...sizes: number[]): Told => binary(Buffer.concat(sizes.map(patterned)));

const rows: readonly (readonly [
  title: string,
  frames: readonly FrameOptions[],
  expected: readonly Told[],
])[] = [
  ["exactly the limit passes", [whole(100)], [joined(100)]],
  ["one byte more is refused", [whole(101)], [tooBig(101, LIMIT)]],
  ["the limit in two fragments passes", [start(60), last(40)], [joined(60, 40)]],
  ["one byte more in two fragments is refused", [start(60), last(41)], [tooBig(101, LIMIT)]],
  ["the limit and empty fragments pass", [start(0), middle(100), middle(0), last(0)], [joined(100)]],
  ["the first fragment alone is refused", [start(101), last(0)], [tooBig(101, LIMIT)]],
  ["a fragment after the limit is refused", [start(99), middle(1), last(1)], [tooBig(101, LIMIT)]],
  [
    "each message counts for itself",
    [whole(100), start(100), last(0), whole(100)],
    [joined(100), joined(100), joined(100)],
  ],
  [
    "control frames do not count, though they exceed it by themselves",
    [
      start(50),
      { opcode: OPCODE.ping, payload: patterned(125) },
      { opcode: OPCODE.pong, payload: patterned(125) },
      last(50),
      { opcode: OPCODE.close, payload: closePayload(1000, "a".repeat(123)) },
    ],
    [ping(patterned(125)), pong(patterned(125)), joined(50, 50), close(1000, "a".repeat(123))],
  ],
  [
    "bytes count and not characters",
    [{ opcode: OPCODE.text, payload: Buffer.from("€".repeat(34)) }],
    [tooBig(102, LIMIT)],
  ],
  [
    "as many bytes of text pass",
    [{ opcode: OPCODE.text, payload: Buffer.from("é".repeat(50)) }],
    [text("é".repeat(50))],
  ],
];

for (const [title, frames, expected] of rows) {
  test(`E2: of messages of at most 100 bytes, ${title}`, () => {
    for (const role of ROLES) {
      const stream = framesTo(role, ...frames);
      assert.deepEqual(new Endpoint(role, { maxMessageSize: LIMIT }).receive(stream), expected);
      assert.deepEqual(new Endpoint(role, { maxMessageSize: LIMIT }).receive(byteByByte(stream)), expected);
    }
  });
}

test("E2: what is too big is refused at its header, with both sizes, and 1009 puts them on the wire (RFC 6455 section 7.4.1)", () => {
  for (const role of ROLES) {
    const endpoint = new Endpoint(role, { maxMessageSize: 1_048_576 });
    const bytes = frameTo(role, { opcode: OPCODE.text, declaredLength: 2_000_000 });
    endpoint.receive(bytes.subarray(0, -1));
    assert.deepEqual(endpoint.told, []);
    endpoint.receive(bytes.subarray(-1));
    assert.deepEqual(endpoint.told, [tooBig(2_000_000, 1_048_576)]);

    const reason = "Expected a message of at most 1048576 bytes, got 2000000";
    const failure = new MessageTooBigError(`${reason}.`, 2_000_000, 1_048_576);
    const sent = endpoint.protocol.closeFrame(closeOf(failure));
    assert.deepEqual(parseFrame(sent)?.value.payload, closePayload(1009, reason));
  }
});

test("E2: without a limit a message of 4 MiB passes (RFC 6455 section 10.4)", () => {
  const payload = new Uint8Array(4 * 1024 * 1024).fill(0x61);
  const bytes = frameTo("client", { opcode: OPCODE.binary, payload });
  assert.deepEqual(new Endpoint("client").receive([bytes.subarray(0, 100), bytes.subarray(100)]), [
    binary(payload),
  ]);
});

test("E2: a claim of a huge length takes no memory, with a limit and without (RFC 6455 section 10.4)", () => {
  for (const role of ROLES) {
    for (const maxMessageSize of [null, 1024 * 1024]) {
      for (const declaredLength of [2 ** 31, 2 ** 52, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]) {
        for (const opcode of [OPCODE.text, OPCODE.binary, OPCODE.ping]) {
          const endpoint = new Endpoint(role, { maxMessageSize });
          const chunk = Buffer.from(frameTo(role, { opcode, declaredLength, payload: "12345" }));
          const before = process.memoryUsage().arrayBuffers;
          endpoint.protocol.receive(chunk);
          const grown = process.memoryUsage().arrayBuffers - before;
          assert(grown <= 1024, `${grown} bytes for a claim of ${declaredLength}`);
        }
      }
    }
  }
});

test("E3: a message put together takes no more memory than the limit, and at most twice its own size (RFC 6455 section 5.4)", () => {
  const limit = 100_000;
  for (const size of [1, 255, 256, 257, 40_000, 65_537, 99_999, 100_000]) {
    let [length, memory] = [0, 0];
    const onMessage = (message: string | Uint8Array) => {
      if (typeof message !== "string") [length, memory] = [message.length, message.buffer.byteLength];
    };
    const endpoint = new Endpoint("client", { maxMessageSize: limit }, { onMessage });
    endpoint.receive(byteByByte(frameTo("client", whole(size))));
    assert.equal(length, size);
    assert(memory <= Math.min(limit, Math.max(256, 2 * size)), `${memory} bytes for ${size}`);
  }
});
