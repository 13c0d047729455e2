import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HeaderList } from "../../../build/protocol/handshake/header-list.js";

const LINES = "Host: a\r\nX-Two:1\r\nx-two: \t2 \t\r\nEmpty:\r\nTime: 12:30\r\nNbsp: \xa0\r\n";

test("B4: a name finds its fields in any case, and their values without the white space around them", () => {
  const headers = new HeaderList(`GET / HTTP/1.1\r\n${LINES}`, 16);
  assert.equal(headers.get("host"), "a");
  assert.equal(headers.get("X-TWO"), "1, 2");
  assert.deepEqual(headers.getAll("x-two"), ["1", "2"]);
  assert.equal(headers.count("x-Two"), 2);
  assert.equal(headers.get("Empty"), "");
  assert.equal(headers.get("Nbsp"), "\xa0");
  assert.equal(headers.get("X-Tw"), null);
  assert.deepEqual(headers.getAll("missing"), []);
  assert.equal(headers.count("missing"), 0);
  assert.equal(headers.toString(), LINES);
});

test("B4: neither the start line nor a value is taken for a name", () => {
  const headers = new HeaderList(`GET: / HTTP/1.1\r\n${LINES}`, 17);
  assert.equal(headers.get("GET"), null);
  assert.equal(headers.get("Time: 12"), null);
  assert.equal(headers.get(""), null);
  assert.equal(headers.get("12"), null);
});

test("B4: case is ignored in letters only", () => {
  const headers = new HeaderList("a^: 1\r\n");
  assert.equal(headers.get("A^"), "1");
  assert.equal(headers.get("a~"), null);
});

test("H: names of an object's prototype are names like any other", () => {
  const headers = new HeaderList("__proto__: 1\r\nconstructor: 2\r\n");
  assert.equal(headers.get("__proto__"), "1");
  assert.equal(headers.get("constructor"), "2");
  assert.equal(headers.get("toString"), null);
  assert.deepEqual(
    [...headers.toHeaders()],
    [
      ["__proto__", "1"],
      ["constructor", "2"],
    ],
  );
});

test("B4: iteration and Headers hold every line", () => {
  const headers = new HeaderList("B: 1\r\nSet-Cookie: x\r\nA: 2\r\nSet-Cookie: y\r\n");
  assert.deepEqual(
    [...headers],
    [
      ["B", "1"],
      ["Set-Cookie", "x"],
      ["A", "2"],
      ["Set-Cookie", "y"],
    ],
  );
  assert.deepEqual(headers.toHeaders().getSetCookie(), ["x", "y"]);
  assert.deepEqual([...new HeaderList("")], []);
});

test("B4: it answers as the standard Headers do", () => {
  const name = fc.constantFrom("a", "A", "ab", "Ab", "b", "__proto__");
  const value = fc.string({ unit: fc.constantFrom("x", ":", " ", "\t", ",", "\xff") });
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value)), name, (fields, wanted) => {
      const headers = new HeaderList(fields.map((field) => `${field.join(":")}\r\n`).join(""));
      const standard = new Headers(fields);
      assert.equal(headers.get(wanted), standard.get(wanted));
      assert.deepEqual([...headers.toHeaders()], [...standard]);
    }),
  );
});
