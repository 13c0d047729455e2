import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { connect, InvalidStatusError, reconnect } from "holdfast";
import {
  activeResources,
  assertNothingLeft,
  RawServer,
  type RawScript,
  type ResourceCounts,
} from "holdfast-testkit";
import { assertExpires } from "./expiry.js";

describe("A refusal", () => {
  let resources: ResourceCounts;

  beforeEach(() => {
    resources = activeResources();
  });
  afterEach(async () => {
    await assertNothingLeft(resources);
  });

  /** The error that connect() rejects with when the server runs the script. */
  async function refusedBy(script: RawScript) {
    const server = await RawServer.start({}, script);
    try {
      const began = performance.now();
      const error: unknown = await connect(server.url("/chat")).catch((reason: unknown) => reason);
      assert(error instanceof InvalidStatusError, String(error));
      assert(performance.now() - began < 9_000, "not to be found out by openTimeout");
      const { name, code, failure, status, headers, body, retryAfter } = error;
      const message = error.message.replace(String(server.port), "PORT");
      return {
        name,
        code,
        failure,
        message,
        status,
        headers,
        body: Buffer.from(body).toString("latin1"),
        retryAfter,
      };
    } finally {
      await server.close();
    }
  }

  test("B4: a refusal carries status, headers, body and Retry-After", async () => {
    const { headers, ...rest } = await refusedBy(async (peer) => {
      await peer.readHead();
      const fields = { "Retry-After": "120", "Content-Type": "application/json", "X-A": ["1", "2"] };
      peer.respond(403, { headers: fields, body: '{"error":"no"}' });
    });
    assert.deepEqual(rest, {
      name: "InvalidStatusError",
      code: "ERR_HOLDFAST_INVALID_STATUS",
      failure: "rejected",
      message: "Expected ws://127.0.0.1:PORT/chat to answer 101 (Switching Protocols), got 403 Forbidden.",
      status: 403,
      body: '{"error":"no"}',
      retryAfter: 120_000,
    });
    assert.deepEqual(
      [...headers],
      [
        ["connection", "close"],
        ["content-length", "14"],
        ["content-type", "application/json"],
        ["retry-after", "120"],
        ["x-a", "1, 2"],
      ],
    );
  });

  const answer = (head: string, ...parts: readonly string[]): RawScript => {
    return async (peer) => {
      await peer.readHead();
      for (const part of [`HTTP/1.1 ${head}\r\n\r\n`, ...parts]) {
        peer.write(part);
        await peer.flushed();
        await peer.pause(5);
      }
    };
  };
  const ended = (script: RawScript): RawScript => {
    return async (peer) => {
      await script(peer);
      peer.end();
    };
  };
  const big = "x".repeat(100_000);
  const bodies: readonly (readonly [name: string, script: RawScript, body: string])[] = [
    ["a body in pieces", answer("404 Not Found\r\nContent-Length: 6", "a", "bc", "def"), "abcdef"],
    [
      "a chunked body",
      answer("502 Bad Gateway\r\nTransfer-Encoding: chunked", "3\r\nabc\r\n", "2;x=y\r\nde\r\n0\r\n\r\n"),
      "abcde",
    ],
    [
      "a chunked body, byte by byte",
      answer("502 Bad Gateway\r\nTransfer-Encoding: gzip, Chunked", ...Array.from("4\r\nwiki\r\n0\r\n\r\n")),
      "wiki",
    ],
    ["no body", answer("401 Unauthorized\r\nContent-Length: 0"), ""],
    ["a status that has no body", answer("204 No Content"), ""],
    ["another, with a length", answer("304 Not Modified\r\nContent-Length: 7"), ""],
    [
      "a body that the end of the stream ends",
      ended(answer("500 Oops", "until ", "the end")),
      "until the end",
    ],
    ["a body that is cut short", ended(answer("500 Oops\r\nContent-Length: 100", "half")), "half"],
    [
      "a chunked body that is cut short",
      ended(answer("500 Oops\r\nTransfer-Encoding: chunked", "5\r\nab")),
      "ab",
    ],
    ["a body over 64 KiB", answer("500 Oops\r\nContent-Length: 1000000000", big), big.slice(0, 65_536)],
    [
      "a chunked body over 64 KiB",
      answer(
        "500 Oops\r\nTransfer-Encoding: chunked",
        `${big.length.toString(16)}\r\n${big}\r\n${"5\r\naaaaa\r\n".repeat(10_000)}`,
      ),
      big.slice(0, 65_536),
    ],
    ["more than Content-Length", answer("500 Oops\r\nContent-Length: 2", "abcdef"), "ab"],
  ];
  for (const [name, script, body] of bodies) {
    test(`B4: ${name}`, async () => {
      assert.equal((await refusedBy(script)).body, body);
    });
  }

  test("B4: a refusal whose body never ends is reported at openTimeout, not as OpenTimeoutError, because the status is known", async () => {
    await using server = await RawServer.start({}, answer("503 Busy\r\nRetry-After: 1", "so far"));
    const open = (openTimeout: number) => connect(server.url(), { openTimeout });
    const body = new Uint8Array(Buffer.from("so far"));
    await assertExpires("body", open, () => ({ status: 503, body, retryAfter: 1000 }));
    await server.close();
  });

  const inTen = () => new Date(Date.now() + 10_000).toUTCString();
  const retryAfters: readonly (readonly [
    value: string | (() => string),
    ok: (ms: number | null) => boolean,
  ])[] = [
    ["0", (ms) => ms === 0],
    ["5", (ms) => ms === 5000],
    [inTen, (ms) => ms !== null && ms > 5000 && ms <= 10_000],
    ["Thu, 01 Jan 1970 00:00:00 GMT", (ms) => ms === 0 || ms === null],
    ["-5", (ms) => ms === null],
    ["NaN", (ms) => ms === null],
    ["inf", (ms) => ms === null],
    ["1e400", (ms) => ms === null],
    ["soon", (ms) => ms === null],
  ];
  test("B4: Retry-After in seconds or as a date; invalid values are ignored", async () => {
    for (const [given, isOk] of retryAfters) {
      const value = typeof given === "string" ? given : given();
      const { retryAfter } = await refusedBy(
        answer(`503 Busy\r\nContent-Length: 0\r\nRetry-After: ${value}`),
      );
      assert(isOk(retryAfter), `${value} became ${retryAfter}`);
    }
  });

  test("B4: interim responses before the refusal, or before the 101, are skipped", async () => {
    const hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    const refusal = await refusedBy(async (peer) => {
      await peer.readHead();
      peer.write(`HTTP/1.1 100 Continue\r\n\r\n${hints}HTTP/1.1 403 No\r\nContent-Length: 1\r\n\r\nx`);
    });
    assert.deepEqual([refusal.status, refusal.body], [403, "x"]);
    const server = await RawServer.start({}, async (peer) => {
      peer.write(hints);
      await peer.acceptUpgrade();
    });
    const connection = await connect(server.url());
    assert.equal(connection.response.status, 101);
    connection.terminate();
    await connection.closed;
    await server.close();
  });

  for (const status of [600, 777, 999]) {
    test(`B4: ${status} is a refusal like 5xx, and can be retried (RFC 9110 section 15)`, async () => {
      const refusal = await refusedBy(async (peer) => {
        await peer.readHead();
        peer.write(`HTTP/1.1 ${status} Odd\r\nContent-Length: 2\r\nRetry-After: 1\r\n\r\nno`);
      });
      assert.deepEqual(
        [refusal.status, refusal.body, refusal.retryAfter, refusal.message],
        [
          status,
          "no",
          1000,
          `Expected ws://127.0.0.1:PORT/chat to answer 101 (Switching Protocols), got ${status} Odd.`,
        ],
      );
      await using server = await RawServer.start({}, async (peer) => {
        await peer.readHead();
        if (server.peers.length === 1) peer.write(`HTTP/1.1 ${status} Odd\r\nContent-Length: 0\r\n\r\n`);
        else peer.respond(404);
      });
      const attempts = reconnect(server.url(), { firstDelay: 1 });
      await assert.rejects(attempts[Symbol.asyncIterator]().next(), {
        name: "InvalidStatusError",
        status: 404,
      });
      await server.close();
    });
  }

  for (const line of [
    "HTTP/1.1 099 Low",
    "HTTP/1.1 1000 High",
    "HTTP/1.1 99 Short",
    "HTTP/1.1 6OO Letters",
  ]) {
    test(`B4: "${line}" is no status`, async () => {
      await using server = await RawServer.start({}, async (peer) => {
        await peer.readHead();
        peer.write(`${line}\r\n\r\n`);
      });
      await assert.rejects(connect(server.url()), { name: "InvalidUpgradeError" });
      await server.close();
    });
  }

  test("B4: a Content-Length that is repeated counts once; one that contradicts itself leaves no body to wait for", async () => {
    const withLengths = (...lengths: readonly string[]) =>
      refusedBy(async (peer) => {
        await peer.readHead();
        const fields = lengths.map((length) => `Content-Length: ${length}\r\n`).join("");
        peer.write(`HTTP/1.1 500 No\r\n${fields}\r\nhello`); // And the connection stays open.
      });
    assert.equal((await withLengths("5", "5")).body, "hello");
    assert.equal((await withLengths("5, 5")).body, "hello");
    assert.equal((await withLengths("5", "6")).body, "");
    assert.equal((await withLengths("-5")).body, "");
  });
});
