// The bytes of `bufferedAmount`, with a link that writes nothing.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SendAccount } from "../../build/compat/send-account.js";

const NO_LIMIT = Number.MAX_SAFE_INTEGER;
const platform = { byteLength: (text: string) => Buffer.byteLength(text) };

/** A client's frame: the header, the mask and the payload (RFC 6455 section 5.2). */
function frameSize(payload: number): number {
  return payload + (payload <= 125 ? 6 : payload <= 65_535 ? 8 : 14);
}

const text = fc.oneof(
  fc.string({ maxLength: 130 }),
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.constantFrom("x".repeat(125), "x".repeat(126), "é".repeat(63), "x".repeat(1024)),
);
const step = fc.record({
  text,
  /** A Pong that the link sends in between. */
  hasPong: fc.boolean(),
  isAsked: fc.boolean(),
});

for (const extensions of ["", "permessage-deflate"]) {
  test(`N1: the bytes of unsent texts are exact, with the extensions "${extensions}"`, () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const link = { bufferedAmount: 0, extensions };
        const account = new SendAccount(platform);
        account.open(link);
        // Bytes that keep the smaller of both numbers, the payload, the right one.
        link.bufferedAmount = 1_000_000;
        account.add(0);
        let payload = account.amount;
        for (const { text: sent, hasPong, isAsked } of steps) {
          assert.equal(account.addText(sent, NO_LIMIT), true);
          payload += Buffer.byteLength(sent);
          // Compressed frames have any size, also that of an ASCII text.
          const size = extensions === "" ? Buffer.byteLength(sent) : sent.length;
          link.bufferedAmount += frameSize(size) + (hasPong ? 6 : 0);
          account.check();
          if (isAsked) assert.equal(account.amount, payload);
        }
        assert.equal(account.amount, payload);
      }),
    );
  });
}

test("N1: once the link is empty, nothing counts, and the account keeps no more than one text", () => {
  const link = { bufferedAmount: 0, extensions: "" };
  const account = new SendAccount(platform);
  account.open(link);
  account.addText("some text", NO_LIMIT);
  link.bufferedAmount = frameSize(9);
  assert.equal(account.amount, 9);
  link.bufferedAmount = 0;
  assert.equal(account.amount, 0);
  account.addText("more", NO_LIMIT);
  link.bufferedAmount = frameSize(4);
  assert.equal(account.amount, 4);
  assert.equal(account.addText("x".repeat(1025), NO_LIMIT), false);
  assert.equal(account.addText("x", 5), false);
});

test("N1: bytes that the link writes within this task count until the next one", async () => {
  const link = { bufferedAmount: 0, extensions: "" };
  const account = new SendAccount(platform);
  account.open(link);
  for (let sent = 0; sent < 600; sent++) {
    account.addText("x".repeat(100), NO_LIMIT);
    link.bufferedAmount += frameSize(100);
    if (link.bufferedAmount > 40_000) link.bufferedAmount = 0; // Written.
    account.check();
  }
  assert.equal(account.amount, 60_000);
  link.bufferedAmount = 0;
  for (let turn = 0; turn < 2; turn++) await new Promise(setImmediate);
  assert.equal(account.amount, 0);
});
