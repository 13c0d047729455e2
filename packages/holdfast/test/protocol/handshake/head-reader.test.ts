import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import { assertLinear } from "holdfast-testkit";
import { HeadReader, type HeadResult } from "../../../build/protocol/handshake/head-reader.js";
import { headBytes, LIMITS } from "./heads.js";

test("B10: a head is read in one chunk, and the bytes after it are passed on without copying", () => {
  const head = headBytes("GET / HTTP/1.1", "Host: a", "X: \xe4");
  const chunk = Buffer.concat([head, Buffer.from([0x81, 0x00, 0xff, 0x0d, 0x0a])]);
  const result = new HeadReader(LIMITS).push(chunk);
  assert.ok(result !== "incomplete" && result.outcome === "head");
  assert.equal(result.head.startLine, "GET / HTTP/1.1");
  assert.deepEqual(
    [...result.head.headers],
    [
      ["Host", "a"],
      ["X", "\xe4"],
    ],
  );
  assert.deepEqual([...result.rest], [0x81, 0x00, 0xff, 0x0d, 0x0a]);
  assert.equal(result.rest.buffer, chunk.buffer);
  assert.equal(result.rest.byteOffset, chunk.byteOffset + head.length);
});

test("B10: cut at any two bytes, a head and the frames glued to it are the same", () => {
  const head = headBytes("", "HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Empty:");
  const bytes = Buffer.concat([head, Buffer.from("\x81\x02hi\r\n\r\n", "latin1")]);
  const whole = readAll([bytes]);
  for (let first = 0; first <= bytes.length; first++) {
    for (let second = first; second <= bytes.length; second += 3) {
      const chunks = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
      assert.deepEqual(readAll(chunks), whole, `cut at ${first} and ${second}`);
    }
  }
  assert.deepEqual(readAll(singleBytes(bytes)), whole);
});

test("B10: after a head the reader reads the next one, and keeps nothing of the first", () => {
  const reader = new HeadReader(LIMITS);
  const interim = headBytes("HTTP/1.1 103 Early Hints", "Link: x");
  assert.equal(reader.push(interim.subarray(0, 30)), "incomplete");
  const first = reader.push(interim.subarray(30));
  assert.ok(first !== "incomplete" && first.outcome === "head");
  const final = headBytes("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket");
  assert.equal(reader.push(final.subarray(0, 10)), "incomplete");
  const second = reader.push(final.subarray(10));
  assert.ok(second !== "incomplete" && second.outcome === "head");
  assert.deepEqual(
    [second.head.startLine, [...second.head.headers]],
    ["HTTP/1.1 101 Switching Protocols", [["Upgrade", "websocket"]]],
  );
});

test("G3: blank lines before the start line are ignored (RFC 9112 section 2.2)", () => {
  assert.deepEqual(
    readAll([headBytes("", "", "", "GET / HTTP/1.1", "Host: a")]),
    readAll([headBytes("GET / HTTP/1.1", "Host: a")]),
  );
});

const MALFORMED: readonly [why: string, bytes: string, reason: string][] = [
  [
    "a bare LF ends the start line",
    "GET / HTTP/1.1\nHost: a\n\n",
    "Expected no control character but the CRLF that ends a line, got byte 0x0a at offset 14 in the start line.",
  ],
  [
    "a bare CR stands in a value",
    "GET / HTTP/1.1\r\nA: b\rc\r\n\r\n",
    "Expected a line feed after the carriage return, got byte 0x63 at offset 21 in the header fields.",
  ],
  [
    "a value is folded (RFC 9112 section 5.2)",
    "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
    "Expected a token as the field name, then a colon, got byte 0x20 at offset 22 in the header fields.",
  ],
  [
    "a space stands before the colon (RFC 9112 section 5.1)",
    "GET / HTTP/1.1\r\nA : b\r\n\r\n",
    "Expected a token as the field name, then a colon, got byte 0x20 at offset 17 in the header fields.",
  ],
  [
    "a name is empty",
    "GET / HTTP/1.1\r\n: b\r\n\r\n",
    "Expected a token as the field name, then a colon, got byte 0x3a at offset 16 in the header fields.",
  ],
  [
    "a field has no colon",
    "GET / HTTP/1.1\r\nab\r\n\r\n",
    "Expected a colon after the field name, got byte 0x0d at offset 18 in the header fields.",
  ],
  [
    "a value holds a NUL",
    "GET / HTTP/1.1\r\nA: \0\r\n\r\n",
    "Expected no control character but the CRLF that ends a line, got byte 0x00 at offset 19 in the header fields.",
  ],
  [
    "a value holds a DEL",
    "GET / HTTP/1.1\r\nA: \x7f\r\n\r\n",
    "Expected no control character but the CRLF that ends a line, got byte 0x7f at offset 19 in the header fields.",
  ],
  [
    "a name holds a byte beyond ASCII",
    "GET / HTTP/1.1\r\n\xe4: b\r\n\r\n",
    "Expected a token as the field name, then a colon, got byte 0xe4 at offset 16 in the header fields.",
  ],
  [
    "TLS is spoken instead of HTTP",
    "\x16\x03\x01",
    "Expected no control character but the CRLF that ends a line, got byte 0x16 at offset 0 in the start line.",
  ],
  [
    "a space begins the start line",
    " GET / HTTP/1.1\r\n",
    "Expected a start line of HTTP, got byte 0x20 at offset 0 in the start line.",
  ],
];
for (const [why, text, reason] of MALFORMED) {
  test(`G3: a head is malformed where ${why}, however it is cut`, () => {
    const failure = { outcome: "failed", status: 400, limit: null, reason };
    const bytes = Buffer.from(text, "latin1");
    assert.deepEqual(readAll([bytes]), failure);
    assert.deepEqual(readAll(singleBytes(bytes)), failure);
  });
}

