import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import { InvalidHeaderError } from "../../../build/shared/errors.js";
import {
  createClientHandshake,
  type ClientHandshakeOptions,
} from "../../../build/protocol/handshake/client-handshake.js";
import type { HeadersInput } from "../../../build/protocol/handshake/header-input.js";
import { parseWebSocketURL } from "../../../build/protocol/handshake/url.js";
import { headBytes, SAMPLE_KEY } from "./heads.js";

const url = parseWebSocketURL("ws://user:pass@example.com:8080/chat?a=b");
const FIXED = [
  "Upgrade: websocket",
  "Connection: Upgrade",
  `Sec-WebSocket-Key: ${SAMPLE_KEY}`,
  "Sec-WebSocket-Version: 13",
];

test("B3: the minimal request (RFC 6455 section 4.1)", () => {
  const { bytes, request } = create({ url: parseWebSocketURL("ws://example.com") });
  assert.deepEqual(bytes, headBytes("GET / HTTP/1.1", "Host: example.com", ...FIXED));
  assert.deepEqual(
    [request.method, request.target, request.headers.get("host")],
    ["GET", "/", "example.com"],
  );
});

test("B3: the request with everything", () => {
  const { bytes, request } = create({
    headers: { "X-One": " 1 ", "X-Two": ["2", "\xe4"], ["__proto__"]: "3" },
    subprotocols: ["chat", "superchat"],
    origin: "http://example.com",
    extensionOffer: "permessage-deflate",
    userAgent: "holdfast",
  });
  const lines = [
    "Host: example.com:8080",
    ...FIXED,
    "Sec-WebSocket-Extensions: permessage-deflate",
    "Sec-WebSocket-Protocol: chat, superchat",
    "Origin: http://example.com",
    "User-Agent: holdfast",
    `Authorization: Basic ${Buffer.from("user:pass").toString("base64")}`,
    "X-One: 1",
    "X-Two: 2",
    "X-Two: \xe4",
    "__proto__: 3",
  ];
  assert.deepEqual(bytes, headBytes("GET /chat?a=b HTTP/1.1", ...lines));
  assert.equal(request.headers.toString(), lines.map((line) => `${line}\r\n`).join(""));
});

test("B5: headers come as Headers, an object or pairs", () => {
  const forms: HeadersInput[] = [
    new Headers({ cookie: "a=b" }),
    { cookie: "a=b" },
    [["cookie", "a=b"]],
    new Map([["cookie", "a=b"]]),
  ];
  for (const headers of forms)
    assert.deepEqual(create({ headers }).bytes, create({ headers: { cookie: "a=b" } }).bytes);
});

test("B2: Host, User-Agent and Authorization of the caller replace those of the handshake", () => {
  const headers = { authorization: "Bearer x", HOST: "inner:1", "user-agent": "mine" };
  assert.deepEqual(
    create({ headers, userAgent: "holdfast" }).bytes,
    headBytes(
      "GET /chat?a=b HTTP/1.1",
      "Host: inner:1",
      ...FIXED,
      "authorization: Bearer x",
      "user-agent: mine",
    ),
  );
});

