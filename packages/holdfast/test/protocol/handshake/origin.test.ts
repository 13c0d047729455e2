import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isOriginAllowed, type Site } from "../../../build/protocol/handshake/origin.js";

function site(host: string, isSecure = false, isLoopback = false): Site {
  return { host, isSecure, isFromLoopback: () => isLoopback };
}

const SAME: readonly [origin: string, host: string, isSecure: boolean, isAllowed: boolean][] = [
  ["http://a.example", "a.example", false, true],
  ["HTTP://A.example", "a.EXAMPLE", false, true],
  ["https://a.example", "a.example", true, true],
  ["https://a.example", "a.example:443", true, true],
  ["https://a.example", "a.example", false, false],
  ["http://a.example", "a.example", true, false], // A page that anybody on the way may have changed.
  ["https://a.example", "a.example:443", false, false],
  ["http://a.example:443", "a.example", true, false],
  ["wss://a.example", "a.example", true, true],
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
    assert.equal(isOriginAllowed(origin, site(host, isSecure), "same-origin"), isAllowed);
  });
}

const LOOPBACK: readonly [origin: string, host: string, isAllowed: boolean][] = [
  ["http://localhost:5173", "localhost:8930", true],
  ["http://localhost:5173", "127.0.0.1:8930", true],
  ["http://127.0.0.1", "[::1]:8930", true],
  ["https://[::1]:5173", "localhost", true],
  ["http://127.5.0.9", "LOCALHOST:1", true],
  ["http://evil.example:8930", "localhost:8930", false],
  ["http://localhost:5173", "evil.example:8930", false], // A name that a DNS server points at loopback.
  ["http://localhost.evil.example", "localhost", false],
  ["http://app.localhost:5173", "localhost", false],
  ["http://127.0.0.1.evil.example", "localhost", false],
  ["http://127.0.0.256", "localhost", false],
  ["http://127.1", "localhost", false],
  ["http://0.0.0.0:5173", "localhost", false],
  ["file://localhost", "localhost", false],
];
for (const [origin, host, isAllowed] of LOOPBACK) {
  test(`G10: on loopback, a page of ${origin} ${isAllowed ? "may" : "may not"} connect to ${host}`, () => {
    assert.equal(isOriginAllowed(origin, site(host, false, true), "same-origin"), isAllowed);
    // A client elsewhere: a proxy on this machine has rewritten Host.
    if (isAllowed) assert.equal(isOriginAllowed(origin, site(host), "same-origin"), false);
  });
}

test('G3: "any" allows every origin', () => {
  assert.equal(isOriginAllowed("null", site("a"), "any"), true);
});

test("G3: a list holds whole origins in any case, and expressions", () => {
  const allowed = ["https://a.example", /^https:\/\/[a-z]+\.b\.example$/];
  assert.equal(isOriginAllowed("https://A.example", site("x"), allowed), true);
  assert.equal(isOriginAllowed("https://www.b.example", site("x"), allowed), true);
  assert.equal(isOriginAllowed("https://a.example.c.example", site("x"), allowed), false);
  assert.equal(isOriginAllowed("http://x", site("x"), allowed), false);
  assert.equal(isOriginAllowed("null", site("x"), ["null"]), true);
  assert.equal(isOriginAllowed("http://x", site("x"), []), false);
});

test("G3: a global or sticky expression gives the same answer each time", () => {
  for (const flags of ["g", "y", "gy", ""]) {
    const allowed = [new RegExp("http://a", flags)];
    const answers = Array.from({ length: 4 }, () => isOriginAllowed("http://a", site("x"), allowed));
    assert.deepEqual(answers, [true, true, true, true], flags);
    assert.equal(allowed[0]?.lastIndex, 0);
  }
});

test("H: any origin and host give a result", () => {
  const text = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(text, text, (rest, host) => {
      assert.equal(typeof isOriginAllowed(`http://${rest}`, site(host), "same-origin"), "boolean");
    }),
  );
});
