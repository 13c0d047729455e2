import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { SAMPLE_KEY } from "./heads.js";
import { judge, LINE, type Fields } from "./judge.js";

/** The text of a 403. */
const refusedOrigin = (got: string) =>
  `Expected an Origin of the host "example.com" and the scheme http (the request's Host; it came over plain HTTP), got ${got}. List the page in the option \`origins\`. Behind a proxy, set the option \`trustProxy\` and let the proxy send X-Forwarded-Host and X-Forwarded-Proto.`;
const refuse = (status: number, body: string, headers = {}) => ({ outcome: "refuse", status, headers, body });
const EXPECTED_HOST = 'Expected one valid header "Host", got';
const EXPECTED_KEY = "Expected one Sec-WebSocket-Key of 16 bytes in base64, got";
const EXPECTED_VERSION = 'Expected the header "Sec-WebSocket-Version: 13" once, got';
const EXPECTED_TARGET = 'Expected a path on the host "example.com" as the target, got';
const SHORT_KEY = Buffer.alloc(15).toString("base64");
const LONG_KEY = Buffer.alloc(17).toString("base64");
const ODD_KEY = `${"A".repeat(20)}==`;
const VERSION_HEADERS = { Upgrade: "websocket", "Sec-WebSocket-Version": "13" };

