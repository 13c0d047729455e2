import assert from "node:assert/strict";
import { test } from "node:test";
import { closePayload, frame, OPCODE, parseFrame } from "holdfast-testkit";
import { BINARY, FIN, PING, PONG } from "../../build/shared/opcode.js";
import type { CloseFrame } from "../../build/shared/close-code.js";
import { InvalidStateError, MessageTooBigError, ProtocolError } from "../../build/shared/errors.js";
import { closeOf } from "../../build/protocol/extension.js";
import type { ByteQueue, Protocol } from "../../build/protocol/protocol.js";
import { Endpoint, frameTo, patterned, ROLES } from "./endpoint.js";

const OURS: CloseFrame = { code: 1001, reason: "restart" };
const THEIRS: CloseFrame = { code: 4000, reason: "bye" };

/** Takes nothing. */
const NO_QUEUE: ByteQueue = {
  memory: Buffer.alloc(0),
  reserve: () => assert.fail("nothing is written"),
  written: () => assert.fail("nothing is written"),
};

function stateOf({ closeSent, closeReceived, receivedFirst }: Protocol) {
  return { closeSent, closeReceived, receivedFirst };
}

/** The only frame in `bytes`, as the testkit reads it; its payload as latin1. */
function readBack(bytes: Uint8Array) {
  const parsed = parseFrame(bytes);
  assert.equal(parsed?.length, bytes.length);
  const { payload, ...header } = parsed.value;
  return { ...header, payload: Buffer.from(payload).toString("latin1") };
}

