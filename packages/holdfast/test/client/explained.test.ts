// `explain()` of real failures to connect names the true reason, and no other.

import assert from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { constants, createSecureServer } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { before, describe, test } from "node:test";
import {
  Client,
  connect,
  explain,
  HandshakeError,
  serve,
  type CloseInfo,
  type ConnectOptions,
} from "holdfast";
import {
  RawServer,
  testCertificates,
  TunnelProxy,
  type RawScript,
  type TestCertificates,
} from "holdfast-testkit";

/** The explanation of the error that `connect()` rejects with. */
async function explained(url: string, options: ConnectOptions = {}): Promise<string> {
  const error: unknown = await connect(url, options).catch((reason: unknown) => reason);
  assert(error instanceof HandshakeError, String(error));
  const text = explain(error);
  assert(text.includes(error.message.replace(/\.$/, "")), text);
  assert.match(text, /^[A-Z].*\.$/);
  return text;
}

/** The explanation of a failure against a server that runs the script. */
async function explainedBy(script: RawScript, scheme = "ws", options: ConnectOptions = {}): Promise<string> {
  const server = await RawServer.start({}, script);
  try {
    return await explained(`${scheme}://127.0.0.1:${server.port}/`, options);
  } finally {
    await server.close();
  }
}

const respond =
  (status: number, headers: Readonly<Record<string, string>> = {}, body = ""): RawScript =>
  async (peer) => {
    await peer.readHead();
    peer.respond(status, { headers, body });
  };

/** The general guess, which is wrong for most statuses. */
const ANY_REFUSAL = /The path or the credentials are wrong, or the server limits connections/;

describe("explain() of a refusal", () => {
  const rows: readonly (readonly [number, RegExp])[] = [
    [200, /An ordinary web page answered/],
    [304, /redirects, in a way that this client does not follow/],
    [400, /does not pass `Upgrade` on/],
    [401, /wants credentials, or rejects/],
    [403, /credentials do not suffice, or the server does not accept the Origin/],
    [404, /No WebSocket server answers at this path/],
    [407, /A proxy on the way/],
    [408, /too slowly/],
    [414, /larger than the server accepts/],
    [418, /does not accept this request/],
    [421, /does not serve this host name/],
    [426, /does not pass `Upgrade` on/],
    [429, /limits connections or requests/],
    [497, /expects TLS on that port\. Use `wss:`/],
    [500, /The server failed/],
    [502, /A proxy in front of the server cannot reach it/],
    [503, /is overloaded, or is shutting down/],
    [504, /A proxy in front of the server cannot reach it/],
    [511, /captive portal/],
    [522, /A proxy in front of the server cannot reach it/],
    [700, /The server failed/],
  ];
  for (const [status, pattern] of rows) {
    test(`D9: ${status}`, async () => {
      const text = await explainedBy(respond(status));
      assert.match(text, pattern);
      assert.doesNotMatch(text, ANY_REFUSAL);
    });
  }

  test("D9: the wait that a server asks for is named", async () => {
    assert.match(await explainedBy(respond(503, { "Retry-After": "7" })), /It asks to wait for 7 s\./);
  });

  test("D9: the error page of nginx for a request in plain text on its TLS port", async () => {
    const page = "<html><title>400 The plain HTTP request was sent to HTTPS port</title></html>";
    assert.match(await explainedBy(respond(400, {}, page)), /expects TLS on that port\. Use `wss:`/);
  });

  test("D9: the error pages of nginx for client certificates", async () => {
    const page = (title: string) => `<html><title>400 ${title}</title></html>`;
    assert.match(
      await explainedBy(respond(400, {}, page("No required SSL certificate was sent"))),
      /demands a client certificate/,
    );
    assert.match(
      await explainedBy(respond(400, {}, page("The SSL certificate error"))),
      /rejected the client certificate/,
    );
  });

  test("D9: redirects in a circle, and others", async () => {
    assert.match(await explainedBy(respond(302, { Location: "/" })), /redirects in a circle/);
    const other = await explainedBy(respond(302, { Location: "ftp://127.0.0.1/" }));
    assert.match(other, /Connect to the right URL directly/);
    assert.doesNotMatch(other, ANY_REFUSAL);
  });
});

