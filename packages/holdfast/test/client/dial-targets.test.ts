import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { connect as connectTcp, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex, PassThrough } from "node:stream";
import { afterEach, before, beforeEach, describe, test } from "node:test";
import type { PeerCertificate } from "node:tls";
import { connect, serve, type ConnectionTarget, type ConnectOptions } from "holdfast";
import {
  acceptKey,
  activeResources,
  assertNothingLeft,
  eventually,
  RawServer,
  testCertificates,
  type RawScript,
  type ResourceCounts,
  type TestCertificates,
} from "holdfast-testkit";

let certificates: TestCertificates;
let resources: ResourceCounts;

before(async () => {
  certificates = await testCertificates();
});
beforeEach(() => {
  resources = activeResources();
});
afterEach(async () => {
  await assertNothingLeft(resources);
});

const accept: RawScript = async (peer) => {
  await peer.acceptUpgrade({ glue: peer.frame({ opcode: 1, payload: "hello" }) });
};

/** Opens a connection, and checks that bytes arrive. */
async function assertOpens(url: string, options: ConnectOptions): Promise<void> {
  const connection = await connect(url, { pingInterval: null, ...options });
  assert.equal(await connection.recv(), "hello");
  connection.terminate();
  await connection.closed;
}

describe("TLS", () => {
  const trusting = (options: object): ConnectOptions => ({ tls: { ca: certificates.ca, ...options } });

  test("B8: a custom certificate authority, and no verification", async () => {
    await using server = await RawServer.start({ tls: certificates.server }, accept);
    await assertOpens(server.url(), trusting({}));
    await assertOpens(server.url(), { tls: { rejectUnauthorized: false } });
    await assert.rejects(connect(server.url()), { failure: "tls", code: "ERR_HOLDFAST_TLS" });
    await server.close();
  });

  test("B8: the client sends its certificate if the server requests it", async () => {
    const tls = { ...certificates.server, ca: certificates.ca, requestCert: true, rejectUnauthorized: true };
    await using server = await RawServer.start({ tls }, accept);
    await assertOpens(server.url(), trusting(certificates.client));
    assert.equal(server.peers[0].clientCertificate, "client.test");
    await server.close();
  });

  test("B8: TLS fails if a server demands a certificate and gets none, also if it reports that after the handshake", async () => {
    const tls = { ...certificates.server, ca: certificates.ca, requestCert: true, rejectUnauthorized: true };
    await using server = await RawServer.start({ tls });
    // In TLS 1.3 the client completes its handshake before the server finds the client certificate missing.
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"]) {
      await assert.rejects(connect(server.url(), trusting({ maxVersion })), { failure: "tls" });
    }
    await server.close();
  });

  test("B8: a wrong host name fails, and `servername` can set the right one", async () => {
    await using server = await RawServer.start({ tls: certificates.wrongHost }, accept);
    await assert.rejects(connect(server.url(), trusting({})), {
      name: "HandshakeError",
      failure: "tls",
      message: /^The TLS handshake failed with wss:.*(?:does not match|altnames)/,
    });
    await assertOpens(server.url(), trusting({ servername: "elsewhere.test" }));
    await server.close();
  });

  test("B8: checkServerIdentity pins a certificate", async () => {
    await using server = await RawServer.start({ tls: certificates.server }, accept);
    const pinned = (isRight: boolean) =>
      trusting({
        checkServerIdentity: (_host: string, { fingerprint256 }: PeerCertificate) =>
          isRight && fingerprint256.length > 0 ? undefined : new Error("another certificate"),
      });
    await assertOpens(server.url(), pinned(true));
    await assert.rejects(connect(server.url(), pinned(false)), {
      failure: "tls",
      message: /another certificate\.$/,
    });
    await server.close();
  });

  test("B8: TLS options that Node refuses are an InvalidArgumentError, and leave nothing behind", async () => {
    await assert.rejects(connect("wss://127.0.0.1:1/", { tls: { cert: "none" } }), {
      name: "InvalidArgumentError",
      message: /^Expected `tls` to be options of tls\.connect, got an error: /,
    });
  });
});