for (const role of ROLES) {
  const isMasked = role === "client";
  const peerClose = frameTo(role, {
    opcode: OPCODE.close,
    payload: closePayload(THEIRS.code, THEIRS.reason),
  });

  test(`D1: a ${role} knows both Close frames and which came first (RFC 6455 section 7.1)`, () => {
    const nothing = { closeSent: null, closeReceived: null, receivedFirst: false };

    const first = new Endpoint(role);
    assert.deepEqual(stateOf(first.protocol), nothing);
    first.protocol.closeFrame(OURS);
    assert.deepEqual(stateOf(first.protocol), { ...nothing, closeSent: OURS });
    first.receive(peerClose);
    const both = { closeSent: OURS, closeReceived: THEIRS };
    assert.deepEqual(stateOf(first.protocol), { ...both, receivedFirst: false });

    const second = new Endpoint(role);
    second.receive(peerClose);
    assert.deepEqual(stateOf(second.protocol), {
      closeSent: null,
      closeReceived: THEIRS,
      receivedFirst: true,
    });
    second.protocol.closeFrame(OURS);
    assert.deepEqual(stateOf(second.protocol), { ...both, receivedFirst: true });
  });

  test(`D1: a ${role} has a state that matches its events, during each event (RFC 6455 section 7.1)`, () => {
    const states: unknown[] = [];
    const onClose = () => {
      states.push(stateOf(endpoint.protocol));
      endpoint.protocol.closeFrame(THEIRS);
      states.push(stateOf(endpoint.protocol));
    };
    const endpoint = new Endpoint(role, {}, { onClose });
    endpoint.receive(peerClose);
    const received = { closeReceived: THEIRS, receivedFirst: true };
    assert.deepEqual(states, [
      { closeSent: null, ...received },
      { closeSent: THEIRS, ...received },
    ]);
  });

  test(`D2: after its Close a ${role} sends nothing more, and keeps the one it sent (RFC 6455 section 5.5.1)`, () => {
    const { protocol } = new Endpoint(role);
    protocol.closeFrame(OURS);
    const calls: (() => unknown)[] = [
      () => protocol.textFrame("late"),
      () => protocol.frame(FIN | BINARY, patterned(10)),
      () => protocol.frame(FIN | PING, patterned(4)),
      () => protocol.frame(FIN | PONG, patterned(4)),
      () => protocol.writeText(NO_QUEUE, "late"),
      () => protocol.writeFrame(NO_QUEUE, FIN | BINARY, patterned(10)),
      () => protocol.frameChunks(FIN | BINARY, patterned(10)),
      () => protocol.pass("made for many"),
      () => protocol.encode(patterned(10)),
      () => protocol.sharedFrame({ payload: patterned(10), encodedFrame: patterned.bind(null, 10) }),
      () => protocol.closeFrame({ code: 1000, reason: "" }),
      () => protocol.closeFrame(closeOf(new ProtocolError("late", 1002))),
    ];
    for (const call of calls) {
      assert.throws(call, new InvalidStateError("No frame may follow the Close frame that was sent."));
    }
    assert.deepEqual(stateOf(protocol), { closeSent: OURS, closeReceived: null, receivedFirst: false });
  });

  test(`E: a ${role} continues the message that it began, also after a Ping between its fragments (RFC 6455 section 5.4)`, () => {
    const { protocol } = new Endpoint(role);
    const send = (type: "binary" | "text", isLast: boolean) => {
      const { opcode, isFinal } = readBack(protocol.frame(protocol.fragmentByte(type, isLast), patterned(3)));
      return [opcode, isFinal, protocol.isAmidMessage];
    };
    assert.deepEqual(send("text", false), [OPCODE.text, false, true]);
    protocol.frame(FIN | PING, patterned(1));
    assert.deepEqual(send("text", false), [OPCODE.continuation, false, true]);
    assert.deepEqual(send("text", true), [OPCODE.continuation, true, false]);
    assert.deepEqual(send("binary", true), [OPCODE.binary, true, false]);
  });

  test(`D2: a ${role} goes on receiving after its own Close (RFC 6455 section 5.5.1)`, () => {
    const endpoint = new Endpoint(role);
    endpoint.protocol.closeFrame(OURS);
    endpoint.receive([frameTo(role, { opcode: OPCODE.text, payload: "still" }), peerClose]);
    assert.deepEqual(endpoint.told, [
      { type: "text", text: "still" },
      { type: "close", close: THEIRS },
    ]);
  });

  test(`E: each kind of frame that a ${role} sends reads back as it was meant (RFC 6455 section 5.5, 5.6)`, () => {
    const { protocol } = new Endpoint(role);
    const header = { isFinal: true, rsv: 0, isMasked };
    assert.equal(protocol.role, role);
    assert.deepEqual(readBack(protocol.textFrame("é")), {
      ...header,
      opcode: OPCODE.text,
      payload: "\xc3\xa9",
    });
    assert.deepEqual(readBack(protocol.frame(FIN | BINARY, Uint8Array.of(0, 255))), {
      ...header,
      opcode: OPCODE.binary,
      payload: "\x00\xff",
    });
    assert.deepEqual(readBack(protocol.frame(FIN | PING, Buffer.from("a"))), {
      ...header,
      opcode: OPCODE.ping,
      payload: "a",
    });
    assert.deepEqual(readBack(protocol.frame(FIN | PONG, Buffer.from("b"))), {
      ...header,
      opcode: OPCODE.pong,
      payload: "b",
    });
    assert.deepEqual(readBack(protocol.closeFrame({ code: 1000, reason: "é" })), {
      ...header,
      opcode: OPCODE.close,
      payload: "\x03\xe8\xc3\xa9",
    });
  });

  test(`D2: a ${role} sends 1005 as an empty Close, and reasons of up to 123 bytes (RFC 6455 section 5.5.1)`, () => {
    const header = { opcode: OPCODE.close, isFinal: true, rsv: 0, isMasked };
    const sent = (close: CloseFrame) => readBack(new Endpoint(role).protocol.closeFrame(close));
    assert.deepEqual(sent({ code: 1005, reason: "" }), { ...header, payload: "" });
    assert.deepEqual(sent({ code: 4999, reason: "" }), { ...header, payload: "\x13\x87" });
    const longest = "x".repeat(123);
    assert.deepEqual(sent({ code: 3000, reason: longest }), { ...header, payload: `\x0b\xb8${longest}` });
  });

  test(`E2: a ${role} puts 1002, 1007 or 1009 with the reason on the wire for a failure (RFC 6455 section 7.1.7)`, () => {
    const failures = [
      [new ProtocolError("Expected this, got that.", 1002), 1002, "Expected this, got that"],
      [new ProtocolError("Expected UTF-8, got é.", 1007), 1007, "Expected UTF-8, got é"],
      [new MessageTooBigError("Expected at most 1, got 2.", 2, 1), 1009, "Expected at most 1, got 2"],
    ] as const;
    for (const [failure, code, reason] of failures) {
      const { protocol } = new Endpoint(role);
      const mask = isMasked && maskOfFirstFrame(role);
      const expected = frame({ opcode: OPCODE.close, payload: closePayload(code, reason), mask });
      assert.deepEqual(Uint8Array.from(protocol.closeFrame(closeOf(failure))), expected);
      assert.deepEqual(protocol.closeSent, { code, reason });
    }
  });

  test(`E2: a ${role} cuts the reason of a failure to 123 bytes, between two characters (RFC 6455 section 5.5.1)`, () => {
    const rows = [
      ["a".repeat(123), "a".repeat(123)],
      ["a".repeat(124), "a".repeat(123)],
      ["€".repeat(41), "€".repeat(41)],
      ["€".repeat(42), "€".repeat(41)],
      [`a${"€".repeat(41)}`, `a${"€".repeat(40)}`],
      [`${"a".repeat(120)}😀`, "a".repeat(120)],
      [`${"a".repeat(119)}😀b`, `${"a".repeat(119)}😀`],
      [`${"a".repeat(121)}éé`, `${"a".repeat(121)}é`],
      ["😀".repeat(10_000), "😀".repeat(30)],
    ] as const;
    for (const [message, reason] of rows) {
      const { protocol } = new Endpoint(role);
      const sent = parseFrame(protocol.closeFrame(closeOf(new ProtocolError(message, 1002))));
      assert.deepEqual(sent?.value.payload, closePayload(1002, reason));
      assert.deepEqual(protocol.closeSent, { code: 1002, reason });
    }
  });

  test(`H: a ${role} sends exactly the bytes of a view, and leaves the caller's memory as it is (RFC 6455 section 5.6)`, () => {
    const memory = patterned(4000).buffer;
    const views = [
      new Uint8Array(memory, 3, 5),
      new Uint8Array(memory, 1, 0),
      new Uint8Array(memory, 1001, 2000),
      Buffer.from(memory, 7, 300),
      Buffer.from("a slice of Node's pool"),
      new Uint8Array(new SharedArrayBuffer(64), 9, 40).fill(0x61),
    ];
    for (const view of views) {
      const expected = Buffer.from(view).toString("latin1");
      const { protocol } = new Endpoint(role);
      const frames = [
        protocol.frame(FIN | BINARY, view),
        protocol.frame(FIN | PING, view.subarray(0, 125)),
        protocol.frame(FIN | PONG, view.subarray(0, 9)),
      ];
      assert.deepEqual(
        frames.map((bytes) => readBack(bytes).payload),
        [expected, expected.slice(0, 125), expected.slice(0, 9)],
      );
      assert.equal(Buffer.from(view).toString("latin1"), expected);
    }
    assert.deepEqual(new Uint8Array(memory), patterned(4000));
  });
}

/** The key that an endpoint of this role takes first. */
function maskOfFirstFrame(role: "client" | "server"): Uint8Array {
  return new Endpoint(role).protocol.frame(FIN | PING, new Uint8Array()).slice(2, 6);
}
