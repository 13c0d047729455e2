import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { OPCODE, type FrameOptions } from "holdfast-testkit";
import { deflateRawSync } from "node:zlib";
import { Endpoint, byteByByte, framesTo, ROLES } from "../endpoint.js";
import { binary, failure, NOT_TEXT, ping, text, type Told } from "../recorder.js";
import { deflate } from "../../../build/protocol/deflate/deflate.js";
import { PlaintextWindow } from "../../../build/protocol/deflate/plaintext-window.js";
import { endsOf, inflatesTooFar, TUNING } from "./agreements.js";

const RSV1 = 4;
const hex = (digits: string): Uint8Array => Buffer.from(digits.replaceAll(" ", ""), "hex");
const first = (digits: string, isFinal = true): FrameOptions => ({
  opcode: OPCODE.text,
  rsv: RSV1,
  payload: hex(digits),
  isFinal,
});
const next = (digits: string, isFinal = true): FrameOptions => ({
  opcode: OPCODE.continuation,
  payload: hex(digits),
  isFinal,
});

type Row = readonly [title: string, frames: readonly FrameOptions[], told: readonly Told[]];

const HELLO = "f2 48 cd c9 c9 07 00";
const NOT_COMPRESSED = failure("Expected compressed data (RFC 1951) of whole blocks, got other bytes.", 1007);

const LIMIT = 200;
/** As many bytes in a block with BFINAL set. */
const FULL = deflateRawSync("a".repeat(LIMIT)).toString("hex");

const rows: readonly Row[] = [
  ["one block (RFC 7692 section 7.2.3.1)", [first(HELLO)], [text("Hello")]],
  [
    "a fragmented message, with a Ping between (RFC 7692 section 7.2.3.1)",
    [first("f2 48 cd", false), { opcode: OPCODE.ping }, next("c9 c9 07 00")],
    [ping(""), text("Hello")],
  ],
  [
    "a window that is taken over (RFC 7692 section 7.2.3.2)",
    [first(HELLO), first("f2 00 11 00 00")],
    [text("Hello"), text("Hello")],
  ],
  [
    "a window that is not used (RFC 7692 section 7.2.3.2)",
    [first(HELLO), first(HELLO)],
    [text("Hello"), text("Hello")],
  ],
  [
    "an uncompressed message between, which the window does not remember (RFC 7692 section 6)",
    [first(HELLO), { opcode: OPCODE.text, payload: "World" }, first("f2 00 11 00 00")],
    [text("Hello"), text("World"), text("Hello")],
  ],
  [
    "a block without compression (RFC 7692 section 7.2.3.3)",
    [first("00 05 00 fa ff 48 65 6c 6c 6f 00")],
    [text("Hello")],
  ],
  ["a block with BFINAL set (RFC 7692 section 7.2.3.4)", [first("f3 48 cd c9 c9 07 00 00")], [text("Hello")]],
  [
    "blocks with BFINAL set, in one message after another (RFC 7692 section 7.2.3.4)",
    [first("f3 48 cd c9 c9 07 00 00"), first("f2 00 11 00 00"), first("f3 48 cd c9 c9 07 00 00")],
    [text("Hello"), text("Hello"), text("Hello")],
  ],
  [
    "blocks that follow one with BFINAL set, in its window (RFC 7692 section 7.2.1)",
    [first("f3 48 cd c9 c9 07 00 f2 00 11 00 00")],
    [text("HelloHello")],
  ],
  [
    "only compressed data after a block with BFINAL set (RFC 7692 section 7.2.1)",
    [first("f3 48 cd c9 c9 07 00 ff ff ff")],
    [NOT_COMPRESSED],
  ],
  [
    "64 blocks with BFINAL set, in one message (RFC 7692 section 7.2.1)",
    [first("4b 04 00".repeat(63) + "4b 04 00 00")],
    [text("a".repeat(64))],
  ],
  [
    "no more of them, for each costs as much as a message",
    [first("03 00".repeat(40), false), next("03 00".repeat(40))],
    [NOT_COMPRESSED],
  ],
  [
    "blocks with BFINAL set up to the limit",
    [first(`${FULL} 03 00 00`), first(`${FULL} ${HELLO}`)],
    [text("a".repeat(LIMIT)), inflatesTooFar(LIMIT)],
  ],
  [
    "two blocks (RFC 7692 section 7.2.3.5)",
    [first("f2 48 05 00 00 00 ff ff ca c9 c9 07 00")],
    [text("Hello")],
  ],
  ["an empty message (RFC 7692 section 7.2.3.6)", [first("00")], [text("")]],
  ["an empty message in fragments", [first("", false), next("", false), next("00")], [text("")]],
  ["an empty message without even its one byte, as zlib flushes nothing twice", [first("")], [text("")]],
  [
    "a message of which the sender did not remove the empty block (RFC 7692 section 7.2.1)",
    [first(`${HELLO} 00 00 ff ff`), first("f2 00 11 00 00")],
    [text("Hello"), text("Hello")],
  ],
  [
    "a message whose empty block has BFINAL set (RFC 7692 section 7.2.3.4)",
    [first("f2 48 cd c9 c9 07 04"), first("f2 00 11 00 00"), first("01")],
    [text("Hello"), text("Hello"), text("")],
  ],
  [
    "a block with BFINAL set, and nothing after it",
    [first("f3 48 cd c9 c9 07 00"), first("f2 00 11 00 00")],
    [text("Hello"), text("Hello")],
  ],
  [
    "a block without compression that holds what a sender removes (RFC 7692 section 7.2.1)",
    [
      { ...first("00 04 00 fb ff 00 00 ff ff 00"), opcode: OPCODE.binary },
      { ...first("00 04 00 fb ff 00 00 ff ff 01"), opcode: OPCODE.binary },
    ],
    [binary(hex("00 00 ff ff")), binary(hex("00 00 ff ff"))],
  ],
  ["no message that is cut off in a block of fixed codes", [first("f2 48 cd c9")], [NOT_COMPRESSED]],
  ["no message that is cut off in its last block", [first("f3 48 cd")], [NOT_COMPRESSED]],
  [
    "no message that is cut off in a block without compression",
    [first("00 05 00 fa ff 48 65")],
    [NOT_COMPRESSED],
  ],
  [
    "no message that is cut off where the content of a block lacks what is appended",
    [first("00 05 00 fa ff 48")],
    [NOT_COMPRESSED],
  ],
  ["no message that is cut off in a block's header", [first("00 05 00")], [NOT_COMPRESSED]],
  [
    "no message that is cut off in its second stream",
    [first("f3 48 cd c9 c9 07 00 f2 00 11 00"), first(HELLO)],
    [NOT_COMPRESSED],
  ],
  ["UTF-8 only in a text (RFC 6455 section 8.1)", [first("00 02 00 fd ff c3 28 00")], [NOT_TEXT]],
  ["compressed data only (RFC 7692 section 7.2.2)", [first("ff ff ff ff")], [NOT_COMPRESSED]],
  ["no distance back to before the first message", [first("f2 00 11 00 00")], [NOT_COMPRESSED]],
];