test("G3: a head of just maxSize bytes is read, one of a byte more is 431", () => {
  const bytes = headBytes("GET / HTTP/1.1", `A: ${"x".repeat(100)}`);
  const limits = { maxSize: bytes.length, maxHeaders: 1 };
  assert.notEqual(new HeadReader(limits).push(bytes), "incomplete");
  const failure = {
    outcome: "failed",
    status: 431,
    limit: "maxSize",
    reason: `Expected a request or response head of at most ${bytes.length - 1} bytes, got header fields that are larger.`,
  };
  const tooSmall = { maxSize: bytes.length - 1, maxHeaders: 1 };
  assert.deepEqual(new HeadReader(tooSmall).push(bytes), failure);
  assert.deepEqual(readAll(singleBytes(bytes), tooSmall), failure);
});

test("G3: a start line beyond maxSize is 414", () => {
  const failure = {
    outcome: "failed",
    status: 414,
    limit: "maxSize",
    reason: "Expected a request or response head of at most 64 bytes, got a start line that is longer.",
  };
  const bytes = headBytes(`GET /${"x".repeat(64)} HTTP/1.1`);
  const limits = { maxSize: 64, maxHeaders: 1 };
  assert.deepEqual(new HeadReader(limits).push(bytes), failure);
  assert.deepEqual(readAll(singleBytes(bytes), limits), failure);
});

test("H: maxHeaders fields are read, one more is 431, and so are 2,000", () => {
  const lines = (count: number) =>
    headBytes("GET / HTTP/1.1", ...Array.from({ length: count }, () => "A: b"));
  const limits = { maxSize: 2 ** 20, maxHeaders: 128 };
  const failure = {
    outcome: "failed",
    status: 431,
    limit: "maxHeaders",
    reason: "Expected at most 128 header fields, got more.",
  };
  const result = new HeadReader(limits).push(lines(128));
  assert.ok(result !== "incomplete" && result.outcome === "head");
  assert.equal(result.head.headers.count("a"), 128);
  assert.deepEqual(new HeadReader(limits).push(lines(129)), failure);
  assert.deepEqual(new HeadReader(limits).push(lines(2000)), failure);
});

test("H: a reader that failed stays failed", () => {
  const reader = new HeadReader(LIMITS);
  const failure = reader.push(Buffer.from("\0"));
  assert.notEqual(failure, "incomplete");
  assert.deepEqual(reader.push(headBytes("GET / HTTP/1.1")), failure);
});

test("H: 256 KiB of any bytes are read in linear time, also byte by byte", async () => {
  const limits = { maxSize: 2 ** 21, maxHeaders: 2 ** 21 };
  for (const unit of ["a", "a: b\r\n", "a:", "a: \t", "\r\n"]) {
    const read = (size: number): void => {
      const bytes = Buffer.from(`GET / HTTP/1.1\r\nA: ${unit.repeat(size / unit.length)}`);
      readAll([bytes], limits);
      readAll(singleBytes(bytes), limits);
    };
    await assertLinear(2 ** 18, read, JSON.stringify(unit));
  }
});

test("H: for any bytes and splits, the result is the same and documented", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc
      .array(
        fc.constantFrom("GET / HTTP/1.1", "\r\n", "\r", "\n", "A", ":", " ", "b", "\0", "\xff", "\r\n\r\n"),
      )
      .map((parts) => Buffer.from(parts.join(""), "latin1")),
  );
  const limits = { maxSize: 48, maxHeaders: 2 };
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(48)), (input, cuts) => {
      const offsets = [
        0,
        ...cuts.map((cut) => Math.min(cut, input.length)).sort((a, b) => a - b),
        input.length,
      ];
      const chunks = offsets.slice(1).map((end, index) => input.subarray(offsets[index], end));
      assert.deepEqual(readAll(chunks, limits), readAll([input], limits));
    }),
    { numRuns: 1000 },
  );
});

/** The final result of a reader in comparable values; `rest` includes the chunks that were not pushed. */
function readAll(chunks: Iterable<Uint8Array>, limits = LIMITS): unknown {
  const reader = new HeadReader(limits);
  const rest: Uint8Array[] = [];
  let result: "incomplete" | HeadResult = "incomplete";
  for (const chunk of chunks) {
    if (result === "incomplete") result = reader.push(chunk);
    else rest.push(chunk);
  }
  if (result === "incomplete" || result.outcome === "failed") return result;
  const { startLine, headers } = result.head;
  return { startLine, headers: [...headers], rest: Buffer.concat([result.rest, ...rest]).toString("latin1") };
}

function* singleBytes(bytes: Uint8Array): Iterable<Uint8Array> {
  for (let index = 0; index < bytes.length; index++) yield bytes.subarray(index, index + 1);
}