describe("A Unix socket", () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "holdfast "));
    path = join(folder, "a b:c.sock");
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  test("B8: ws+unix: names the socket and, after a colon, the request target", async () => {
    await using server = await RawServer.start({ path }, accept);
    const url = `ws+unix:${path.replace(":", "%3A")}:/chat?room=1`;
    const connection = await connect(url, { pingInterval: null });
    assert.equal(
      connection.url,
      `ws+unix:${path.replace(" ", "%20").replace("a b:", "a%20b%3A")}:/chat?room=1`,
    );
    connection.terminate();
    await connection.closed;
    const head = Buffer.from(server.peers[0].received).toString();
    assert.match(head, /^GET \/chat\?room=1 HTTP\/1\.1\r\nHost: localhost\r\n/);
    await server.close();
  });

  test("B8: a path longer than the system takes is refused, since Node would cut it off and use another socket", async () => {
    const longest = process.platform === "linux" ? 108 : 104;
    const cut = join(folder, "s".repeat(longest - folder.length - 1));
    const other = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => other.listen(cut, resolve));
    const message = new RegExp(
      `^Expected the path of a Unix socket to have at most ${longest} bytes, got ${longest + 4}: `,
    );
    for (const opening of [
      () => connect(`ws+unix:${cut}-two:/`),
      () => connect("ws://localhost/", { socketPath: `${cut}-two` }),
      () => serve(() => undefined, { path: `${cut}-two` }),
    ]) {
      await assert.rejects(opening, { name: "InvalidArgumentError", message });
    }
    await assert.rejects(connect(`ws+unix:${cut}:/`), { failure: /eof|reset/ }); // The longest path works.
    await new Promise((resolve) => other.close(resolve));
  });

  test("B8: wss+unix: is TLS over it", async () => {
    await using server = await RawServer.start({ path, tls: certificates.server }, accept);
    await assertOpens(`wss+unix://${path.replace(":", "%3a")}`, { tls: { ca: certificates.ca } });
    await server.close();
  });

  test("B8: `socketPath` connects to it with an ordinary URL, which the server and TLS use", async () => {
    await using server = await RawServer.start({ path, tls: certificates.server }, accept);
    await assertOpens("wss://localhost:1234/chat", { socketPath: path, tls: { ca: certificates.ca } });
    assert.match(Buffer.from(server.peers[0].received).toString(), /\r\nHost: localhost:1234\r\n/);
    await server.close();
  });

  test("B8: it bypasses the proxies of the environment", async () => {
    await using server = await RawServer.start({ path }, accept);
    process.env["ws_proxy"] = "http://127.0.0.1:1";
    try {
      await assertOpens(`ws+unix:${path.replace(":", "%3A")}`, {});
      await assertOpens("ws://localhost/", { socketPath: path });
    } finally {
      delete process.env["ws_proxy"];
    }
    await server.close();
  });

  test("B8: the connection is refused if nothing listens", async () => {
    await assert.rejects(connect("ws://localhost/", { socketPath: path }), {
      name: "HandshakeError",
      failure: "refused",
      code: "ERR_HOLDFAST_REFUSED",
      message: /^Nothing listens at ws:\/\/localhost\/: connect ENOENT /,
    });
  });

  test("B6, B8: a redirect stays on the socket", async () => {
    await using server = await RawServer.start({ path }, async (peer) => {
      const { startLine } = await peer.readHead();
      const location = startLine.includes("/a ") ? "b?x=1" : "ws://127.0.0.1:1/c";
      peer.respond(302, { headers: { Location: location } });
    });
    const url = (target: string) =>
      `ws+unix:${path.replace(" ", "%20").replace("a b:", "a%20b%3A")}:${target}`;
    await assert.rejects(connect(url("/a")), {
      name: "RedirectError",
      message: `Expected the redirect 302 of ${url("/b?…")} to stay on the Unix socket, got ws://127.0.0.1:1/c (by way of ${url("/a")}, ${url("/b?…")}).`,
    });
    await assert.rejects(connect("ws://host.test/a", { socketPath: path }), {
      name: "RedirectError",
      message: /to stay on the Unix socket, got ws:\/\/127\.0\.0\.1:1\/c/,
      hops: ["ws://host.test/a", "ws://host.test/b?x=1"],
    });
    await server.close();
  });
});

