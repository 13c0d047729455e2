import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServeOptions } from "../../../build/index.js";
import { seenBy } from "./proxied.js";

type Row = readonly [
  title: string,
  headers: Readonly<Record<string, string>>,
  options: ServeOptions,
  /** Null if the connection opens. */
  refusal: RegExp | null,
];

const SITE = "https://chat.example";

const ROWS: readonly Row[] = [
  [
    "nginx's default Host, without trustProxy",
    { Host: "127.0.0.1:8080", Origin: SITE },
    {},
    /^Expected an Origin of the host "127\.0\.0\.1:8080" and the scheme http \(the request's Host; it came over plain HTTP\), got "https:\/\/chat\.example"\. List the page in the option `origins`\. Behind a proxy, set the option `trustProxy` and let the proxy send X-Forwarded-Host and X-Forwarded-Proto\.$/,
  ],
  [
    "nginx's default Host, of a page without TLS",
    { Host: "127.0.0.1:8080", Origin: "http://chat.example" },
    {},
    /got "http:\/\/chat\.example"\. List the page in the option `origins`\. Behind a proxy, set the option `trustProxy` .*\.$/,
  ],
  [
    "nginx's default Host, with trustProxy and the headers",
    {
      Host: "127.0.0.1:8080",
      Origin: SITE,
      "X-Forwarded-Host": "chat.example",
      "X-Forwarded-Proto": "https",
    },
    { trustProxy: 1 },
    null,
  ],
  [
    "`Host $host` on another port",
    { Host: "chat.example", Origin: "http://chat.example:8080" },
    {},
    /^Expected an Origin of the host "chat\.example" .*got "http:\/\/chat\.example:8080"\. .*`trustProxy`.*X-Forwarded-Host/,
  ],
  [
    "`Host $http_host` on another port",
    { Host: "chat.example:8080", Origin: "http://chat.example:8080" },
    {},
    null,
  ],
  [
    "a proxy that ends TLS and passes Host on, without trustProxy",
    { Host: "chat.example", Origin: SITE },
    {},
    /scheme http \(the request's Host; it came over plain HTTP\), got "https:\/\/chat\.example"\. If a proxy ends TLS, set the option `trustProxy` and let the proxy send X-Forwarded-Proto; otherwise list the page in the option `origins`\.$/,
  ],
  [
    "the same, with trustProxy and without X-Forwarded-Proto",
    { Host: "chat.example", Origin: SITE },
    { trustProxy: 1 },
    /\(the request's Host; its client uses plain HTTP\).* Let the proxy send X-Forwarded-Proto, or list the page/,
  ],
  [
    "the same, with both",
    { Host: "chat.example", Origin: SITE, "X-Forwarded-Proto": "https" },
    { trustProxy: 1 },
    null,
  ],
  ["the same, listed", { Host: "chat.example", Origin: SITE }, { origins: [SITE] }, null],
  [
    "a page without TLS at a server behind TLS",
    { Host: "chat.example", Origin: "http://chat.example", "X-Forwarded-Proto": "https" },
    { trustProxy: 1 },
    /scheme https \(the request's Host; its client uses TLS\), got "http:\/\/chat\.example"/,
  ],
  [
    "a page of the proxy's other host",
    { Host: "chat.example", Origin: SITE, "X-Forwarded-Host": "b.example", "X-Forwarded-Proto": "https" },
    { trustProxy: 1 },
    /^Expected an Origin of the host "b\.example" and the scheme https \(the request's X-Forwarded-Host;/,
  ],
  [
    "a development server on another port",
    { Host: "localhost:8930", Origin: "http://localhost:5173" },
    {},
    null,
  ],
  ["localhost and 127.0.0.1", { Host: "127.0.0.1:8930", Origin: "http://localhost:8930" }, {}, null],
  ["[::1] and localhost", { Host: "localhost:8930", Origin: "https://[::1]:5173" }, {}, null],
  [
    "a development proxy on this machine that names its client",
    { Host: "localhost:8930", Origin: "http://localhost:5173", "X-Forwarded-For": "::ffff:127.0.0.1, ::1" },
    {},
    null,
  ],
  [
    "a proxy on this machine that rewrites Host, for a client elsewhere",
    { Host: "localhost:8930", Origin: "http://localhost:5173", "X-Forwarded-For": "203.0.113.9" },
    {},
    /Loopback names are one site only for a client on the same machine: list the page in the option `origins`\.$/,
  ],
  [
    "the same, with Forwarded (RFC 7239)",
    { Host: "localhost:8930", Origin: "http://localhost:5173", Forwarded: "for=203.0.113.9" },
    {},
    /one site only for a client on the same machine/,
  ],
  [
    "the same, with trustProxy",
    { Host: "localhost:8930", Origin: "http://localhost:5173", "X-Forwarded-For": "203.0.113.9" },
    { trustProxy: 1 },
    /one site only for a client on the same machine/,
  ],
  ...["unknown", "203.0.113.9, unknown"].map((chain): Row => [
    `a proxy with trustProxy that hides its client (X-Forwarded-For: ${chain})`,
    { Host: "localhost:8930", Origin: "http://localhost:5173", "X-Forwarded-For": chain },
    { trustProxy: 1 },
    /one site only for a client on the same machine/,
  ]),
  [
    "a name that a DNS server points at loopback",
    { Host: "evil.example:8930", Origin: "http://localhost:5173" },
    {},
    /^Expected an Origin of the host "evil\.example:8930"/,
  ],
  [
    "control characters",
    { Host: "localhost", Origin: "http://a\u00ff\u0080" },
    {},
    /got "http:\/\/a\\u00ff\\u0080"/,
  ],
  [
    "a list",
    { Host: "localhost", Origin: "http://localhost" },
    { origins: [SITE] },
    /^Expected an Origin that the option `origins` lists, got "http:\/\/localhost"\. Add it to `origins`/,
  ],
];

for (const [title, headers, options, refusal] of ROWS) {
  const outcome = refusal === null ? "opens" : "is refused with 403, which says what was compared";
  test(`G10: an origin behind a proxy or in development: ${title}: ${outcome}`, async () => {
    const { status, body, lines } = await seenBy(options, headers);
    if (refusal === null) {
      assert.deepEqual([status, body], [101, ""]);
      return;
    }
    assert.equal(status, 403);
    assert.match(body, refusal);
    const [line] = lines;
    assert.deepEqual(
      [lines.length, line.message, (line.details as { reason: string }).reason],
      [1, "connection refused", body],
    );
  });
}

for (const listed of ["https://chat.example/", "HTTPS://Chat.example:443", "https://chat.example:"]) {
  test(`G3: ${listed} in \`origins\` is the origin ${SITE}, with and without its port (RFC 6454 section 4)`, async () => {
    for (const [origin, status] of [
      [SITE, 101],
      [`${SITE}:443`, 101],
      [`${SITE}:444`, 403],
      ["http://chat.example", 403],
      ["wss://chat.example", 403],
    ] as const) {
      const seen = await seenBy({ origins: [listed] }, { Host: "ws.example", Origin: origin });
      assert.deepEqual([origin, seen.status], [origin, status]);
    }
  });
}

for (const origin of ["null", "file://", "chrome-extension://abcdefgh", "capacitor://localhost"]) {
  test(`G3: \`origins\` may list ${origin}, which is no origin of the web`, async () => {
    const { status } = await seenBy({ origins: [origin] }, { Host: "ws.example", Origin: origin });
    assert.equal(status, 101);
  });
}

for (const [forwarded, status] of [
  ["for=127.0.0.1", 101],
  ['For="[::1]:123";by=203.0.113.9;proto=http', 101],
  ['for=127.0.0.1 , for="127.0.0.2:_hidden" ;host="a,b;for=203.0.113.9"', 101],
  ["by=203.0.113.9;proto=https", 101],
  ["for=127.0.0.1, for=203.0.113.9", 403],
  ["proto=http; FOR=203.0.113.9", 403],
  ['for="[2001:db8::1]:4711"', 403],
  ["for=unknown", 403],
  ["for=_hidden", 403],
  ['for="127.0.0.1', 403],
  ['by="a;for=203.0.113.9', 403],
] as const) {
  const names = status === 101 ? "names no client elsewhere" : "names another client, or hides it";
  test(`G10: a page on loopback gets ${status} if Forwarded ${names}: ${forwarded} (RFC 7239 section 4)`, async () => {
    const headers = { Host: "localhost:8930", Origin: "http://localhost:5173", Forwarded: forwarded };
    assert.equal((await seenBy({}, headers)).status, status);
  });
}