const REFUSED: readonly [why: string, options: object, header: string, message: RegExp][] = [
  [
    "CR and LF in a value",
    { headers: { a: "b\r\nc: d" } },
    "a",
    /^Expected the value of header "a" .*U\+000D at index 1/,
  ],
  ["a lone LF in a value", { headers: [["a", "b\n"]] }, "a", /U\+000A at index 1\.$/],
  ["a NUL in a value", { headers: { a: "\0" } }, "a", /U\+0000 at index 0\.$/],
  ["a value that is not ISO 8859-1", { headers: { a: "\u0100" } }, "a", /U\+0100 at index 0\.$/],
  ["a number as a value", { headers: { a: 1 } }, "a", /to be a string, got number\.$/],
  ["a number in a list", { headers: { a: ["b", 1] } }, "a", /to be a string, got number\.$/],
  [
    "CR and LF in a name",
    { headers: { "a\r\nb": "c" } },
    "a\r\nb",
    /to be a token .*, got "a\\u000d\\u000ab"\.$/,
  ],
  ["an empty name", { headers: { "": "c" } }, "", /to be a token .*, got ""\.$/],
  ["a space in a name", { headers: { "a ": "c" } }, "a ", /to be a token .*, got "a "\.$/],
  ["a symbol as a name", { headers: [[Symbol("a"), "c"]] }, "", /to be a token .*, got symbol\.$/],
  [
    "a text as headers",
    { headers: "a: b" },
    "",
    /^Expected `headers` to be Headers, an object or pairs, got string\.$/,
  ],
  ["null as headers", { headers: null }, "", /^Expected `headers` to be/],
  ["something else than pairs", { headers: ["ab"] }, "", /to be a pair of a name and a value, got string\.$/],
  [
    "Connection",
    { headers: { Connection: "close" } },
    "Connection",
    /handshake does not set itself, got "Connection"\.$/,
  ],
  ["Upgrade", { headers: { UPGRADE: "h2c" } }, "UPGRADE", /handshake does not set itself/],
  [
    "the key",
    { headers: { "sec-websocket-key": "x" } },
    "sec-websocket-key",
    /handshake does not set itself/,
  ],
  [
    "Content-Length",
    { headers: { "Content-Length": "1" } },
    "Content-Length",
    /handshake does not set itself/,
  ],
  [
    "Transfer-Encoding",
    { headers: { "Transfer-Encoding": "" } },
    "Transfer-Encoding",
    /handshake does not set itself/,
  ],
  [
    "two Hosts",
    { headers: { Host: ["a", "b"] } },
    "Host",
    /^Expected the header "Host" once, got it twice\.$/,
  ],
  [
    "a Host that is none",
    { headers: { Host: "a/b" } },
    "Host",
    /to be a host and an optional port, got "a\/b"\.$/,
  ],
  ["the origin twice", { origin: "http://a", headers: { origin: "http://b" } }, "Origin", /got both\.$/],
  [
    "a line break in the origin",
    { origin: "http://a\r\nb: c" },
    "Origin",
    /"Origin" .*U\+000D at index 8\.$/,
  ],
  ["a line break in the user agent", { userAgent: "a\n" }, "User-Agent", /U\+000A at index 1\.$/],
  [
    "a subprotocol of two words",
    { subprotocols: ["a b"] },
    "Sec-WebSocket-Protocol",
    /to be a token .*, got "a b"\.$/,
  ],
  [
    "a line break in a subprotocol",
    { subprotocols: ["a\r\n"] },
    "Sec-WebSocket-Protocol",
    /got "a\\u000d\\u000a"\.$/,
  ],
  [
    "a text as subprotocols",
    { subprotocols: "chat" },
    "Sec-WebSocket-Protocol",
    /to be a list, got string\.$/,
  ],
  ["an empty subprotocol", { subprotocols: [""] }, "Sec-WebSocket-Protocol", /got ""\.$/],
  ["a number as a subprotocol", { subprotocols: [1] }, "Sec-WebSocket-Protocol", /got number\.$/],
  [
    "a subprotocol twice",
    { subprotocols: ["a", "b", "a"] },
    "Sec-WebSocket-Protocol",
    /once, got "a" twice\.$/,
  ],
];
for (const [why, options, header, message] of REFUSED) {
  test(`B5: ${why} is refused before any I/O`, () => {
    // The cast stands for callers without types.
    assert.throws(() => create(options), {
      name: "InvalidHeaderError",
      header,
      message,
    });
  });
}

test("B5: no error shows the value of a header, as it may be a secret", () => {
  assert.throws(
    () => create({ headers: { Authorization: "Bearer s3cret\n" } }),
    (error) => error instanceof InvalidHeaderError && !error.message.includes("s3cret"),
  );
});

test("B5: no header can add a line to the request", () => {
  const names = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("X", "Cookie", "__proto__"));
  const values = fc.string({
    unit: fc.constantFrom("a", ":", " ", "\t", "\xff", "\r", "\n", "\0", "\u010a"),
  });
  fc.assert(
    fc.property(names, values, (name, value) => {
      try {
        const { bytes } = create({ headers: [[name, value]], subprotocols: ["a"] });
        const lines = Buffer.from(bytes)
          .toString("latin1")
          .split(/\r\n|\r|\n/);
        assert.equal(lines.filter((line) => line === "").length, 2);
        assert.equal(lines.length, 11);
      } catch (error) {
        assert.ok(error instanceof InvalidHeaderError, String(error));
      }
    }),
  );
});

function create(options: Partial<ClientHandshakeOptions>) {
  return createClientHandshake({ url, key: SAMPLE_KEY, ...options });
}