/** A pair of in-memory streams: each reads what is written to the other. */
function streamPair(): readonly [Duplex, Duplex] {
  const there = new PassThrough();
  const back = new PassThrough();
  const near = Duplex.from({ writable: there, readable: back });
  const far = Duplex.from({ writable: back, readable: there });
  // If one ends, all others fail.
  for (const stream of [there, back, far]) stream.on("error", () => undefined);
  return [near, far];
}

describe("A stream of the application's", () => {
  /** Answers one upgrade on the stream. */
  function answerOn(stream: Duplex): void {
    stream.once("data", (request: Buffer) => {
      const key = /Sec-WebSocket-Key: (.*)\r\n/.exec(request.toString())?.[1] ?? "";
      stream.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptKey(key)}\r\n\r\n`,
      );
      stream.write(Buffer.from("\x81\x05hello", "latin1"));
    });
  }

  test("B8: a connection runs over any Duplex", async () => {
    const [near, far] = streamPair();
    answerOn(far);
    const connection = await connect("ws://in-memory.test/", { stream: near, pingInterval: null });
    assert.deepEqual(
      [await connection.recv(), connection.remoteAddress, connection.url],
      ["hello", null, "ws://in-memory.test/"],
    );
    connection.terminate();
    await connection.closed;
    assert(near.destroyed);
    far.destroy();
  });

  for (const isSecure of [false, true]) {
    test(`B8: a socket that is still connecting carries one${isSecure ? ", with TLS over it" : ""}`, async () => {
      await using server = await RawServer.start(isSecure ? { tls: certificates.server } : {}, accept);
      const stream = connectTcp({ port: server.port, host: "127.0.0.1" });
      await assertOpens(server.url(), { stream, tls: { ca: certificates.ca } });
      assert(stream.destroyed);
      await server.close();
    });
  }

  test("B8: TLS over a Duplex that is not a socket, with the name of the URL", async () => {
    await using server = await RawServer.start({ tls: certificates.server }, accept);
    const socket = connectTcp({ port: server.port, host: "127.0.0.1" });
    const stream = new Duplex({
      read: () => void socket.resume(),
      write: (chunk: Buffer, _encoding, done) => void socket.write(chunk, done),
      final: (done) => void socket.end(done),
      destroy: (error, done) => {
        socket.destroy();
        done(error);
      },
    });
    socket.on("data", (chunk) => stream.push(chunk)).on("end", () => stream.push(null));
    await assertOpens(`wss://localhost:${server.port}/`, { stream, tls: { ca: certificates.ca } });
    await eventually(() => stream.destroyed, "the stream below");
    await server.close();
  });

  test("B8: createConnection creates a stream for each connection, and receives its destination", async () => {
    await using server = await RawServer.start({}, accept);
    const targets: ConnectionTarget[] = [];
    const createConnection = async (target: ConnectionTarget) => {
      targets.push(target);
      return connectTcp({ port: target.port, host: target.hostname });
    };
    for (let count = 0; count < 2; count++) await assertOpens(server.url("/x"), { createConnection });
    const [{ signal, ...target }] = targets;
    assert.deepEqual(target, {
      url: server.url("/x"),
      hostname: "127.0.0.1",
      port: server.port,
      isSecure: false,
    });
    assert.deepEqual([targets.length, signal.aborted], [2, false]);
    await server.close();
  });

  test("B6, B8: createConnection is called again for a redirect; a given stream carries one request only", async () => {
    const script: RawScript = async (peer) => {
      const { startLine } = await peer.readHead();
      if (startLine.includes("/a")) peer.respond(302, { headers: { Location: "/b" } });
      else peer.respond(410);
    };
    await using server = await RawServer.start({}, script);
    const make = () => connectTcp({ port: server.port, host: "127.0.0.1" });
    const urls: string[] = [];
    const createConnection = ({ url }: ConnectionTarget): Socket => {
      urls.push(url);
      return make();
    };
    await assert.rejects(connect("ws://h.test/a", { createConnection }), { status: 410 });
    assert.deepEqual(urls, ["ws://h.test/a", "ws://h.test/b"]);
    await assert.rejects(connect("ws://h.test/a", { stream: make() }), {
      name: "RedirectError",
      message:
        "Expected the redirect 302 of ws://h.test/a to be an answer, as the given stream carries no second request.",
    });
    await server.close();
  });

  test("B8: a createConnection that fails is reported with its cause", async () => {
    const cause = Object.assign(new Error("no route"), { code: "EHOSTUNREACH" });
    await assert.rejects(connect("ws://h.test/", { createConnection: () => Promise.reject(cause) }), {
      name: "HandshakeError",
      failure: "unreachable",
      cause,
      message: "There is no way to ws://h.test/: no route.",
    });
  });

  test("B1, B8: an abort during createConnection aborts its signal, and its late stream is destroyed", async () => {
    const aborter = new AbortController();
    const late = new PassThrough();
    let finish = (_stream: Duplex): void => undefined;
    let signal: AbortSignal | null = null;
    const opening = connect("ws://h.test/", {
      signal: aborter.signal,
      createConnection: (target) => {
        signal = target.signal;
        return new Promise((resolve) => (finish = resolve));
      },
    });
    const failed = assert.rejects(opening, { name: "AbortError" });
    aborter.abort();
    await failed;
    assert.equal((signal as AbortSignal | null)?.aborted, true);
    finish(late);
    await eventually(() => late.destroyed, "the late stream to be destroyed");
  });

  test("B1, B8: openTimeout destroys a stream that stays mute", async () => {
    const [near, far] = streamPair();
    await assert.rejects(connect("wss://h.test/", { stream: near, openTimeout: 50 }), {
      name: "OpenTimeoutError",
      phase: "tls",
    });
    assert(near.destroyed);
    far.destroy();
  });
});

