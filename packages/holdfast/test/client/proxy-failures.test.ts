import assert from "node:assert/strict";
import { afterEach, before, beforeEach, describe, test } from "node:test";
import { Client, connect, explain, persist, ProxyError, type ConnectOptions } from "holdfast";
import {
  activeResources,
  assertNothingLeft,
  RawServer,
  SocksServer,
  testCertificates,
  TunnelProxy,
  type RawScript,
  type ResourceCounts,
  type TestCertificates,
} from "holdfast-testkit";
import { startDeafServer } from "./deaf-server.js";
import { assertExpires } from "./expiry.js";

const TARGET = "wss://server.test/chat";
const SECRET = "s3cret";

/** A proxy that fails: its URL, the options to use, and a cleanup function. */
interface Broken {
  readonly proxy: NonNullable<ConnectOptions["proxy"]>;
  readonly options?: ConnectOptions;
  readonly close: () => Promise<void>;
}

describe("A proxy that fails", () => {
  let certificates: TestCertificates;
  let resources: ResourceCounts;

  before(async () => {
    certificates = await testCertificates();
    // Load the package first, so that loading does not count towards the time limit of the first test.
    await import("socks");
  });
  beforeEach(() => {
    resources = activeResources();
  });
  afterEach(async () => {
    await assertNothingLeft(resources);
  });

  const scripted = async (scheme: string, script?: RawScript): Promise<Broken> => {
    const server = await RawServer.start({}, script);
    return { proxy: `${scheme}://user:${SECRET}@127.0.0.1:${server.port}`, close: () => server.close() };
  };
  const answer = (text: string, end = true) => {
    return scripted("http", async (peer) => {
      if ((await peer.readHead().catch(() => null)) === null) return; // An abort came before it.
      peer.write(text);
      if (end) peer.end();
    });
  };

  const failures: readonly (readonly [
    name: string,
    start: () => Promise<Broken>,
    message: RegExp,
    status?: number,
    body?: string,
  ])[] = [
    [
      "refuses without credentials",
      async () => {
        const proxy = await TunnelProxy.start({ userInfo: "a:b" });
        return { proxy: `http://127.0.0.1:${proxy.port}`, close: () => proxy.close() };
      },
      /^Expected the proxy http:\/\/127\.0\.0\.1:\d+ to open a tunnel to server\.test:443, got 407 Proxy Authentication Required \(on the way to wss:\/\/server\.test\/chat\)\. Put user and password into the proxy's URL\.$/,
      407,
      "Proxy authorization required",
    ],
    [
      "refuses the credentials",
      () => answer("HTTP/1.1 407 No\r\nContent-Length: 3\r\n\r\nno!"),
      /got 407 No \(.*\)\. Check the user and the password\.$/,
      407,
      "no!",
    ],
    [
      "forbids",
      () => answer("HTTP/1.1 403 Not \x9bhere\r\nContent-Length: 0\r\n\r\n"),
      /got 403 Not \\u009bhere/,
      403,
    ],
    [
      "writes to the terminal",
      () => answer("HTTP/1.1 403 \x1b[2J\r\n\r\n"),
      /to answer in HTTP \(.*\)\. Expected /,
    ],
    [
      "finds no server",
      () => answer("HTTP/1.1 502 Bad Gateway\r\n\r\nno such host"),
      /got 502 Bad Gateway \(on the way/,
      502,
      "no such host",
    ],
    [
      "is an ordinary web server that redirects",
      () => answer("HTTP/1.1 302 Found\r\nLocation: ws://elsewhere.test/\r\nContent-Length: 0\r\n\r\n"),
      /got 302 Found/,
      302,
      "",
    ],
    ["switches protocols", () => answer("HTTP/1.1 101 Switching\r\n\r\n"), /got 101 Switching/, 101, ""],
    [
      "answers garbage",
      () => answer("SSH-2.0-OpenSSH\r\n\r\n"),
      /Expected the proxy .* to answer in HTTP \(.*\)\. Expected /,
    ],
    [
      "answers with a head over maxHandshakeSize",
      () => answer(`HTTP/1.1 200 OK\r\nX-A: ${"a".repeat(20_000)}\r\n\r\n`),
      /to answer in HTTP \(.*\)\. .*16384/,
    ],
    [
      "ends the stream",
      () => scripted("http", (peer) => peer.end()),
      /ended the connection without an answer/,
    ],
    [
      "ends it within its answer",
      () => answer("HTTP/1.1 20"),
      /ended the connection with an incomplete answer/,
    ],
    [
      "waits after the banner of another protocol",
      () => answer("SSH-2.0-OpenSSH\r\n", false),
      /to answer in HTTP \(.*\)\. .*, got "SSH-2\.0-OpenSSH"\.$/,
    ],
    [
      "wants credentials in a scheme that is not there",
      () =>
        answer(
          "HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n",
        ),
      /wants "Negotiate, NTLM", and Holdfast sends Basic only/,
      407,
    ],
    [
      "resets the stream",
      () =>
        scripted("http", async (peer) => {
          await peer.readHead();
          peer.reset();
        }),
      /^The connection was reset by the proxy http:/,
    ],
    [
      "is not there",
      async () => {
        const { proxy, close } = await scripted("http");
        await close();
        return { proxy, close: () => Promise.resolve() };
      },
      /^Nothing listens at the proxy http:\/\/127\.0\.0\.1:\d+: connect ECONNREFUSED .* \(on the way to wss:/,
    ],
    [
      "has an unknown name",
      async () => ({ proxy: `http://user:${SECRET}@nobody.invalid:3128`, close: () => Promise.resolve() }),
      /^No address was found for the proxy http:\/\/nobody\.invalid:3128: /,
    ],
    [
      "has an untrusted certificate",
      async () => {
        const proxy = await TunnelProxy.start({ tls: certificates.server });
        return { proxy: proxy.url(), options: { tls: { ca: certificates.ca } }, close: () => proxy.close() };
      },
      /^The TLS handshake failed with the proxy https:.*(unable to verify|self-signed)/,
    ],
    [
      "speaks no TLS",
      () =>
        scripted("https", (peer) => {
          peer.write("HTTP/1.1 400 No\r\n\r\n");
        }),
      /the proxy https:/,
    ],
    [
      "is no SOCKS proxy",
      () => scripted("socks5h", (peer) => peer.write("HTTP/1.1 400 No\r\n\r\n")),
      /SOCKS proxy/,
    ],
    [
      "ends a SOCKS stream",
      () => scripted("socks5h", (peer) => peer.end()),
      /The proxy socks5h:.* ended the connection without an answer/,
    ],
    [
      "takes no user and password over SOCKS",
      () => socks({ userInfo: { username: "user", password: "other" } }),
      /Socks5 Authentication failed/i,
    ],
    ["refuses over SOCKS", () => socks({ reply: 2 }), /opened no tunnel to server\.test:443: .*NotAllowed/],
  ];
  const socks = async (options: Parameters<typeof SocksServer.start>[0]): Promise<Broken> => {
    const server = await SocksServer.start(options);
    return { proxy: server.url("socks5h", `user:${SECRET}`), close: () => server.close() };
  };
  for (const [name, start, message, status = null, body = ""] of failures) {
    test(`B7: one that ${name} is reported at once, as a ProxyError that shows no password`, async () => {
      const { proxy, options, close } = await start();
      try {
        const began = performance.now();
        const error: unknown = await connect(TARGET, { proxy, ...options }).catch(
          (reason: unknown) => reason,
        );
        assert(error instanceof ProxyError, String(error));
        assert.match(error.message, message);
        assert.deepEqual(
          [
            error.failure,
            error.code,
            status === null ? null : error.status,
            Buffer.from(error.body).toString(),
          ],
          ["proxy", "ERR_HOLDFAST_PROXY", status, body],
        );
        assert(performance.now() - began < 9_000);
        assert(!everythingIn(error).includes(SECRET), "the password");
      } finally {
        await close();
      }
    });
  }

  test("B7: SOCKS 4 cannot carry an IPv6 address: reported before any I/O", async () => {
    await assert.rejects(connect("ws://[::1]:9/", { proxy: "socks4a://127.0.0.1:1" }), {
      name: "ProxyError",
      message:
        "The proxy socks4a://127.0.0.1:1 speaks SOCKS 4, which cannot carry the IPv6 address ::1 (on the way to ws://[::1]:9/). Use SOCKS 5, or a host name.",
    });
  });

  test("B7, F5: a proxy that rejects the credentials says so over HTTP and SOCKS, and is not asked again", async () => {
    const start = [
      () => answer("HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"),
      () => socks({ userInfo: { username: "user", password: "other" } }),
      () => scripted("socks5h", (peer) => peer.write(new Uint8Array([5, 255]))), // No method is acceptable.
    ];
    for (const each of start) {
      const { proxy, close } = await each();
      try {
        let attempts = 0;
        const client = new Client(TARGET, { proxy });
        for await (const event of persist(client, { maxDelay: 1 })) {
          if (event.type === "connecting" && ++attempts > 1) break;
          if (event.type !== "disconnected") continue;
          assert(event.info.error instanceof ProxyError, String(event.info.error));
          assert.equal(event.info.error.needsCredentials, true);
          assert.match(explain(event.info), /It demands a user and a password, or rejects those it got\./);
        }
        assert.equal(attempts, 1);
      } finally {
        await close();
      }
    }
  });

  const hanging: readonly (readonly [
    name: string,
    phase: "connect" | "dns" | "proxy" | "tls",
    start: () => Promise<Broken>,
    waitingFor: RegExp,
  ])[] = [
    [
      "takes no TCP connection",
      "connect",
      async () => {
        const deaf = await startDeafServer();
        return { proxy: `http://127.0.0.1:${deaf.port}`, close: () => deaf.close() };
      },
      /for the TCP connection of the proxy http:/,
    ],
    [
      "has a name whose lookup hangs",
      "dns",
      async () => ({
        proxy: "http://mute.test",
        options: { lookup: () => undefined },
        close: () => Promise.resolve(),
      }),
      /for the name lookup of the proxy http:\/\/mute\.test:80\.$/,
    ],
    ["stays mute", "proxy", () => scripted("http"), /for the proxy http:/],
    ["stays mute within TLS", "proxy", () => scripted("https"), /for the proxy https:/],
    ["stays mute over SOCKS", "proxy", () => scripted("socks5h"), /for the proxy socks5h:/],
    ["sends half a head", "proxy", () => answer("HTTP/1.1 200 O", false), /for the proxy http:/],
    [
      "opens a tunnel to a server that stays mute",
      "tls",
      () => answer("HTTP/1.1 200 OK\r\n\r\n", false),
      /still waiting for the TLS handshake\.$/,
    ],
  ];
  for (const [name, phase, start, message] of hanging) {
    test(`B1, B7: one that ${name}, ends at openTimeout in phase ${phase}`, async () => {
      const { proxy, options, close } = await start();
      try {
        const open = (openTimeout: number) => connect(TARGET, { openTimeout, proxy, ...options });
        const expected = { name: "OpenTimeoutError", failure: "open-timeout", phase, message };
        await assertExpires(phase, open, () => expected);
      } finally {
        await close();
      }
    });

    test(`B1, B7: one that ${name}: an abort ends it in the same turn`, async () => {
      const { proxy, options, close } = await start();
      try {
        const aborter = new AbortController();
        const reason = new Error("enough");
        const opening = connect(TARGET, { proxy, ...options, signal: aborter.signal });
        let isOver = false;
        opening.catch(() => (isOver = true));
        await new Promise((resolve) => setTimeout(resolve, 60));
        aborter.abort(reason);
        // Only promises: the event loop does not advance.
        for (let step = 0; step < 10; step++) await Promise.resolve();
        assert(isOver);
        await assert.rejects(opening, (error) => error === reason);
      } finally {
        await close();
      }
    });
  }

  test("B7: a refusal whose body never ends is reported at openTimeout", async () => {
    const { proxy, close } = await answer("HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\nso far", false);
    const open = (openTimeout: number) => connect(TARGET, { proxy, openTimeout });
    await assertExpires("body", open, () => ({
      name: "ProxyError",
      status: 503,
      body: new Uint8Array(Buffer.from("so far")),
    }));
    await close();
  });
});

/** Every text that a log could show of an error: the output of inspect, and JSON. */
function everythingIn(error: unknown): string {
  const seen = new Set<unknown>();
  const texts: string[] = [];
  const visit = (value: unknown, depth: number): void => {
    if (typeof value === "string") texts.push(value);
    if (typeof value !== "object" || value === null || seen.has(value) || depth > 6) return;
    seen.add(value);
    for (const key of Reflect.ownKeys(value)) {
      // Properties of the error itself, and of the objects that it refers to.
      visit((value as Record<PropertyKey, unknown>)[key], depth + 1);
    }
  };
  visit(error, 0);
  return texts.join("\n");
}
