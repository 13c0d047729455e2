import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { connect, InvalidStatusError, InvalidUpgradeError } from "../../build/index.js";
import { RawServer } from "holdfast-testkit";
import { RejectionBody } from "../../build/client/rejection-body.js";
import { HeaderList } from "../../build/protocol/handshake/header-list.js";

const MAX_BODY = 64 * 1024;

function bodyOf(headers: string, chunks: Iterable<Uint8Array>) {
  const body = new RejectionBody({ status: 403, headers: new HeaderList(headers) });
  let isComplete = false;
  for (const chunk of chunks) isComplete = body.push(chunk);
  return { isComplete, bytes: Buffer.from(body.take()) };
}

test("H: the body of a refusal is read to its end and not beyond, at most 64 KiB of it, however it is cut (RFC 9112 section 7.1)", () => {
  const data = fc.uint8Array({ minLength: 1, maxLength: 40 });
  const cut = fc.integer({ min: 1, max: 30 });
  const extension = fc.constantFrom("", ";name=value", " ", `;${"x".repeat(100)}`);
  fc.assert(
    fc.property(fc.array(fc.tuple(data, extension)), cut, (parts, size) => {
      const whole = Buffer.concat(parts.map(([bytes]) => bytes));
      const chunked = Buffer.concat([
        ...parts.flatMap(([bytes, rest]) => [
          Buffer.from(`${bytes.length.toString(16)}${rest}\r\n`),
          bytes,
          Buffer.from("\r\n"),
        ]),
        Buffer.from("0\r\n\r\nwhat follows"),
      ]);
      assert.deepEqual(bodyOf("Transfer-Encoding: chunked\r\n", slices(chunked, size)), {
        isComplete: true,
        bytes: whole,
      });
      const plain = Buffer.concat([whole, Buffer.from("what follows")]);
      assert.deepEqual(bodyOf(`Content-Length: ${whole.length}\r\n`, slices(plain, size)), {
        isComplete: true,
        bytes: whole,
      });
      assert.deepEqual(bodyOf("", slices(plain, size)), { isComplete: false, bytes: plain });
    }),
  );
});

function* slices(bytes: Uint8Array, size: number): Iterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

test("H: for any chunk sizes, a body is bytes, and it ends", () => {
  const line = fc.oneof(
    fc.constantFrom("", "-1", "0x10", "ffffffffffffffffffffff", "1e3", "NaN", ";", "00000000000000000000001"),
    fc.string({ maxLength: 50 }),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const { bytes } = bodyOf("Transfer-Encoding: chunked\r\n", [Buffer.from(lines.join("\r\n"))]);
      assert(bytes.length <= MAX_BODY);
    }),
  );
  for (const endless of ["\r\n", "1\r\nx\r\n", "x", "ffffffff\r\nxxxxx"]) {
    const text = Buffer.from(endless.repeat(3 * MAX_BODY));
    assert.equal(bodyOf("Transfer-Encoding: chunked\r\n", [text]).isComplete, true, endless);
  }
});

test("H: a refusal whose body never ends is over after 64 KiB of it", async () => {
  for (const headers of ["", "Content-Length: 99999999999\r\n"]) {
    await using server = await RawServer.start({}, async (peer) => {
      await peer.readHead();
      peer.write(`HTTP/1.1 403 Forbidden\r\n${headers}\r\n`);
      peer.write("x".repeat(10 * MAX_BODY));
      await peer.ended;
    });
    await assert.rejects(connect(server.url()), (error) => {
      assert(error instanceof InvalidStatusError);
      assert.equal(Buffer.from(error.body).toString(), "x".repeat(MAX_BODY));
      return true;
    });
  }
});

test("H: reading a response whose head never ends stops at maxHandshakeSize", async () => {
  for (const endless of ["HTTP/1.1 101 ", "HTTP/1.1 101 OK\r\nX: ", "\r\n", "HTTP/1.1 200 OK\r\n"]) {
    await using server = await RawServer.start({}, async (peer) => {
      await peer.readHead();
      peer.write(endless + "x: y\r\n".repeat(64 * 1024));
      await peer.ended;
    });
    await assert.rejects(connect(server.url()), InvalidUpgradeError);
  }
});