describe("TCP", () => {
  test("B8: the caller's own lookup, and the address family", async () => {
    await using server = await RawServer.start({}, accept);
    const asked: unknown[] = [];
    await assertOpens(`ws://name.test:${server.port}/`, {
      family: 4,
      lookup: (hostname, { family, all }, callback) => {
        asked.push([hostname, family]);
        if (all === true) callback(null, [{ address: "127.0.0.1", family: 4 }]);
        else callback(null, "127.0.0.1", 4);
      },
    });
    assert.deepEqual(asked, [["name.test", 4]]);
    await server.close();
  });

  test("B8: the local address", async () => {
    await using server = await RawServer.start({}, accept);
    const connection = await connect(server.url(), { localAddress: "127.0.0.2", pingInterval: null });
    assert.equal(connection.localAddress?.address, "127.0.0.2");
    connection.terminate();
    await connection.closed;
    await server.close();
  });

  const lookups: readonly (readonly [why: string, lookup: NonNullable<ConnectOptions["lookup"]>])[] = [
    [
      "that finds nothing",
      (_n, _o, callback) => callback(Object.assign(new Error("nope"), { code: "ESERVFAIL" }), ""),
    ],
    [
      "that throws",
      () => {
        throw new Error("nope");
      },
    ],
    ["that finds what is no address", (_n, _o, callback) => callback(null, [{ address: "nope", family: 4 }])],
    ["that finds an empty list", (_n, _o, callback) => callback(null, [])],
  ];
  for (const [why, lookup] of lookups) {
    for (const scheme of ["ws", "wss"]) {
      test(`B1: ${scheme}: a lookup ${why}: dns`, async () => {
        await assert.rejects(connect(`${scheme}://name.test/`, { lookup }), {
          name: "HandshakeError",
          failure: "dns",
          code: "ERR_HOLDFAST_DNS",
        });
      });
    }
  }

  test("B1: each of several addresses is tried, and listed if all fail (RFC 8305)", async () => {
    const server = await RawServer.start();
    await server.close();
    const lookup: ConnectOptions["lookup"] = (_hostname, _options, callback) =>
      callback(null, [
        { address: "127.0.0.2", family: 4 },
        { address: "::1", family: 6 },
        { address: "127.0.0.1", family: 4 },
      ]);
    await assert.rejects(
      connect(`ws://name.test:${server.port}/`, { lookup }),
      (error: Error & { failure: string }) => {
        assert.equal(error.failure, "refused");
        assert.match(
          error.message,
          new RegExp(
            `^Nothing listens at ws://name\\.test:${server.port}/: connect E.*127\\.0\\.0\\.2.*; connect E.*; connect .`,
          ),
        );
        assert(error.cause instanceof AggregateError);
        return true;
      },
    );
  });
});
