import assert from "node:assert/strict";
import { afterEach, before, beforeEach, describe, test } from "node:test";
import { connect, HandshakeError, OpenTimeoutError, type ConnectOptions } from "holdfast";
import {
  activeResources,
  assertNothingLeft,
  assertWithin,
  FaultProxy,
  RawServer,
  testCertificates,
  withTimeout,
  type RawScript,
  type ResourceCounts,
  type TestCertificates,
} from "holdfast-testkit";
import { startDeafServer } from "./deaf-server.js";
import { assertExpires } from "./expiry.js";

const PHASES = {
  dns: "the name lookup",
  connect: "the TCP connection",
  tls: "the TLS handshake",
  upgrade: "the answer to the upgrade",
};

/** A peer that hangs: the URL to open, the options to use, and a cleanup function. */
interface Hanging {
  readonly url: string;
  readonly options?: ConnectOptions;
  readonly close: () => Promise<void>;
}

describe("The phases of connect()", () => {
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

  const rawServer = async (scheme: string, script?: RawScript, options = {}): Promise<Hanging> => {
    const server = await RawServer.start(options, script);
    return {
      url: `${scheme}://127.0.0.1:${server.port}/`,
      options: { tls: { ca: certificates.ca } },
      close: () => server.close(),
    };
  };
  const scenes: readonly (readonly [
    name: string,
    phase: keyof typeof PHASES,
    start: () => Promise<Hanging>,
  ])[] = [
    [
      "a name server that stays mute",
      "dns",
      // Options of `tls.connect` reach the socket, so this replaces the system's name lookup.
      async () => ({
        url: "wss://mute.test/",
        options: { tls: { lookup: () => undefined } },
        close: () => Promise.resolve(),
      }),
    ],
    [
      "a host that does not answer TCP",
      "connect",
      async () => {
        const deaf = await startDeafServer();
        return { url: `ws://localhost:${deaf.port}/`, close: () => deaf.close() };
      },
    ],
    ["a server that does not speak TLS, and waits", "tls", () => rawServer("wss")],
    [
      "a server that reads the request, and stays mute",
      "upgrade",
      () => rawServer("ws", (peer) => void peer.readHead().catch(() => undefined)), // An abort may come before it.
    ],
    [
      "a server that stays mute after the TLS handshake",
      "upgrade",
      () => rawServer("wss", undefined, { tls: certificates.server }),
    ],
    [
      "a server that answers with half a head",
      "upgrade",
      () => rawServer("ws", (peer) => peer.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: web")),
    ],
    [
      "a server that sends a byte now and then",
      "upgrade",
      () =>
        rawServer("ws", async (peer) => {
          for (const byte of "HTTP/1.1 101 ") {
            peer.write(byte);
            await peer.pause(20);
          }
        }),
    ],
  ];
  for (const [name, phase, start] of scenes) {
    test(`B1: ${name}, ends at openTimeout, in phase ${phase}`, async () => {
      const { url, options, close } = await start();
      try {
        const open = (openTimeout: number) => connect(url, { openTimeout, ...options });
        await assertExpires(phase, open, (openTimeout) => ({
          name: "OpenTimeoutError",
          code: "ERR_HOLDFAST_OPEN_TIMEOUT",
          failure: "open-timeout",
          phase,
          message: `Expected ${url} to be open within ${openTimeout} ms, still waiting for ${PHASES[phase]}.`,
        }));
      } finally {
        await close();
      }
    });

    test(`B1: ${name}: an abort in phase ${phase} ends it at once with its reason`, async () => {
      const { url, options, close } = await start();
      try {
        const aborter = new AbortController();
        const opening = connect(url, { ...options, signal: aborter.signal });
        const reason = new Error("enough");
        const timer = setTimeout(() => aborter.abort(reason), 60);
        const began = performance.now();
        await assert.rejects(opening, (error) => error === reason);
        clearTimeout(timer);
        assert(performance.now() - began < 9_000);
      } finally {
        await close();
      }
    });
  }

  test("B1: with an aborted signal, nothing reaches the network", async () => {
    await using server = await RawServer.start();
    const reason = new Error("before");
    await assert.rejects(
      connect(server.url(), { signal: AbortSignal.abort(reason) }),
      (error) => error === reason,
    );
    assert.equal(server.peers.length, 0);
    await server.close();
  });

  test("B1: once the connection is open, the signal has no effect", async () => {
    await using server = await RawServer.start({}, (peer) => void peer.acceptUpgrade());
    const aborter = new AbortController();
    const connection = await connect(server.url(), { signal: aborter.signal });
    aborter.abort();
    assert.equal(connection.state, "open");
    connection.terminate();
    await connection.closed;
    await server.close();
  });

  const atOnce: readonly (readonly [
    name: string,
    start: () => Promise<Hanging>,
    failure: string,
    message: RegExp,
  ])[] = [
    [
      "FIN instead of an answer",
      () => rawServer("ws", (peer) => peer.end()),
      "eof",
      /ended the connection during the upgrade, without an answer:/,
    ],
    [
      "FIN within the answer",
      () =>
        rawServer("ws", (peer) => {
          peer.write("HTTP/1.1 1");
          peer.end();
        }),
      "eof",
      /ended the connection during the upgrade, with an incomplete answer:/,
    ],
    [
      "RST instead of an answer",
      () =>
        rawServer("ws", async (peer) => {
          await peer.readHead();
          peer.reset();
        }),
      "reset",
      /^The connection was reset by ws:/,
    ],
    [
      "FIN instead of TLS",
      () => rawServer("wss", (peer) => peer.end()),
      "eof",
      /ended the connection during the TLS handshake, without an answer:/,
    ],
    [
      "a server that speaks plain HTTP",
      () => rawServer("wss", (peer) => peer.respond(400)),
      "tls",
      /^The TLS handshake failed with wss:/,
    ],
    [
      "a certificate of an unknown authority",
      () =>
        rawServer("wss", undefined, { tls: certificates.server }).then((hanging) => ({
          ...hanging,
          options: {},
        })),
      "tls",
      /unable to verify|self-signed/,
    ],
    [
      "an expired certificate",
      () => rawServer("wss", undefined, { tls: certificates.expired }),
      "tls",
      /expired/,
    ],
    [
      "a certificate of another host",
      () => rawServer("wss", undefined, { tls: certificates.wrongHost }),
      "tls",
      /does not match|altnames/,
    ],
    [
      "a server of another protocol, which waits after its banner",
      () => rawServer("ws", (peer) => peer.write("SSH-2.0-OpenSSH_9.6\r\n")),
      "invalid-handshake",
      /^Expected a status line such as .*, got "SSH-2\.0-OpenSSH_9\.6"\.$/,
    ],
    [
      "a banner with spaces and colons",
      () => rawServer("ws", (peer) => peer.write("220 mail.example ESMTP: ready\r\nMore: text\r\n")),
      "invalid-handshake",
      /got "220 mail\.example ESMTP: ready"\.$/,
    ],
    [
      "an error of another protocol, then FIN",
      () =>
        rawServer("ws", (peer) => {
          peer.write("-ERR unknown command 'GET'\r\n");
          peer.end();
        }),
      "invalid-handshake",
      /got "-ERR unknown command 'GET'"\.$/,
    ],
    [
      "an alert of TLS",
      () => rawServer("ws", (peer) => peer.write(new Uint8Array([0x15, 3, 1, 0, 2, 2, 70]))),
      "invalid-handshake",
      /got TLS, which this port seems to expect\.$/,
    ],
    [
      "settings of HTTP/2",
      () => rawServer("ws", (peer) => peer.write(new Uint8Array([0, 0, 6, 4, 0, 0, 0, 0, 0]))),
      "invalid-handshake",
      /got HTTP\/2, which this port seems to expect\.$/,
    ],
  ];
  for (const [name, start, failure, message] of atOnce) {
    test(`B1: ${name}, ends it at once: ${failure}`, async () => {
      const { url, options, close } = await start();
      try {
        const began = performance.now();
        const error: unknown = await connect(url, options).catch((reason: unknown) => reason);
        assert(error instanceof HandshakeError, String(error));
        assert.equal(error.failure, failure, error.message);
        assert.match(error.message, message);
        assert(performance.now() - began < 9_000);
      } finally {
        await close();
      }
    });
  }

  test("B1: a port without a listener, and an unknown name, are reported at once", async () => {
    const server = await RawServer.start();
    await server.close();
    const url = `ws://127.0.0.1:${server.port}/chat`;
    await assert.rejects(connect(url), {
      name: "HandshakeError",
      code: "ERR_HOLDFAST_REFUSED",
      failure: "refused",
      message: `Nothing listens at ${url}: connect ECONNREFUSED 127.0.0.1:${server.port}.`,
    });
    await assert.rejects(withTimeout(connect("ws://nobody.invalid/"), 30_000, "the name lookup"), {
      name: "HandshakeError",
      failure: "dns",
      code: "ERR_HOLDFAST_DNS",
    });
  });

  test("B1: one openTimeout covers all phases together", async () => {
    await using server = await RawServer.start({ tls: certificates.server }, async (peer) => {
      await peer.readHead();
    });
    await using proxy = await FaultProxy.start({ target: { port: server.port } });
    proxy.delay(40); // Each flight of TLS takes its time out of the same budget.
    await assertWithin(3_900, async () => {
      const began = performance.now();
      const opening = connect(proxy.url("wss"), { openTimeout: 2_000, tls: { ca: certificates.ca } });
      const error: unknown = await opening.catch((reason: unknown) => reason);
      const elapsed = performance.now() - began;
      assert(error instanceof OpenTimeoutError, String(error));
      assert(elapsed >= 1_999, `${elapsed} ms`);
      return error.phase === "upgrade" ? elapsed : Infinity; // A busy machine did not get that far.
    });
    await proxy.close();
    await server.close();
  });
});
