import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseRetryAfter } from "../../../build/protocol/handshake/retry-after.js";

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

test("B4: Retry-After in seconds (RFC 9110 section 10.2.3)", () => {
  assert.equal(parseRetryAfter("120", NOW), 120_000);
  assert.equal(parseRetryAfter("0", NOW), 0);
});

test("B4: Retry-After as a date in each of the three formats (RFC 9110 section 5.6.7)", () => {
  assert.equal(parseRetryAfter("Fri, 02 Jan 2026 03:04:35 GMT", NOW), 30_000);
  assert.equal(parseRetryAfter("Friday, 02-Jan-26 03:04:35 GMT", NOW), 30_000);
  assert.equal(parseRetryAfter("Fri Jan  2 03:04:35 2026", NOW), 30_000);
});

test("B4: a past date is 0, and a two-digit year may be in the last century", () => {
  assert.equal(parseRetryAfter("Sun, 06 Nov 1994 08:49:37 GMT", NOW), 0);
  assert.equal(parseRetryAfter("Sunday, 06-Nov-94 08:49:37 GMT", NOW), 0);
  assert.equal(parseRetryAfter("Sun Nov  6 08:49:37 1994", NOW), 0);
});

test("B4: a leap second is a second", () => {
  assert.equal(parseRetryAfter("Fri, 02 Jan 2026 03:04:60 GMT", NOW), 54_000);
});

test("B4: garbage, negatives, NaN, infinities and days that do not exist are ignored", () => {
  for (const value of [
    null,
    "",
    "-1",
    "+1",
    "1.5",
    "1e3",
    "0x10",
    "NaN",
    "Infinity",
    "inf",
    " 5",
    "5, 10",
    "9".repeat(400),
    "tomorrow",
    "Fri, 30 Feb 2026 03:04:35 GMT",
    "Fri, 02 Jan 2026 24:04:35 GMT",
    "Fri, 02 Jan 2026 03:60:35 GMT",
    "Fri, 02 Jan 2026 03:04:61 GMT",
    "Fri, 02 Foo 2026 03:04:35 GMT",
    "Fri, 02 Jan 2026 03:04:35 CET",
    "Fri, 02 Jan 0026 03:04:35 GMT",
  ]) {
    assert.equal(parseRetryAfter(value, NOW), null, String(value));
  }
});

test("B4: a delay of more than 366 days is a delay, which the client's maxRetryAfter limits", () => {
  const seconds = 367 * 24 * 60 * 60;
  assert.equal(parseRetryAfter(String(seconds), NOW), seconds * 1000);
  assert.equal(parseRetryAfter("99999999999", NOW), 99999999999_000);
  assert.equal(parseRetryAfter(new Date(NOW + seconds * 1000).toUTCString(), NOW), seconds * 1000);
  assert.equal(parseRetryAfter("Fri, 02 Jan 9999 03:04:35 GMT", NOW), Date.UTC(9999, 0, 2, 3, 4, 35) - NOW);
});

test("B4: every date that is written in the preferred format is read to the second", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 366 * 24 * 60 * 60 - 1 }), (seconds) => {
      assert.equal(parseRetryAfter(new Date(NOW + seconds * 1000).toUTCString(), NOW), seconds * 1000);
    }),
  );
});

test("H: for any text, the wait is null or a number of milliseconds", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.integer().map(String), fc.double().map(String)), (text) => {
      const wait = parseRetryAfter(text, NOW);
      assert.ok(wait === null || (Number.isFinite(wait) && wait >= 0));
    }),
  );
});
