import assert from "node:assert/strict";
import { test } from "node:test";
import { frame, OPCODE, type FrameOptions } from "holdfast-testkit";
import { byteByByte, cutAt, Endpoint, frameTo, framesTo, patterned, ROLES } from "../endpoint.js";
import { binary, close, failure, ping, pong, text, type Told } from "../recorder.js";

/** The frame is rejected as soon as its header arrives; after that only the Close is reported. */
function assertRefused(role: "client" | "server", refused: Uint8Array, expected: Told): void {
  const rest = framesTo(role, { opcode: OPCODE.text, payload: "ignored" }, { opcode: OPCODE.close });
  const stream = Buffer.concat([refused, rest]);
  const whole = [expected, close(1005)];
  assert.deepEqual(new Endpoint(role).receive(stream), whole);
  assert.deepEqual(new Endpoint(role).receive(byteByByte(stream)), whole);
  for (let place = 1; place <= refused.length; place++) {
    assert.deepEqual(new Endpoint(role).receive(cutAt(stream, [place])), whole);
  }
}

test("E: an unmasked frame from a client is refused (RFC 6455 section 5.1)", () => {
  for (const opcode of Object.values(OPCODE)) {
    const expected = failure("Expected a masked frame from a client, got an unmasked one.");
    const refused = frame({ opcode, payload: "Hello", mask: false });
    assertRefused("server", refused, expected);
  }
});

test("E: a masked frame from a server is refused (RFC 6455 section 5.1)", () => {
  for (const opcode of Object.values(OPCODE)) {
    const expected = failure("Expected an unmasked frame from a server, got a masked one.");
    assertRefused("client", frame({ opcode, payload: "Hello", mask: true }), expected);
  }
});

test("E: an unknown opcode is reported before a wrong mask (RFC 6455 section 5.2)", () => {
  for (const role of ROLES) {
    const refused = frame({ opcode: 5, payload: "Hello", mask: role === "client" });
    assertRefused(role, refused, failure("Expected a known opcode, got 0x5."));
  }
});

test("E: each reserved bit is refused by name on each opcode where no extension uses it (RFC 6455 section 5.2)", () => {
  const names = ["RSV3", "RSV2", "RSV2, RSV3", "RSV1", "RSV1, RSV3", "RSV1, RSV2", "RSV1, RSV2, RSV3"];
  for (const role of ROLES) {
    for (const [index, name] of names.entries()) {
      for (let opcode = 0; opcode < 16; opcode++) {
        const refused = frameTo(role, { opcode, rsv: index + 1, payload: "Hello" });
        assertRefused(role, refused, failure(`Expected no reserved bits, got ${name}.`));
      }
    }
  }
});

test("E: each unknown opcode is refused, whole and as a fragment (RFC 6455 section 5.2)", () => {
  for (const role of ROLES) {
    for (const opcode of [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) {
      const expected = failure(`Expected a known opcode, got 0x${opcode.toString(16)}.`);
      for (const isFinal of [true, false]) {
        assertRefused(role, frameTo(role, { opcode, isFinal, payload: "Hello" }), expected);
      }
    }
  }
});

test("E: an unknown opcode between the fragments of a message is refused (RFC 6455 section 5.2)", () => {
  for (const role of ROLES) {
    const start: FrameOptions = { opcode: OPCODE.text, isFinal: false, payload: "a" };
    const stream = framesTo(role, start, { opcode: 11 }, { opcode: OPCODE.continuation, payload: "b" });
    assert.deepEqual(new Endpoint(role).receive(stream), [failure("Expected a known opcode, got 0xb.")]);
  }
});

test("E: a fragmented control frame is refused (RFC 6455 section 5.5)", () => {
  const expected = failure("Expected a control frame in one piece, got a fragment.");
  for (const role of ROLES) {
    for (const opcode of [OPCODE.close, OPCODE.ping, OPCODE.pong]) {
      assertRefused(role, frameTo(role, { opcode, isFinal: false }), expected);
      assertRefused(role, frameTo(role, { opcode, isFinal: false, payload: "Hello" }), expected);
    }
  }
});

test("E: a control frame carries up to 125 bytes and no more (RFC 6455 section 5.5)", () => {
  for (const role of ROLES) {
    for (const size of [0, 1, 124, 125]) {
      const payload = patterned(size);
      const stream = framesTo(role, { opcode: OPCODE.ping, payload }, { opcode: OPCODE.pong, payload });
      const expected = [ping(payload), pong(payload)];
      assert.deepEqual(new Endpoint(role).receive(stream), expected);
      assert.deepEqual(new Endpoint(role).receive(byteByByte(stream)), expected);
    }
    for (const size of [126, 127, 65_536]) {
      const expected = failure(`Expected at most 125 bytes in a control frame, got ${size}.`);
      for (const opcode of [OPCODE.close, OPCODE.ping, OPCODE.pong]) {
        const bytes = frameTo(role, { opcode, payload: new Uint8Array(size) });
        assert.deepEqual(new Endpoint(role).receive(bytes), [expected]);
      }
    }
  }
});

test("H: the payload of a control frame is a copy, that of a message plain bytes without those around it", () => {
  const payloads: Uint8Array[] = [];
  const keep = (bytes: string | Uint8Array) => {
    if (typeof bytes !== "string") payloads.push(bytes);
  };
  const endpoint = new Endpoint("client", {}, { onPing: keep, onPong: keep, onMessage: keep });
  const chunk = Buffer.from(
    framesTo(
      "client",
      { opcode: OPCODE.ping, payload: "ping" },
      { opcode: OPCODE.pong, payload: "pong" },
      { opcode: OPCODE.binary, payload: "binary" },
    ),
  );
  endpoint.protocol.receive(chunk);
  const isView = payloads.map((bytes) => bytes.buffer === chunk.buffer);
  chunk.fill(0);
  assert.deepEqual(payloads.slice(0, 2), [
    Uint8Array.from(Buffer.from("ping")),
    Uint8Array.from(Buffer.from("pong")),
  ]);
  assert.deepEqual(payloads[2], new Uint8Array(6), "a view, for the speed of it");
  assert.deepEqual(isView, [false, false, true]);
});

test("E: bytes may come as a view into a larger buffer (RFC 6455 section 5.2)", () => {
  for (const role of ROLES) {
    const stream = framesTo(
      role,
      { opcode: OPCODE.text, payload: "a" },
      { opcode: OPCODE.binary, payload: "b" },
    );
    const larger = new Uint8Array(stream.length + 8).fill(0xff);
    larger.set(stream, 3);
    const endpoint = new Endpoint(role);
    endpoint.protocol.receive(larger.subarray(3, 3 + stream.length));
    assert.deepEqual(endpoint.told, [text("a"), binary("b")]);
  }
});