for (const [title, frames, told] of rows) {
  test(`E8: both ends decode ${title}`, async () => {
    for (const role of ROLES) {
      const stream = framesTo(role, ...frames);
      for (const chunks of [[stream], byteByByte(stream)]) {
        const endpoint = new Endpoint(role, { extension: endsOf()[role], maxMessageSize: LIMIT });
        endpoint.receive(chunks);
        while (endpoint.protocol.isDecoding) await nextTurn();
        assert.deepEqual(endpoint.told, told);
      }
    }
  });
}

test("E8: without context takeover no message refers to another (RFC 7692 section 7.2.3.2)", () => {
  for (const role of ROLES) {
    const extension = endsOf({ serverNoContextTakeover: true, clientNoContextTakeover: true })[role];
    const endpoint = new Endpoint(role, { extension, maxMessageSize: LIMIT });
    const stream = framesTo(role, first(HELLO), first("f2 00 11 00 00"));
    assert.deepEqual(endpoint.receive(stream), [text("Hello"), NOT_COMPRESSED]);
  }
});

test("E8: messages are compressed as RFC 7692 section 7.2.3.2 shows, with and without context takeover", () => {
  const hello = Buffer.from("Hello");
  const compress = (payload: Uint8Array, window: PlaintextWindow | null) =>
    Buffer.from(deflate(payload, { windowBits: 15, ...TUNING, window }) as Uint8Array);
  const helloWindow = new PlaintextWindow(15);
  const compressed = [];
  for (let count = 0; count < 2; count++) {
    compressed.push(compress(hello, helloWindow));
    helloWindow.push(hello);
  }
  assert.deepEqual(
    [...compressed, compress(Buffer.alloc(0), null)],
    [hex(HELLO), hex("f2 00 11 00 00"), hex("00")],
  );
});

test("H E8: RSV1 where nothing was negotiated fails the connection with 1002 (RFC 6455 section 5.2)", () => {
  for (const role of ROLES) {
    const told = new Endpoint(role).receive(framesTo(role, first(HELLO)));
    assert.deepEqual(told, [failure("Expected no reserved bits, got RSV1.")]);
  }
});