const REFUSED: readonly [why: string, line: string, fields: Fields, refusal: object][] = [
  ["no Host", LINE, { Host: [] }, refuse(400, `${EXPECTED_HOST} none.`)],
  ["two Hosts", LINE, { Host: ["a", "a"] }, refuse(400, `${EXPECTED_HOST} "a" and "a".`)],
  ["two joined Hosts", LINE, { Host: "a, b" }, refuse(400, `${EXPECTED_HOST} "a, b".`)],
  ["an empty Host", LINE, { Host: "" }, refuse(400, `${EXPECTED_HOST} "".`)],
  ["a Host with a path", LINE, { Host: "a/b" }, refuse(400, `${EXPECTED_HOST} "a/b".`)],
  ["a Host with user info", LINE, { Host: "a@b" }, refuse(400, `${EXPECTED_HOST} "a@b".`)],
  ["a Host with a port out of range", LINE, { Host: "a:65536" }, refuse(400, `${EXPECTED_HOST} "a:65536".`)],
  ["no Host in a plain request", LINE, { Host: [], Upgrade: [] }, refuse(400, `${EXPECTED_HOST} none.`)],
  ["POST", "POST /chat HTTP/1.1", {}, refuse(405, 'Expected the method GET, got "POST".', { Allow: "GET" })],
  [
    "no Connection",
    LINE,
    { Connection: [] },
    refuse(426, 'Expected the header "Connection: Upgrade", got none.', { Upgrade: "websocket" }),
  ],
  [
    "Connection without upgrade",
    LINE,
    { Connection: "keep-alive" },
    refuse(426, 'Expected the header "Connection: Upgrade", got "keep-alive".', { Upgrade: "websocket" }),
  ],
  [
    "no version",
    LINE,
    { "Sec-WebSocket-Version": [] },
    refuse(426, `${EXPECTED_VERSION} none.`, VERSION_HEADERS),
  ],
  [
    "version 8",
    LINE,
    { "Sec-WebSocket-Version": "8" },
    refuse(426, `${EXPECTED_VERSION} "8".`, VERSION_HEADERS),
  ],
  [
    "two versions",
    LINE,
    { "Sec-WebSocket-Version": ["13", "13"] },
    refuse(400, `${EXPECTED_VERSION} "13" and "13".`),
  ],
  ["no key", LINE, { "Sec-WebSocket-Key": [] }, refuse(400, `${EXPECTED_KEY} none.`)],
  [
    "a key of 15 bytes",
    LINE,
    { "Sec-WebSocket-Key": SHORT_KEY },
    refuse(400, `${EXPECTED_KEY} "${SHORT_KEY}".`),
  ],
  [
    "a key of 20 digits",
    LINE,
    { "Sec-WebSocket-Key": ODD_KEY },
    refuse(400, `${EXPECTED_KEY} "${ODD_KEY}".`),
  ],
  [
    "a key of 17 bytes",
    LINE,
    { "Sec-WebSocket-Key": LONG_KEY },
    refuse(400, `${EXPECTED_KEY} "${LONG_KEY}".`),
  ],
  [
    "a key that is not base64",
    LINE,
    { "Sec-WebSocket-Key": "\x80" },
    refuse(400, `${EXPECTED_KEY} "\\u0080".`),
  ],
  [
    "the key twice",
    LINE,
    { "Sec-WebSocket-Key": [SAMPLE_KEY, SAMPLE_KEY] },
    refuse(400, `${EXPECTED_KEY} "${SAMPLE_KEY}" and "${SAMPLE_KEY}".`),
  ],
  [
    "a body with a length",
    LINE,
    { "Content-Length": "5" },
    refuse(400, 'Expected an upgrade request without a body, got Content-Length "5".'),
  ],
  [
    "two lengths",
    LINE,
    { "Content-Length": ["0", "5"] },
    refuse(400, 'Expected an upgrade request without a body, got Content-Length "0" and "5".'),
  ],
  [
    "a chunked body",
    LINE,
    { "Transfer-Encoding": "chunked" },
    refuse(400, 'Expected an upgrade request without a body, got Transfer-Encoding "chunked".'),
  ],
  ["a foreign origin", LINE, { Origin: "http://evil" }, refuse(403, refusedOrigin('"http://evil"'))],
  ["the origin null", LINE, { Origin: "null" }, refuse(403, refusedOrigin('"null"'))],
  [
    "two origins",
    LINE,
    { Origin: ["http://example.com", "http://evil"] },
    refuse(403, refusedOrigin('"http://example.com" and "http://evil"')),
  ],
  [
    "a subprotocol of two words",
    LINE,
    { "Sec-WebSocket-Protocol": "a b" },
    refuse(
      400,
      'In Sec-WebSocket-Protocol: Expected a comma-separated list of tokens, got the element "a b".',
    ),
  ],
  [
    "a subprotocol twice",
    LINE,
    { "Sec-WebSocket-Protocol": "a, a" },
    refuse(400, 'Expected Sec-WebSocket-Protocol to name each subprotocol once, got "a" and "a".'),
  ],
  ["an asterisk as the target", "GET * HTTP/1.1", {}, refuse(400, `${EXPECTED_TARGET} "*".`)],
  [
    "an authority as the target",
    "GET example.com:80 HTTP/1.1",
    {},
    refuse(400, `${EXPECTED_TARGET} "example.com:80".`),
  ],
  ["a fragment in the target", "GET /a#b HTTP/1.1", {}, refuse(400, `${EXPECTED_TARGET} "/a#b".`)],
  [
    "another host in the target",
    "GET http://evil/ HTTP/1.1",
    {},
    refuse(400, `${EXPECTED_TARGET} "http://evil/".`),
  ],
  [
    "user info in the target",
    "GET http://example.com@evil/ HTTP/1.1",
    {},
    refuse(400, `${EXPECTED_TARGET} "http://example.com@evil/".`),
  ],
  [
    "another port in the target",
    "GET http://example.com:81/ HTTP/1.1",
    {},
    refuse(400, `${EXPECTED_TARGET} "http://example.com:81/".`),
  ],
  [
    "another scheme in the target",
    "GET ftp://example.com/ HTTP/1.1",
    {},
    refuse(400, `${EXPECTED_TARGET} "ftp://example.com/".`),
  ],
];
for (const [why, line, fields, refusal] of REFUSED) {
  test(`G3: a request with ${why} is refused with the reason`, () =>
    assert.deepEqual(judge(line, fields), refusal));
}
