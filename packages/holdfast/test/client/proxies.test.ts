import assert from "node:assert/strict";
import { afterEach, before, beforeEach, describe, test } from "node:test";
import { connect, type Connection, type ConnectOptions } from "holdfast";
import {
  activeResources,
  assertNothingLeft,
  RawServer,
  testCertificates,
  TunnelProxy,
  type ResourceCounts,
  type TestCertificates,
} from "holdfast-testkit";
import { withEnvironment } from "./environment.js";

describe("A tunnel through an HTTP proxy", () => {
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

  /** A server that upgrades and echoes text messages. */
  const echo = (options: Parameters<typeof RawServer.start>[0] = {}) =>
    RawServer.start(options, async (peer) => {
      await peer.acceptUpgrade();
      const { payload } = await peer.readFrame();
      peer.sendText(Buffer.from(payload).toString());
    });

  /** Checks that bytes arrive in both directions. */
  async function assertWorks(connection: Connection): Promise<void> {
    await connection.send("over the tunnel");
    assert.equal(await connection.recv(), "over the tunnel");
    connection.terminate();
    await connection.closed;
  }

  for (const isServerSecure of [false, true]) {
    for (const isProxySecure of [false, true]) {
      const scheme = isServerSecure ? "wss" : "ws";
      test(`B7: ${scheme}: through an ${isProxySecure ? "https:" : "http:"} proxy with user and password (RFC 9110 section 9.3.6)`, async () => {
        await using server = await echo(isServerSecure ? { tls: certificates.server } : {});
        await using proxy = await TunnelProxy.start({
          userInfo: "user:secret",
          ...(isProxySecure ? { tls: certificates.server } : {}),
        });
        const { ca } = certificates;
        const connection = await connect(server.url("/chat"), {
          proxy: { url: proxy.url(), tls: { ca }, headers: { "X-Team": "blue" } },
          tls: { ca },
          pingInterval: null,
        });
        assert.equal(connection.url, server.url("/chat"));
        assert.equal(
          connection.remoteAddress?.port,
          proxy.port,
          "the other end of the stream is the proxy's",
        );
        await assertWorks(connection);
        const authority = `127.0.0.1:${server.port}`;
        assert.deepEqual(proxy.requests, [
          {
            authority,
            headers: {
              host: authority,
              "proxy-authorization": `Basic ${Buffer.from("user:secret").toString("base64")}`,
              "x-team": "blue",
            },
          },
        ]);
        const [peer] = server.peers;
        assert(
          !Buffer.from(peer.received).toString("latin1").includes("Proxy"),
          "credentials are the proxy's only",
        );
        await proxy.close();
        await server.close();
      });
    }
  }

  test("B7: an IPv6 address stands in brackets in CONNECT, and the proxy's may be one itself", async (t) => {
    const server = await echo({ host: "::1" }).catch(() => null);
    if (server === null) {
      t.skip("this machine has no IPv6");
      return;
    }
    await using proxy = await TunnelProxy.start({ host: "::1" });
    const connection = await connect(`ws://[::1]:${server.port}/`, {
      proxy: new URL(`http://[::1]:${proxy.port}`),
      pingInterval: null,
    });
    await assertWorks(connection);
    assert.equal(proxy.requests[0].authority, `[::1]:${server.port}`);
    await server.close();
  });

  test("B7: bytes glued to the proxy's response are not lost, and come first", async () => {
    const interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    await using proxy = await RawServer.start({}, async (peer) => {
      await peer.readHead();
      peer.write(
        `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n${interim.slice(0, 17)}`,
      );
      await peer.flushed();
      await peer.pause(5);
      peer.write(interim.slice(17));
      await peer.acceptUpgrade({ glue: peer.frame({ opcode: 1, payload: "first" }) });
    });
    const connection = await connect("ws://server.test/", {
      proxy: `http://127.0.0.1:${proxy.port}`,
      pingInterval: null,
    });
    assert.equal(await connection.recv(), "first");
    connection.terminate();
    await connection.closed;
    await proxy.close();
  });

  test("B7: garbage glued to the proxy's response counts as the server's", async () => {
    await using proxy = await RawServer.start({}, async (peer) => {
      await peer.readHead();
      peer.write("HTTP/1.1 200 OK\r\n\r\nSSH-2.0-OpenSSH\r\n\r\n");
    });
    await assert.rejects(connect("ws://server.test/", { proxy: `http://127.0.0.1:${proxy.port}` }), {
      name: "InvalidUpgradeError",
    });
    await proxy.close();
  });

  const fromEnvironment: readonly (readonly [
    why: string,
    environment: (proxy: string) => Record<string, string>,
    isUsed: boolean,
  ])[] = [
    ["http_proxy", (proxy) => ({ http_proxy: proxy }), true],
    ["ALL_PROXY without a scheme", (proxy) => ({ ALL_PROXY: proxy.replace("http://", "") }), true],
    ["https_proxy, which is for wss:", (proxy) => ({ https_proxy: proxy }), false],
    ["no_proxy with the address", (proxy) => ({ http_proxy: proxy, no_proxy: "127.0.0.0/8" }), false],
    ["no_proxy with another port", (proxy) => ({ http_proxy: proxy, NO_PROXY: "127.0.0.1:1" }), true],
  ];
  for (const [why, environment, isUsed] of fromEnvironment) {
    test(`B7: from the environment: ${why}: ${isUsed ? "used" : "not used"}`, async () => {
      await using server = await echo();
      await using proxy = await TunnelProxy.start();
      await withEnvironment(environment(proxy.url()), async () => {
        await assertWorks(await connect(server.url(), { pingInterval: null }));
      });
      assert.equal(proxy.requests.length, isUsed ? 1 : 0);
      await server.close();
    });
  }

  test("B7: null means no proxy, whatever the environment says, and the option overrides the environment", async () => {
    await using server = await echo();
    await using proxy = await TunnelProxy.start();
    await withEnvironment({ ws_proxy: "http://127.0.0.1:1" }, async () => {
      for (const options of [{ proxy: null }, { proxy: proxy.url() }] satisfies ConnectOptions[]) {
        await assertWorks(await connect(server.url(), { ...options, pingInterval: null }));
      }
    });
    assert.equal(proxy.requests.length, 1);
    await server.close();
  });

  test("B7: the environment must name a valid proxy, and errors do not show its password", async () => {
    await withEnvironment({ http_proxy: "ftp://user:s3cret@proxy" }, async () => {
      await assert.rejects(connect("ws://127.0.0.1:1/"), {
        name: "ProxyError",
        failure: "proxy",
        message:
          'Expected the environment variable http_proxy to be the URL of a proxy, such as "http://proxy.example:3128", with the scheme http, https, socks, socks5, socks5h, socks4, socks4a, got "ftp://proxy".',
      });
    });
  });

  test("B7: each hop of a redirect asks for its own tunnel", async () => {
    await using second = await echo();
    await using first = await RawServer.start({}, async (peer) => {
      await peer.readHead();
      peer.respond(307, { headers: { Location: second.url("/next") } });
    });
    await using proxy = await TunnelProxy.start();
    await assertWorks(await connect(first.url(), { proxy: proxy.url(), pingInterval: null }));
    assert.deepEqual(
      proxy.requests.map(({ authority }) => authority),
      [`127.0.0.1:${first.port}`, `127.0.0.1:${second.port}`],
    );
    await first.close();
    await second.close();
  });
});
