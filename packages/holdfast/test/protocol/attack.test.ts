import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { frame, type FrameOptions } from "holdfast-testkit";
import { BINARY, FIN, PING, PONG } from "../../build/shared/opcode.js";
import { isSendableCloseCode } from "../../build/shared/close-code.js";
import { InvalidStateError } from "../../build/shared/errors.js";
import { closeCodeOf } from "../../build/protocol/extension.js";
import type { Protocol } from "../../build/protocol/protocol.js";
import { byteByByte, cutAt, Endpoint, ROLES } from "./endpoint.js";
import type { Told } from "./recorder.js";

const LIMIT = 300;

/**
 * At most one failure with one of our codes, followed by at most a Close; nothing after a Close; no message
 * over the limit.
 */
function assertLawful(told: readonly Told[]): void {
  const types = told.map((event) => event.type);
  assert.match(types.join(" "), /^((text|binary|ping|pong) ?)*(failure ?)?(close)?$/);
  for (const event of told) {
    switch (event.type) {
      case "failure":
        assert([1002, 1007, 1009].includes(closeCodeOf(event.failure)), event.failure.message);
        break;
      case "close":
        assert(event.close.code === 1005 || isSendableCloseCode(event.close.code));
        break;
      case "text":
        assert(Buffer.byteLength(event.text) <= LIMIT);
        break;
      case "binary":
        assert(event.bytes.length <= LIMIT);
        break;
      case "ping":
      case "pong":
        assert(event.payload.length <= 125);
    }
  }
}

/** Frames that are sometimes valid: otherwise the random bytes would hardly get past the first header. */
const oddFrame: fc.Arbitrary<Uint8Array> = fc
  .record({
    opcode: fc.oneof({ weight: 5, arbitrary: fc.constantFrom(0, 0, 1, 2, 8, 9, 10) }, fc.nat(15)),
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 150 }),
      fc.string({ unit: "binary-ascii", maxLength: 130 }),
      fc.constantFrom("\x03\xe8", "\x03\xedbye", "\x0f\xa0\xff"),
    ),
    isFinal: fc.boolean(),
    rsv: fc.oneof({ weight: 15, arbitrary: fc.constant(0) }, fc.nat(7)),
    mask: fc.boolean(),
    length: fc.oneof(
      { weight: 8, arbitrary: fc.constant({}) },
      fc.constantFrom<Partial<FrameOptions>>({ lengthEncoding: 16 }, { lengthEncoding: 64 }),
      fc.nat(125).map((declaredLength) => ({ declaredLength })),
      fc
        .bigInt({ min: 0n, max: 2n ** 64n - 1n })
        .map((declaredLength): Partial<FrameOptions> => ({ declaredLength, lengthEncoding: 64 })),
    ),
  })
  .map(({ length, ...options }) => frame({ ...options, ...length }));

const bytes = fc
  .array(fc.oneof({ weight: 8, arbitrary: oddFrame }, fc.uint8Array({ maxLength: 40 })), { maxLength: 8 })
  .map((list) => Buffer.concat(list));

for (const role of ROLES) {
  test(`H: random bytes make a ${role} throw nothing, fail at most once, with 1002, 1007 or 1009 (RFC 6455 section 7.1.7)`, () => {
    fc.assert(
      fc.property(
        fc.oneof(bytes, fc.uint8Array({ maxLength: 300 })),
        fc.array(fc.nat(400)),
        (stream, places) => {
          const endpoint = new Endpoint(role, { maxMessageSize: LIMIT });
          const told = endpoint.receive(cutAt(stream, places));
          assertLawful(told);
        },
      ),
      { numRuns: 1500 },
    );
  });

  test(`H: random bytes with random calls between them raise nothing but InvalidStateError (RFC 6455 section 5)`, () => {
    const call = fc.constantFrom<((protocol: Protocol) => Uint8Array)[]>(
      (protocol) => protocol.textFrame("text\ud800"),
      (protocol) => protocol.frame(FIN | BINARY, new Uint8Array(10)),
      (protocol) => protocol.frame(FIN | PING, new Uint8Array(125)),
      (protocol) => protocol.frame(FIN | PONG, new Uint8Array(0)),
      (protocol) => protocol.closeFrame({ code: 1005, reason: "" }),
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(bytes, call), { maxLength: 8 }), (steps) => {
        const endpoint = new Endpoint(role, { maxMessageSize: LIMIT });
        for (const step of steps) {
          if (step instanceof Uint8Array) endpoint.receive(step);
          else callOrInvalidState(endpoint.protocol, step);
        }
        assertLawful(endpoint.told);
      }),
      { numRuns: 300 },
    );
  });

  test(`H: the events of a ${role} for hostile bytes do not depend on how they are split (RFC 6455 section 5.4)`, () => {
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(400)), (stream, places) => {
        const told = (chunks: readonly Uint8Array[]) =>
          new Endpoint(role, { maxMessageSize: LIMIT }).receive(chunks);
        const uncut = told([stream]);
        assert.deepEqual(told(cutAt(stream, places)), uncut);
        assert.deepEqual(told(byteByByte(stream)), uncut);
      }),
      { numRuns: 500 },
    );
  });
}

/** The only error that the documentation of the calls mentions, and only after the Close. */
function callOrInvalidState(protocol: Protocol, call: (protocol: Protocol) => Uint8Array): void {
  const isClosed = protocol.closeSent !== null;
  try {
    call(protocol);
    assert(!isClosed);
  } catch (error) {
    assert(isClosed && error instanceof InvalidStateError);
  }
}
