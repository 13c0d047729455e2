import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvalidURLError } from "../../../build/shared/errors.js";
import { parseWebSocketURL } from "../../../build/protocol/handshake/url.js";

test("B2: a URL is parsed, and the default port is omitted from Host (RFC 6455 section 3)", () => {
  assert.deepEqual(parseWebSocketURL("wss://Example.com:443/chat?room=1"), {
    href: "wss://example.com/chat?room=1",
    isSecure: true,
    hostname: "example.com",
    port: 443,
    host: "example.com",
    origin: "wss://example.com",
    target: "/chat?room=1",
    authorization: null,
    socketPath: null,
  });
});

test("B2: an empty path is /, and another port stays in Host", () => {
  assert.deepEqual(parseWebSocketURL("ws://localhost:8080"), {
    href: "ws://localhost:8080/",
    isSecure: false,
    hostname: "localhost",
    port: 8080,
    host: "localhost:8080",
    origin: "ws://localhost:8080",
    target: "/",
    authorization: null,
    socketPath: null,
  });
});

test("B2: a query without a path follows /", () => {
  assert.equal(parseWebSocketURL("ws://localhost?a=b").target, "/?a=b");
});

test("B2: an IPv6 address has brackets in Host and none for connecting", () => {
  const { hostname, host, port } = parseWebSocketURL("wss://[::1]:9000/");
  assert.deepEqual({ hostname, host, port }, { hostname: "::1", host: "[::1]:9000", port: 9000 });
});

test("B2: http and https are aliases of ws and wss, with their ports", () => {
  assert.deepEqual(parseWebSocketURL("http://a/b"), parseWebSocketURL("ws://a:80/b"));
  assert.deepEqual(parseWebSocketURL("https://a/b"), parseWebSocketURL("wss://a:443/b"));
  assert.deepEqual(parseWebSocketURL(new URL("https://a/b")), parseWebSocketURL("wss://a/b"));
  assert.equal(parseWebSocketURL("http://a:443/").host, "a:443");
});

test("B2: user info becomes Basic authorization in UTF-8, and appears nowhere else (RFC 7617)", () => {
  const url = parseWebSocketURL("wss://us%20er:p%C3%A4ss%40@example.com/");
  assert.equal(url.authorization, `Basic ${Buffer.from("us er:päss@").toString("base64")}`);
  assert.deepEqual({ ...url, authorization: null }, parseWebSocketURL("wss://example.com/"));
  assert.equal(
    parseWebSocketURL("ws://user@a/").authorization,
    `Basic ${Buffer.from("user:").toString("base64")}`,
  );
});

const UNIX: readonly (readonly [url: string, expected: object])[] = [
  ["ws+unix:/run/chat.sock:/room?q=1", {}],
  ["WS+UNIX:/run/chat.sock:/room?q=1", {}],
  ["ws+unix:///run/chat.sock:/room?q=1", {}],
  ["ws+unix:/%2Frun/chat.sock:/room?q=1", {}],
  ["ws+unix:/run/chat.sock", { target: "/", href: "ws+unix:/run/chat.sock:/" }],
  [
    "ws+unix:%00chat:/room",
    { target: "/room", href: "ws+unix:%00chat:/room", origin: "ws+unix:%00chat:", socketPath: "\0chat" },
  ],
  ["ws+unix:/run/chat.sock:", { target: "/", href: "ws+unix:/run/chat.sock:/" }],
  ["ws+unix:/run/chat.sock?a=b", { target: "/?a=b", href: "ws+unix:/run/chat.sock:/?a=b" }],
  ["ws+unix:/run/chat.sock:/a:b/../é", { target: "/%C3%A9", href: "ws+unix:/run/chat.sock:/%C3%A9" }],
  [
    "wss+unix:/run/a%3Ab%20c:/",
    {
      href: "wss+unix:/run/a%3Ab%20c:/",
      isSecure: true,
      port: 443,
      origin: "wss+unix:/run/a%3Ab%20c:",
      target: "/",
      socketPath: "/run/a:b c",
    },
  ],
];
for (const [text, expected] of UNIX) {
  test(`B8: the URL of a Unix socket: ${text}`, () => {
    const url = parseWebSocketURL(text);
    assert.deepEqual(url, {
      href: "ws+unix:/run/chat.sock:/room?q=1",
      isSecure: false,
      hostname: "localhost",
      port: 80,
      host: "localhost",
      origin: "ws+unix:/run/chat.sock:",
      target: "/room?q=1",
      authorization: null,
      socketPath: "/run/chat.sock",
      ...expected,
    });
    assert.deepEqual(parseWebSocketURL(url.href), url, "what it says of itself is read again as the same");
  });
}