describe("explain() of a failed TLS handshake", () => {
  let certificates: TestCertificates;
  before(async () => {
    certificates = await testCertificates();
  });

  async function explainedTls(server: TlsOptions, client: ConnectOptions["tls"] = {}): Promise<string> {
    const listener = createTlsServer(server, (socket) => socket.on("error", () => undefined));
    listener.on("tlsClientError", () => undefined);
    const port = await listen(listener);
    try {
      return await explained(`wss://localhost:${port}/`, { tls: client });
    } finally {
      listener.close();
    }
  }

  test("D9: each problem of a certificate has its own explanation", async () => {
    const { ca, server, expired, wrongHost } = certificates;
    assert.match(await explainedTls(server), /does not know the issuer.*`tls\.ca`/);
    assert.match(await explainedTls(expired, { ca }), /has expired, or the clock.*Renew it/);
    assert.match(await explainedTls(wrongHost, { ca }), /for other host names.*`tls\.servername`/);
  });

  test("D9: what has nothing to do with the server's certificate does not blame it", async () => {
    const { ca, server } = certificates;
    const demands = { ...server, ca, requestCert: true, maxVersion: "TLSv1.2" } as const;
    for (const [text, pattern] of [
      [
        await explainedTls({ ...server, maxVersion: "TLSv1.2" }, { ca, minVersion: "TLSv1.3" }),
        /no version of TLS/,
      ],
      [
        await explainedTls({ ...server, ALPNProtocols: ["h2"] }, { ca }),
        /does not speak HTTP\/1\.1.*`http2: true`/,
      ],
      [await explainedTls(demands, { ca }), /demands a client certificate/],
    ] as const) {
      assert.match(text, pattern);
      assert.doesNotMatch(text, /certificate is not valid|`tls\.ca`/);
    }
  });

  test("D9: alerts", async () => {
    const rows = [
      [48, /rejected the certificate of this client/],
      [80, /The server failed, often because it has no certificate for that host name/],
      [112, /does not know the host name/],
      [116, /demands a client certificate/],
    ] as const;
    for (const [alert, pattern] of rows) {
      const script: RawScript = (peer) => peer.write(new Uint8Array([0x15, 3, 3, 0, 2, 2, alert]));
      assert.match(await explainedBy(script, "wss"), pattern, String(alert));
    }
  });

  test("D9: B7: an untrusted proxy is no missing route", async () => {
    const proxy = await TunnelProxy.start({ tls: certificates.server });
    const text = await explained("ws://server.test/", { proxy: proxy.url() });
    await proxy.close();
    assert.match(text, /TLS handshake failed with the proxy.*does not know the issuer.*`proxy\.tls\.ca`/);
    assert.match(text, /or the proxy does not send the certificates/);
    assert.doesNotMatch(text, /the server /);
  });

  test("D9: B7: a proxy without TLS, with a URL that says otherwise", async () => {
    const plain = await TunnelProxy.start();
    const text = await explained("ws://server.test/", { proxy: plain.url().replace("http:", "https:") });
    await plain.close();
    assert.match(
      text,
      /The proxy at that port does not speak TLS.*the scheme of the proxy's URL should be `http:`/,
    );
    assert.doesNotMatch(text, /`ws:`/);
  });
});

describe("explain() of a timeout", () => {
  const mute: RawScript = () => undefined;
  const options = { openTimeout: 50 };

  test("D9: the reasons are those of the step that took the time", async () => {
    const noDrop = /firewall drops/;
    const dns = await explained("ws://mute.test/", { ...options, lookup: () => undefined });
    const tls = await explainedBy(mute, "wss", options);
    const upgrade = await explainedBy(mute, "ws", options);
    const server = await RawServer.start({}, mute);
    const proxy = await explained("ws://server.test/", {
      ...options,
      proxy: `http://127.0.0.1:${server.port}`,
    });
    await server.close();
    assert.match(dns, /No name server answered/);
    assert.match(tls, /accepted the connection and then did not speak TLS/);
    assert.match(upgrade, /accepted the connection and did not answer the request/);
    assert.match(proxy, /The proxy accepted the connection and then hung/);
    for (const text of [dns, tls, upgrade, proxy]) assert.doesNotMatch(text, noDrop);
  });

  test("D9: B1: a delay of this process is named", async () => {
    const server = await RawServer.start({}, mute);
    const opening = explained(server.url(), { openTimeout: 100 });
    await new Promise(setImmediate);
    const end = performance.now() + 500;
    while (performance.now() < end);
    assert.match(await opening, /this process itself was busy, or suspended, for \d+ ms/);
    await server.close();
  });
});

