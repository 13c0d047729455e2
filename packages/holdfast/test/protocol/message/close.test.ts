import assert from "node:assert/strict";
import { test } from "node:test";
import { closePayload, OPCODE } from "holdfast-testkit";
import { byteByByte, cutAt, Endpoint, frameTo, framesTo, ROLES } from "../endpoint.js";
import { close, failure, type Told } from "../recorder.js";
import { NOT_UTF8 } from "./utf8-cases.js";

const IN_UTF8 = failure("Expected UTF-8 in a close reason, got other bytes.", 1007);

/** RFC 6455 section 7.4 and IANA's registry, as D2 lists them. */
function mayTravel(code: number): boolean {
  const isAssigned = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014].includes(code);
  return isAssigned || (code >= 3000 && code <= 4999);
}

for (const role of ROLES) {
  const told = (payload: Uint8Array): readonly Told[] =>
    new Endpoint(role).receive(frameTo(role, { opcode: OPCODE.close, payload }));

  test(`D2: a ${role} takes an empty Close for 1005, and none of a single byte (RFC 6455 section 5.5.1)`, () => {
    assert.deepEqual(told(closePayload()), [close(1005)]);
    for (const byte of [0x00, 0x03, 0x61, 0xff]) {
      assert.deepEqual(told(Uint8Array.of(byte)), [
        failure("Expected a Close of 0 or 2 to 125 bytes, got 1."),
      ]);
    }
  });

  test(`D2: a ${role} accepts valid codes, and rejects the others (RFC 6455 section 7.4)`, () => {
    const codes = [...Array.from({ length: 5002 }, (_, code) => code), 32_768, 65_535];
    for (const code of codes) {
      const expected = mayTravel(code)
        ? close(code, "why")
        : failure(`Expected a valid close code, got ${code}.`);
      assert.deepEqual(told(closePayload(code, "why")), [expected]);
    }
  });

  test(`D2: a ${role} reads reasons of up to 123 bytes, whatever the cut (RFC 6455 section 5.5.1)`, () => {
    for (const reason of ["", "a", "going away", "é€😀", "\ufeffa", "a".repeat(123), "€".repeat(41)]) {
      const bytes = frameTo(role, { opcode: OPCODE.close, payload: closePayload(4321, reason) });
      assert.deepEqual(new Endpoint(role).receive(bytes), [close(4321, reason)]);
      assert.deepEqual(new Endpoint(role).receive(byteByByte(bytes)), [close(4321, reason)]);
      for (const place of [1, 2, 5, 6, 7, 8, 9]) {
        assert.deepEqual(new Endpoint(role).receive(cutAt(bytes, [place])), [close(4321, reason)]);
      }
    }
    const tooLong = closePayload(1000, "a".repeat(124));
    assert.deepEqual(told(tooLong), [failure("Expected at most 125 bytes in a control frame, got 126.")]);
  });

  test(`E1: a ${role} refuses a reason that is not UTF-8, or cut off inside of a character (RFC 6455 section 8.1)`, () => {
    const endings = ["c3", "e2", "e282", "f0", "f09f", "f09f98"].map((hex) => Buffer.from(hex, "hex"));
    for (const reason of [...NOT_UTF8.map(({ bytes }) => bytes), ...endings]) {
      const payload = Buffer.concat([closePayload(1000, "a"), reason]);
      assert.deepEqual(told(payload), [IN_UTF8]);
    }
  });

  test(`D2: a ${role} reports an invalid code before an invalid reason, and a valid Close after an invalid one (RFC 6455 section 7.4)`, () => {
    const stream = framesTo(
      role,
      { opcode: OPCODE.close, payload: Uint8Array.of(0, 0, 0xff) },
      { opcode: OPCODE.close, payload: Uint8Array.of(0x61) },
      { opcode: OPCODE.close, payload: closePayload(1000, "again") },
    );
    const expected = [failure("Expected a valid close code, got 0."), close(1000, "again")];
    assert.deepEqual(new Endpoint(role).receive(stream), expected);
  });

  test(`D6: a ${role} ignores whatever follows a Close, valid or not (RFC 6455 section 5.5.1)`, () => {
    const after = Buffer.concat([
      framesTo(
        role,
        { opcode: OPCODE.text, payload: "late" },
        { opcode: OPCODE.ping, payload: "late" },
        { opcode: OPCODE.pong, payload: "late" },
        { opcode: OPCODE.close, payload: closePayload(1011, "second") },
        { opcode: 15, rsv: 7, payload: "late" },
        { opcode: OPCODE.text, payload: Uint8Array.of(0xff), mask: role !== "server" },
      ),
      frameTo(role, { opcode: OPCODE.binary, declaredLength: 2n ** 64n - 1n }),
      Buffer.alloc(1000, 0xff),
    ]);
    const stream = Buffer.concat([
      frameTo(role, { opcode: OPCODE.close, payload: closePayload(1001) }),
      after,
    ]);
    for (const chunks of [[stream], byteByByte(stream)]) {
      const endpoint = new Endpoint(role);
      assert.deepEqual(endpoint.receive(chunks), [close(1001)]);
      assert.deepEqual(endpoint.protocol.closeReceived, { code: 1001, reason: "" });
    }
  });
}
