import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isOriginAllowed } from "../../../dist/protocol/handshake/origin.js";

const SAME: readonly [origin: string, host: string, isSecure: boolean, isAllowed: boolean][] = [
  ["http://a.example", "a.example", false, true],
  ["HTTP://A.example", "a.EXAMPLE", false, true],
  ["https://a.example", "a.example", true, true],
  ["https://a.example", "a.example", false, true], // A proxy ended TLS.
  ["https://a.example", "a.example:443", false, true], // A proxy ended TLS and named the port.
  ["https://a.example", "a.example:80", false, true], // A proxy ended TLS and named the next port.
  ["https://a.example:443", "a.example", true, true],
  ["http://a.example:8080", "a.example:8080", false, true],
  ["http://[::1]:8080", "[::1]:8080", false, true],
  ["http://a.example:8080", "a.example", false, false],
  ["http://a.example", "a.example:8080", false, false],
  ["http://a.example", "a.example:443", false, false],
  ["http://a.example:8080", "a.example:80", false, false],
  ["http://b.example", "a.example", false, false],
  ["http://a.example.b.example", "a.example", false, false],
  ["http://a.example@b.example", "b.example", false, false],
  ["http://b.example/a.example", "b.example", false, false],
  ["null", "a.example", false, false],
  ["", "a.example", false, false],
  ["file://a.example", "a.example", false, false],
  ["a.example", "a.example", false, false],
];
for (const [origin, host, isSecure, isAllowed] of SAME) {
  const title = `${JSON.stringify(origin)} and the ${isSecure ? "TLS" : "plain"} host ${host}`;
  test(`G3: ${title} are ${isAllowed ? "" : "not "}the same origin`, () => {
    assert.equal(isOriginAllowed(origin, host, isSecure, "same-origin"), isAllowed);
  });
}

test("G3: any origin passes where any is allowed", () => {
  assert.equal(isOriginAllowed("null", "a", false, "any"), true);
});

test("G3: a list holds whole origins in any case, and expressions", () => {
  const allowed = ["https://a.example", /^https:\/\/[a-z]+\.b\.example$/];
  assert.equal(isOriginAllowed("https://A.example", "x", false, allowed), true);
  assert.equal(isOriginAllowed("https://www.b.example", "x", false, allowed), true);
  assert.equal(isOriginAllowed("https://a.example.c.example", "x", false, allowed), false);
  assert.equal(isOriginAllowed("http://x", "x", false, allowed), false);
  assert.equal(isOriginAllowed("null", "x", false, ["null"]), true);
  assert.equal(isOriginAllowed("http://x", "x", false, []), false);
});

test("G3: a global or sticky expression gives the same answer each time", () => {
  for (const flags of ["g", "y", "gy", ""]) {
    const allowed = [new RegExp("http://a", flags)];
    const answers = Array.from({ length: 4 }, () => isOriginAllowed("http://a", "x", false, allowed));
    assert.deepEqual(answers, [true, true, true, true], flags);
    assert.equal(allowed[0]?.lastIndex, 0);
  }
});

test("H: whatever the origin and the host, there is an answer", () => {
  const text = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(text, text, (rest, host) => {
      assert.equal(typeof isOriginAllowed(`http://${rest}`, host, false, "same-origin"), "boolean");
    }),
  );
});
