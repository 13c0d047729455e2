import assert from "node:assert/strict";
import { test } from "node:test";
import { assertLinear } from "holdfast-testkit";
import { RejectionBody } from "../../build/client/rejection-body.js";
import { parseAuthority } from "../../build/protocol/handshake/authority.js";
import { checkServerAnswer } from "../../build/protocol/handshake/client-handshake.js";
import { parseExtensions } from "../../build/protocol/handshake/extension-header.js";
import { isHeadFailure } from "../../build/protocol/handshake/head-failure.js";
import { HeadReader } from "../../build/protocol/handshake/head-reader.js";
import { readHeaders } from "../../build/protocol/handshake/header-input.js";
import { HeaderList } from "../../build/protocol/handshake/header-list.js";
import { isOriginAllowed } from "../../build/protocol/handshake/origin.js";
import { quote } from "../../build/shared/quote.js";
import { parseRequestHead } from "../../build/protocol/handshake/request-head.js";
import { originForm } from "../../build/protocol/handshake/request-target.js";
import { parseResponseHead } from "../../build/protocol/handshake/response-head.js";
import { parseRetryAfter } from "../../build/protocol/handshake/retry-after.js";
import { judgeRequest } from "../../build/protocol/handshake/server-handshake.js";
import { isToken, listHasToken, parseTokenList } from "../../build/shared/token.js";
import { parseWebSocketURL } from "../../build/protocol/handshake/url.js";

const SIZE = 64 * 1024;
const UNITS = [
  " ",
  ",",
  '"',
  "\t",
  ", ",
  '",',
  '"\\',
  "a,",
  "; ",
  "a=",
  "=",
  ":",
  "/",
  "@",
  "%",
  "[",
  "0",
  "\\",
];

const LIMITS = { maxSize: 2 * SIZE, maxHeaders: 128 };
const JUDGE = { isSecure: false, origins: "same-origin" } as const;
const EXPECTED = { key: "dGhlIHNhbXBsZSBub25jZQ==", subprotocols: ["chat"], offeredExtensions: ["x"] };
/** Each of these is hostile in one header, and otherwise valid. */
const REQUEST = {
  Host: "localhost",
  Upgrade: "websocket",
  Connection: "Upgrade",
  "Sec-WebSocket-Key": EXPECTED.key,
  "Sec-WebSocket-Version": "13",
};
const RESPONSE = {
  Upgrade: "websocket",
  Connection: "Upgrade",
  "Sec-WebSocket-Accept": "s3pPLMBiTxaQ9kYGzhZRbK+xOo8=",
};
const HOSTILE = ["Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions", "Origin", "Retry-After"];

/** Any result will do, as long as it is fast. */
const PARSERS: Readonly<Record<string, (text: string) => unknown>> = {
  isToken,
  parseTokenList,
  listHasToken: (text) => listHasToken(text, "upgrade"),
  parseExtensions,
  parseAuthority,
  parseRetryAfter: (text) => parseRetryAfter(text, 0),
  quote,
  originForm: (text) => [originForm(text, "localhost"), originForm(`http://${text}`, text)],
  isOriginAllowed: (text) =>
    [false, true].map((isFromLoopback) =>
      isOriginAllowed(
        `http://${text}`,
        { host: text, isSecure: false, isFromLoopback: () => isFromLoopback },
        "same-origin",
      ),
    ),
  readHeaders: (text) => refusedOr(() => readHeaders({ X: text })),
  // After the scheme, in place of the scheme, and as user info, which no message may show.
  parseWebSocketURL: (text) =>
    [text, `ws:${text}`, `ws://${text}`, `ws://localhost/${text}`, `ws://${text}@localhost/#`].map((url) =>
      refusedOr(() => parseWebSocketURL(url)),
    ),
  "the request line": (text) => parseRequestHead({ startLine: `GET ${text}`, headers: new HeaderList("") }),
  "the status line": (text) =>
    parseResponseHead({ startLine: `HTTP/1.1 ${text}`, headers: new HeaderList("") }),
  "the head of a request": (text) =>
    Object.keys({ ...REQUEST, ...Object.fromEntries(HOSTILE.map((name) => [name, ""])) }).map((name) => {
      const head = readHead("GET / HTTP/1.1", { ...REQUEST, [name]: text });
      if (head === null) return null;
      const request = parseRequestHead(head);
      return isHeadFailure(request) ? null : judgeRequest(request, JUDGE);
    }),
  "the head of a response": (text) =>
    Object.keys({ ...RESPONSE, ...Object.fromEntries(HOSTILE.map((name) => [name, ""])) }).map((name) => {
      const head = readHead("HTTP/1.1 101 OK", { ...RESPONSE, [name]: text });
      if (head === null) return null;
      const response = parseResponseHead(head);
      return isHeadFailure(response) ? null : checkServerAnswer(response, EXPECTED);
    }),
};

function readHead(startLine: string, headers: Readonly<Record<string, string>>) {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const result = new HeadReader(LIMITS).push(Buffer.from(`${startLine}\r\n${lines.join("")}\r\n`, "latin1"));
  return result === "incomplete" || isHeadFailure(result) ? null : result.head;
}

function refusedOr(parse: () => unknown): unknown {
  try {
    return parse();
  } catch (error) {
    return error;
  }
}

for (const [name, parse] of Object.entries(PARSERS)) {
  test(`H: ${name} takes time linear in 64 KiB of spaces, commas, quotes and the like`, async (t) => {
    const times: number[] = [];
    for (const unit of UNITS) {
      const run = (size: number): unknown => parse(unit.repeat(size / unit.length));
      times.push(await assertLinear(SIZE, run, JSON.stringify(unit)));
    }
    t.diagnostic(`slowest ${Math.max(...times).toFixed(2)} ms`);
  });
}

test("H: the body of a refusal takes time linear in its bytes, however small its chunks and those of TCP", async () => {
  const headers = new HeaderList("Transfer-Encoding: chunked\r\n");
  const read = (count: number): void => {
    const bytes = Buffer.from("1\r\nx\r\n".repeat(count));
    const body = new RejectionBody({ status: 403, headers });
    for (let at = 0; at < bytes.length && !body.push(bytes.subarray(at, at + 1)); at++);
    assert.equal(Buffer.from(body.take()).toString(), "x".repeat(count));
  };
  await assertLinear(20_000, read, "The body");
});
