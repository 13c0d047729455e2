import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { proxyFromEnvironment } from "../../build/client/proxy/environment.js";
import type { Environment } from "../../build/transport/node/environment.js";
import { isExempt } from "../../build/client/proxy/no-proxy.js";
import { parseProxyURL } from "../../build/client/proxy/proxy.js";
import { parseWebSocketURL } from "../../build/protocol/handshake/url.js";

const basic = (userInfo: string) => `Basic ${Buffer.from(userInfo).toString("base64")}`;

describe("The URL of a proxy", () => {
  const http = {
    kind: "http",
    href: "http://proxy.test:80",
    hostname: "proxy.test",
    port: 80,
    isSecure: false,
    authorization: null,
    headers: [],
    tls: undefined,
  };
  const socks = {
    kind: "socks",
    href: "socks5h://proxy.test:1080",
    hostname: "proxy.test",
    port: 1080,
    version: 5,
    userInfo: null,
    resolvesNames: true,
  };
  const rows: readonly (readonly [url: string, proxy: object])[] = [
    ["http://proxy.test", http],
    ["http://PROXY.test/", http],
    ["HTTP://proxy.test:80", http],
    [" proxy.test ", http],
    ["proxy.test:3128", { ...http, href: "http://proxy.test:3128", port: 3128 }],
    ["https://proxy.test", { ...http, href: "https://proxy.test:443", port: 443, isSecure: true }],
    ["https://proxy.test:80", { ...http, href: "https://proxy.test:80", isSecure: true }],
    ["user:pass@proxy.test", { ...http, authorization: basic("user:pass") }],
    ["http://us%40er@proxy.test", { ...http, authorization: basic("us@er:") }],
    ["http://evil.test@proxy.test", { ...http, authorization: basic("evil.test:") }],
    ["http://user:p@ss@proxy.test", { ...http, authorization: basic("user:p@ss") }],
    ["http://[::1]:3128", { ...http, href: "http://[::1]:3128", hostname: "::1", port: 3128 }],
    ["http://0x7f.1", { ...http, href: "http://127.0.0.1:80", hostname: "127.0.0.1" }],
    ["socks5h://proxy.test", socks],
    ["socks://proxy.test", { ...socks, href: "socks://proxy.test:1080" }],
    ["socks5://proxy.test:80", { ...socks, href: "socks5://proxy.test:80", port: 80, resolvesNames: false }],
    ["socks4://proxy.test", { ...socks, href: "socks4://proxy.test:1080", version: 4, resolvesNames: false }],
    ["socks4a://proxy.test", { ...socks, href: "socks4a://proxy.test:1080", version: 4 }],
    ["socks5h://a%3Ab:c@proxy.test", { ...socks, userInfo: { username: "a:b", password: "c" } }],
  ];
  for (const [url, proxy] of rows) {
    test(`B7: ${JSON.stringify(url)} is read`, () => {
      assert.deepEqual(parseProxyURL(url), proxy);
    });
  }

  const refused: readonly (readonly [why: string, url: string])[] = [
    ["another scheme", "ftp://user:s3cret@proxy.test"],
    ["the name of a property of every object", "constructor://proxy.test"],
    ["a path", "http://user:s3cret@proxy.test/path"],
    ["a query", "http://proxy.test?user:s3cret@x"],
    ["a fragment", "http://proxy.test#s3cret@x"],
    ["an empty host", "http://"],
    ["nothing", ""],
    ["a backslash, which some parsers take for a slash", "http://proxy.test\\@evil.test"],
    ["CR and LF", "http://user:s3cret\r\nX-Injected: 1@proxy.test"],
    ["CR and LF, escaped", "http://user:s3cret%0d%0aX-Injected: 1@proxy.test"],
    ["NUL, escaped", "socks5://user:s3cret%00@proxy.test"],
    ["a port out of range", "http://user:s3cret@proxy.test:65536"],
    ["a colon in the user name of Basic", "http://a%3As3cret:b@proxy.test"],
    ["user info that is not UTF-8", "http://%ffs3cret@proxy.test"],
    ["an IPv6 address with a zone", "http://user:s3cret@[fe80::1%25eth0]:3128"],
    ["an IPv6 address without brackets", "http://user:s3cret@::1:3128"],
    ["a password that SOCKS cannot carry", `socks5://user:${"s3cret".repeat(50)}@proxy.test`],
  ];
  for (const [why, url] of refused) {
    test(`B7: one with ${why} is refused, without showing user info`, () => {
      const problem = parseProxyURL(url);
      assert(typeof problem === "string", JSON.stringify(problem));
      assert.match(problem, /^the URL of a proxy, such as "http:\/\/proxy\.example:3128"/);
      assert(!problem.includes("s3cret"), problem);
      assert(/^[\x20-\x7e…]+$/.test(problem));
    });
  }

  test("B7: for any text, no line break is sent, and user info appears nowhere else", () => {
    const secret = "s3cret-passw0rd";
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.webUrl(),
      fc
        .tuple(fc.constantFrom("", "http://", "https://", "socks5://"), fc.string(), fc.string())
        .map(([scheme, user, host]) => `${scheme}${user}:${secret}@${host}`),
    );
    fc.assert(
      fc.property(text, (url) => {
        const proxy = parseProxyURL(url);
        if (typeof proxy === "string") {
          assert(!proxy.includes(secret) || !url.includes(`${secret}@`), proxy);
          return;
        }
        assert.match(proxy.href, /^[a-z0-9]+:\/\/[\x21-\x3f\x41-\x7e]+:\d+$/);
        assert(!proxy.href.includes(secret) || !url.includes(`${secret}@`));
        assert(proxy.port >= 0 && proxy.port <= 65_535);
        if (proxy.kind === "http") assert.match(proxy.authorization ?? "", /^(?:Basic [A-Za-z0-9+/]+=*)?$/);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("no_proxy", () => {
  const rows: readonly (readonly [list: string, yes: readonly string[], no: readonly string[]])[] = [
    ["", [], ["a.test"]],
    [" , ,", [], ["a.test"]],
    ["*", ["a.test", "127.0.0.1", "[::1]"], []],
    ["*:8080", ["a.test:8080", "[::1]:8080"], ["a.test"]],
    [
      "example.com",
      ["example.com", "EXAMPLE.com", "a.b.example.com", "example.com."],
      ["notexample.com", "example.com.evil.test", "com"],
    ],
    [".example.com", ["example.com", "a.example.com"], ["notexample.com"]],
    ["*.example.com.", ["example.com", "a.example.com"], ["notexample.com"]],
    ["exa*.com", [], ["example.com"]],
    ["a.test,b.test c.test\tD.TEST", ["a.test", "b.test", "c.test", "d.test"], ["e.test"]],
    ["a.test:8443", ["a.test:8443", "b.a.test:8443"], ["a.test"]],
    ["a.test:80", ["a.test"], ["a.test:81"]],
    ["a.test:99999", [], ["a.test"]],
    ["bücher.test", ["xn--bcher-kva.test", "bücher.test"], ["bucher.test"]],
    ["127.0.0.1", ["127.0.0.1", "0x7f.1"], ["127.0.0.2", "localhost"]],
    ["10.0.0.0/8", ["10.1.2.3", "[::ffff:10.1.2.3]"], ["11.0.0.1", "10.example.com"]],
    ["0.0.0.0/0", ["10.1.2.3"], ["a.test"]],
    ["10.0.0.0/33,10.0.0.0/-1,10.0.0.0/x,10.0.0.0/8/8,10/8,10.0.0.0/", [], ["10.1.2.3"]],
    ["10.0.0.0/8:8080", ["10.1.2.3:8080"], ["10.1.2.3"]],
    ["::1", ["[::1]", "[0:0:0:0:0:0:0:1]"], ["[::2]", "127.0.0.1"]],
    ["[::1]", ["[::1]", "[::1]:8080"], ["[::2]"]],
    ["[::1]:8080", ["[::1]:8080"], ["[::1]"]],
    ["fd00::/8", ["[fd12::1]"], ["[fe80::1]"]],
    ["[fd00::/8]:80", ["[fd12::1]"], ["[fd12::1]:81"]],
    ["fe80::1%eth0", ["[fe80::1]"], ["[fe80::2]"]],
    ["localhost", ["localhost", "a.localhost"], ["127.0.0.1"]],
    [".,..,:,[],[,:80,%", [], ["a.test", "127.0.0.1", "[::1]"]],
  ];
  for (const [list, yes, no] of rows) {
    test(`B7: ${JSON.stringify(list)} names ${yes.join(" ") || "nothing"}`, () => {
      const named = (host: string) => isExempt(parseWebSocketURL(`ws://${host}/`), list);
      assert.deepEqual(yes.filter(named), yes);
      assert.deepEqual(no.filter(named), []);
    });
  }

  test("B7: any list is evaluated in linear time", () => {
    const anywhere = parseWebSocketURL("ws://host.test:81/");
    fc.assert(fc.property(fc.string({ unit: "binary" }), (list) => void isExempt(anywhere, list)));
    const began = performance.now();
    for (const piece of ["[", ":", ".", "*.", "1.1.1.1/", "%"]) isExempt(anywhere, piece.repeat(65_536));
    assert(performance.now() - began < 9_000);
  });

  test("B7: a network contains an address if its first bits are equal", () => {
    const bytes = fc.array(fc.nat(255), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(bytes, bytes, fc.nat(32), (network, host, length) => {
        const bits = (address: readonly number[]) =>
          address
            .map((byte) => byte.toString(2).padStart(8, "0"))
            .join("")
            .slice(0, length);
        assert.equal(
          isExempt({ hostname: host.join("."), port: 80 }, `${network.join(".")}/${length}`),
          bits(network) === bits(host),
        );
      }),
    );
  });
});

describe("The proxy of the environment", () => {
  const WS = "ws://host.test/";
  const WSS = "wss://host.test/";
  const rows: readonly (readonly [
    why: string,
    url: string,
    environment: Environment,
    name: string | null,
  ])[] = [
    ["nothing is set", WS, {}, null],
    ["ws: has ws_proxy, then http_proxy", WS, { ws_proxy: "a", http_proxy: "b", all_proxy: "c" }, "ws_proxy"],
    ["ws: has http_proxy, then all_proxy", WS, { http_proxy: "b", all_proxy: "c" }, "http_proxy"],
    ["ws: does not have https_proxy", WS, { https_proxy: "b", wss_proxy: "c" }, null],
    ["wss: has wss_proxy, then https_proxy", WSS, { wss_proxy: "a", https_proxy: "b" }, "wss_proxy"],
    ["wss: has https_proxy, then all_proxy", WSS, { HTTPS_PROXY: "b", all_proxy: "c" }, "HTTPS_PROXY"],
    ["wss: does not have http_proxy", WSS, { http_proxy: "b", ws_proxy: "c" }, null],
    ["lower case comes first", WSS, { HTTPS_PROXY: "a", https_proxy: "b" }, "https_proxy"],
    ["an empty variable switches off", WSS, { https_proxy: " ", HTTPS_PROXY: "a", all_proxy: "b" }, null],
    ["no_proxy names it", WSS, { https_proxy: "a", no_proxy: "host.test" }, null],
    ["NO_PROXY as well", WSS, { https_proxy: "a", NO_PROXY: "*" }, null],
    [
      "an empty no_proxy comes before NO_PROXY",
      WSS,
      { https_proxy: "a", no_proxy: "", NO_PROXY: "*" },
      "https_proxy",
    ],
    ["under CGI, HTTP_PROXY is a stranger's header", WS, { HTTP_PROXY: "evil", REQUEST_METHOD: "GET" }, null],
    [
      "under CGI, others count",
      WS,
      { ALL_PROXY: "a", HTTP_PROXY: "evil", REQUEST_METHOD: "GET" },
      "ALL_PROXY",
    ],
    ["localhost is a host like any other", "ws://localhost/", { http_proxy: "a" }, "http_proxy"],
  ];
  for (const [why, url, environment, name] of rows) {
    test(`B7: ${why}`, () => {
      const variable = proxyFromEnvironment(parseWebSocketURL(url), environment);
      assert.deepEqual(variable, name === null ? null : { name, value: environment[name] });
    });
  }
});
