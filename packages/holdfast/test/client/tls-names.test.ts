// The name that TLS sends, and the name that the certificate must have (RFC 6066 section 3).

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { connect as connectTcp, type AddressInfo } from "node:net";
import { pipeline, type Duplex } from "node:stream";
import { before, describe, test } from "node:test";
import { checkServerIdentity, type TLSSocketOptions } from "node:tls";
import { connect, serve, type ConnectOptions } from "holdfast";
import { RawServer, testCertificates, type TestCertificates } from "holdfast-testkit";

let certificates: TestCertificates;

before(async () => {
  certificates = await testCertificates();
});

const lookup: ConnectOptions["lookup"] = (_hostname, _options, callback) => callback(null, "127.0.0.1", 4);

/** Options of a server that records the requested names. */
function noting(names: string[]): TLSSocketOptions {
  return {
    ...certificates.server,
    SNICallback: (name, callback) => {
      names.push(name);
      callback(null);
    },
  };
}

/** A proxy that resolves every name to this machine. */
class TunnelToLoopback implements AsyncDisposable {
  readonly authorities: string[] = [];
  readonly #server = createServer();

  static async start(): Promise<TunnelToLoopback> {
    const proxy = new TunnelToLoopback();
    proxy.#server.on("connect", ({ url = "" }: IncomingMessage, client: Duplex) => {
      proxy.authorities.push(url);
      const upstream = connectTcp(Number(url.split(":").at(-1)), "127.0.0.1", () => {
        client.write("HTTP/1.1 200 OK\r\n\r\n");
        pipeline(client, upstream, client, () => undefined);
      });
    });
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port; // It listens on TCP.
  }

  async close(): Promise<void> {
    this.#server.close();
    await Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

describe("The name in TLS", () => {
  const cases: readonly (readonly [host: string, servername: string | undefined, sent: readonly string[]])[] =
    [
      ["localhost", undefined, ["localhost"]],
      ["localhost.", undefined, ["localhost"]],
      ["localhost.", "localhost.", ["localhost"]],
      ["elsewhere.test", "localhost.", ["localhost"]],
      ["127.0.0.1", undefined, []],
      ["127.0.0.1", "localhost.", ["localhost"]],
      ["elsewhere.test", "127.0.0.1", []],
      ["localhost.", "", []],
    ];
  for (const [host, servername, sent] of cases) {
    const given = servername === undefined ? "" : ` and servername "${servername}"`;
    const names: string[] = [];
    const checked: string[] = [];
    const tls = () => ({
      ca: certificates.ca,
      ...(servername === undefined ? {} : { servername }),
      checkServerIdentity: (...[name, certificate]: Parameters<typeof checkServerIdentity>) => {
        checked.push(name);
        return checkServerIdentity(name, certificate);
      },
    });
    const expectedIdentity = (servername === undefined || servername === "" ? host : servername).replace(
      /\.$/,
      "",
    );

    test(`B8: of wss://${host}/${given}, directly: SNI ${JSON.stringify(sent)} (RFC 6066 section 3)`, async () => {
      names.length = checked.length = 0;
      const hosts: (string | null)[] = [];
      await using server = await RawServer.start({ tls: noting(names) }, async (peer) => {
        const head = await peer.readHead();
        hosts.push(head.header("Host"));
        peer.respond(410);
      });
      await assert.rejects(connect(`wss://${host}:${server.port}/`, { lookup, tls: tls() }), { status: 410 });
      assert.deepEqual(
        { names, checked, hosts },
        { names: sent, checked: [expectedIdentity], hosts: [`${host}:${server.port}`] },
      );
      await server.close();
    });

    test(`B8: of wss://${host}/${given}, through a proxy and over HTTP/2: the same`, async () => {
      names.length = checked.length = 0;
      await using server = await serve(() => undefined, {
        host: "127.0.0.1",
        tls: noting(names),
        http2: true,
      });
      await using proxy = await TunnelToLoopback.start();
      const url = `wss://${host}:${server.port}/`;
      const tunnelled = await connect(url, { tls: tls(), proxy: `http://127.0.0.1:${proxy.port}` });
      await tunnelled.close();
      const multiplexed = await connect(url, { lookup, tls: tls(), http2: true });
      await multiplexed.close();
      assert.deepEqual(names, [...sent, ...sent]);
      assert.deepEqual(checked, [expectedIdentity, expectedIdentity]);
      assert.deepEqual(proxy.authorities, [`${host}:${server.port}`], "with the dot");
      await proxy.close();
      await server.close();
    });
  }

  test("B8: to a proxy, and after a redirect", async () => {
    const proxyNames: string[] = [];
    const names: string[] = [];
    await using proxy = await RawServer.start({ tls: noting(proxyNames) }, async (peer) => {
      await peer.readHead();
      peer.respond(502);
    });
    await assert.rejects(
      connect("ws://name.test/", {
        lookup,
        proxy: { url: `https://localhost.:${proxy.port}`, tls: { ca: certificates.ca } },
      }),
      { name: "ProxyError", status: 502 },
    );
    await using server = await RawServer.start({ tls: noting(names) }, async (peer) => {
      await peer.readHead();
      peer.respond(410);
    });
    await using first = await RawServer.start({}, async (peer) => {
      await peer.readHead();
      peer.respond(302, { headers: { Location: `wss://localhost.:${server.port}/` } });
    });
    await assert.rejects(connect(first.url(), { lookup, tls: { ca: certificates.ca } }), { status: 410 });
    assert.deepEqual([proxyNames, names], [["localhost"], ["localhost"]]);
    await proxy.close();
    await first.close();
    await server.close();
  });
});