describe("explain() of errors of the system", () => {
  const failing = (code: string): ConnectOptions => ({
    lookup: (host, _options, callback) => {
      callback(Object.assign(new Error(`getaddrinfo ${code} ${host}`), { code }), []);
    },
  });
  const refusing = (code: string, syscall = "connect"): ConnectOptions => ({
    createConnection: () => Promise.reject(Object.assign(new Error(`${syscall} ${code}`), { code, syscall })),
  });

  test("D9: B1: every error of a lookup is `dns`, and a name server that is away blames no spelling", async () => {
    for (const code of [
      "EAI_AGAIN",
      "ETIMEDOUT",
      "ENETUNREACH",
      "ECONNRESET",
      "EHOSTUNREACH",
      "ECONNREFUSED",
    ]) {
      const error = (await connect("ws://h.test/", failing(code)).catch(
        (reason: unknown) => reason,
      )) as HandshakeError;
      assert.equal(error.failure, "dns", code);
      assert.match(explain(error), /No name server gave an answer/, code);
      assert.doesNotMatch(explain(error), /misspelt/, code);
    }
    assert.match(
      await explained("ws://h.test/", failing("ENOTFOUND")),
      /misspelt, or only other name servers/,
    );
  });

  test("D9: limits of this machine do not blame the network", async () => {
    const rows = [
      [refusing("EMFILE"), /as many files and sockets open as it may/],
      [refusing("EACCES"), /does not allow it/],
      [refusing("EPERM"), /does not allow it/],
      [refusing("EINVAL"), /link-local IPv6 address/],
      [refusing("EADDRNOTAVAIL"), /no free local port/],
      [refusing("EADDRNOTAVAIL", "bind"), /`localAddress` is not an address of this machine/],
      [{ createConnection: () => Promise.reject(new Error("no tunnel")) }, /`createConnection` or `stream`/],
    ] as const;
    for (const [options, pattern] of rows) {
      const text = await explained("ws://h.test/", options);
      assert.match(text, pattern);
      assert.match(text, /^No connection could be made to ws:\/\/h\.test\/: /);
      assert.doesNotMatch(text, /router|no way to/);
    }
    assert.match(await explained("ws://h.test/", refusing("ENETUNREACH")), /^There is no way to.*a router/);
  });

  test(
    "D9: Unix sockets: one that is missing, and one that was left behind",
    { skip: process.platform === "win32" },
    async () => {
      const folder = await mkdtemp(join(tmpdir(), "explained-"));
      const file = join(folder, "file");
      await writeFile(file, "");
      assert.match(await explained(`ws+unix:${folder}/none:/`), /has not created that socket yet/);
      assert.match(await explained(`ws+unix:${file}/below:/`), /has not created that socket yet/);
      assert.match(await explained(`ws+unix:${file}:/`), /left its file behind, or the file is not a socket/);
      await rm(folder, { recursive: true });
    },
  );
});

describe("explain() of other failures", () => {
  test("D9: a stream that ends before an answer: what the scheme makes likely", async () => {
    const end: RawScript = async (peer) => {
      await peer.readHead();
      peer.end();
    };
    assert.match(await explainedBy(end), /expects TLS \(`wss:`\)/);
    const listener = createServer((socket: Socket) => socket.destroy());
    const port = await listen(listener);
    assert.match(
      await explained(`wss://127.0.0.1:${port}/`),
      /does not know the host name, or that demands a client/,
    );
    listener.close();
  });

  test("D9: B9: a request that an HTTP/2 server resets", async () => {
    const { ca, server: tls } = await testCertificates();
    const listener = createSecureServer({ ...tls, settings: { enableConnectProtocol: true } });
    listener.on("stream", (stream) => {
      stream.on("error", () => undefined);
      stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    });
    const port = await listen(listener);
    const text = await explained(`wss://localhost:${port}/`, { http2: true, tls: { ca } });
    listener.close();
    assert.match(text, /INTERNAL_ERROR.*gave up on this request.*leave out `http2`/);
    assert.doesNotMatch(text, /client certificate/);
  });

  test("D9: a program that is not a WebSocket server", async () => {
    const text = await explainedBy((peer) => peer.write("SSH-2.0-x\r\n"));
    assert.match(text, /is not a WebSocket server.*Check the host, the port and the path/);
  });

  test("D9: an answer over the limits of this side", async () => {
    const text = await explainedBy(respond(404, { "X-Long": "a".repeat(20_000) }));
    assert.match(text, /larger than this side accepts.*`maxHandshakeSize`/);
    assert.doesNotMatch(text, /not a WebSocket server/);
  });

  test("D9: D7: an invalid URL is this side's fault, and reached nothing", async () => {
    const text = await explained("ftp://h.test/");
    assert.match(
      text,
      /^The connection could not be opened: Expected a URL.* Correct it; nothing has reached the network\.$/,
    );
    let info: CloseInfo | null = null;
    for await (const event of new Client("ws://h.test/#fragment")) {
      if (event.type === "disconnected") info = event.info;
    }
    assert.equal(info?.initiator, "local");
  });

  test("D9: B7: a proxy that works, in front of a server that does not", async () => {
    const server = await RawServer.start({}, respond(502, {}, "no route"));
    const proxy = `http://127.0.0.1:${server.port}`;
    const text = await explained("ws://server.test/", { proxy });
    await server.close();
    assert.match(text, /The proxy works, but could not reach the server/);
    assert.match(await explained("ws://server.test/", { proxy }), /It is down, or its address is wrong/);
  });

  test("D9: another error of the library speaks for itself", async () => {
    const error: unknown = await connect("ws://h.test/", { pingIntervall: 1 } as never).catch(
      (e: unknown) => e,
    );
    assert.match(explain(error as HandshakeError), /Did you mean `pingInterval`\?$/);
  });

  test("D9: the error of an open connection is explained like its CloseInfo", async () => {
    const server = await serve((connection) => connection.close(4001, "later"));
    const connection = await connect(server.url);
    const error: unknown = await connection.recv().catch((reason: unknown) => reason);
    assert.equal(explain(error as HandshakeError), explain(await connection.closed));
    await server.close();
  });
});

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert(typeof address === "object" && address !== null);
  return address.port;
}