test("B8: any path of a socket can be recovered from the URL", () => {
  const names = fc.array(fc.string({ unit: "grapheme", minLength: 1 }), { minLength: 1 });
  fc.assert(
    fc.property(names, (parts) => {
      // eslint-disable-next-line no-control-regex -- what no path of a URL may hold
      const path = `/${parts.join("/")}`.replace(/^\/+/, "/").replace(/[\x00-\x1f\x7f]/g, "-");
      if (path === "/") return;
      const url = parseWebSocketURL(`ws+unix:${path.split("/").map(encodeURIComponent).join("/")}:/x`);
      assert.deepEqual([url.socketPath, url.target], [path, "/x"]);
    }),
  );
});

const REFUSED: readonly [why: string, url: string, message: RegExp][] = [
  [
    "another scheme",
    "ftp://host/",
    /^Expected a URL with the scheme ws: or wss: .*, got "ftp:\/\/host\/"\.$/,
  ],
  ["a scheme that is a host's name", "localhost:8080", /^Expected a URL with the scheme ws: or wss:/],
  ["no scheme", "/chat", /^Expected an absolute URL/],
  ["nothing", "", /^Expected an absolute URL .*, got ""\.$/],
  ["an empty host", "ws://", /^Expected a host after "ws:\/\/", got "ws:\/\/"\.$/],
  ["an empty host before a path", "ws:///chat", /^Expected a host after/],
  ["no slashes", "wss:host", /^Expected a host after "wss:\/\/"/],
  ["an empty host before a port", "ws://:80/", /^Expected a URL such as/],
  ["a port out of range", "ws://host:65536/", /^Expected a URL such as "wss:\/\/example.com\/chat", got/],
  ["a fragment", "ws://host/#part", /^Expected a URL without a fragment .*, got "ws:\/\/host\/#part"\.$/],
  ["an empty fragment", "ws://host/#", /^Expected a URL without a fragment/],
  [
    "a line break in the path",
    "ws://host/a\r\nX: y",
    /^Expected a URL without control characters, got U\+000D/,
  ],
  ["a NUL", "ws://host/\0", /^Expected a URL without control characters, got U\+0000 at index 10\.$/],
  ["user info that is not UTF-8", "ws://%ff@host/", /^Expected user info of percent-encoded UTF-8/],
  ["a line break in user info", "ws://a%0d:b@host/", /^Expected user info .* without control characters/],
  ["a Unix socket without a path", "ws+unix:", /^Expected the absolute path of a socket and a request/],
  ["the root folder as a Unix socket", "ws+unix:/%2F:/", /^Expected the absolute path of a socket/],
  ["a relative path of a Unix socket", "ws+unix:a.sock:/", /^Expected the absolute path of a socket/],
  ["a Unix socket on a host", "ws+unix://user:s3cret@host/a.sock", /, got "ws\+unix:\/\/host\/a.sock"\.$/],
  [
    "a request without a slash",
    "ws+unix:/a.sock:chat",
    /^Expected the absolute path of a socket and a request/,
  ],
  ["a fragment after a Unix socket", "ws+unix:/a.sock:/#x", /^Expected a URL without a fragment/],
  ["a NUL in the path of a socket", "ws+unix:/a%00b:/", /^Expected the absolute path of a socket/],
  ["a path of a socket that is not UTF-8", "ws+unix:/a%ff:/", /^Expected the absolute path of a socket/],
  [
    "a lone surrogate in the path of a socket",
    "ws+unix:/a\ud800:/",
    /^Expected the absolute path of a socket/,
  ],
  ["a colon in a user name", "ws://a%3Ab:c@host/", /^Expected a user name without a colon/],
];
for (const [why, url, message] of REFUSED) {
  test(`B2: ${why} is refused: ${JSON.stringify(url)}`, () => {
    assert.throws(() => parseWebSocketURL(url), { name: "InvalidURLError", message });
  });
}

test("B2: no error shows user info, wherever the URL is broken", () => {
  for (const url of [
    "ws://user:s3cret@host:99999/",
    "ftp://user:s3cret@host/",
    "ws://user:s3cret@host/#",
    "ws://user:1#s3cret@host/",
    "ws://user:s3/cret@host/",
    "user:s3cret@host",
    "ws://user:s3cret@",
    "ws://user:%ffs3cret@host/",
  ]) {
    assert.throws(
      () => parseWebSocketURL(url),
      (error) =>
        error instanceof InvalidURLError && !/cret|user:/.test(JSON.stringify([error.message, error.cause])),
      url,
    );
  }
});

test("B2: any text gives a URL or InvalidURLError, and no space or line break is sent", () => {
  const texts = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.webUrl(),
    fc.string().map((rest) => `ws://h/${rest}`),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        const { target, host } = parseWebSocketURL(text);
        assert.match(target, /^\/[\x21-\x7e]*$/);
        assert.match(host, /^[\x21-\x7e]+$/);
      } catch (error) {
        assert.ok(error instanceof InvalidURLError);
      }
    }),
  );
});

test("B2: a non-ASCII URL is read in the ten thousandth call as in the first", () => {
  const hosts = new Set<string>();
  for (let call = 0; call < 10_000; call++) hosts.add(parseWebSocketURL("ws://b\u00fccher.example/").host);
  assert.deepEqual([...hosts], ["xn--bcher-kva.example"]);
});
