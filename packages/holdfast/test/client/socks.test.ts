import assert from "node:assert/strict";
import { afterEach, before, beforeEach, describe, test } from "node:test";
import { connect, type ConnectOptions } from "holdfast";
import {
  activeResources,
  assertNothingLeft,
  RawServer,
  SocksServer,
  testCertificates,
  type ResourceCounts,
  type SocksRequest,
  type TestCertificates,
} from "holdfast-testkit";
import { assertExpires } from "./expiry.js";

describe("A tunnel through a SOCKS proxy", () => {
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

  const rows: readonly (readonly [
    why: string,
    proxy: (socks: SocksServer) => string,
    request: Partial<SocksRequest>,
    options?: ConnectOptions,
    server?: Parameters<typeof SocksServer.start>[0],
  ])[] = [
    ["socks5h: sends the name", (socks) => socks.url("socks5h"), { version: 5, host: "localhost" }],
    ["socks: is socks5h:", (socks) => socks.url("socks"), { version: 5, host: "localhost" }],
    [
      "socks5: looks the name up here",
      (socks) => socks.url("socks5"),
      { version: 5, host: "127.0.0.1" },
      { family: 4 },
    ],
    [
      "socks5: with a lookup of the caller's",
      (socks) => socks.url("socks5"),
      { version: 5, host: "127.0.0.1" },
      { lookup: (_name, _options, callback) => callback(null, "127.0.0.1", 4) },
    ],
    [
      "socks4: looks up an IPv4 address",
      (socks) => socks.url("socks4", "me"),
      { version: 4, host: "127.0.0.1", user: "me" },
    ],
    ["socks4a: sends the name", (socks) => socks.url("socks4a"), { version: 4, host: "localhost", user: "" }],
    [
      "user and password (RFC 1929)",
      (socks) => socks.url("socks5h", "us%20er:p%C3%A4ss%3A"),
      { version: 5, host: "localhost" },
      {},
      { userInfo: { username: "us er", password: "päss:" } },
    ],
  ];
  for (const [why, proxyURL, expected, options, socksOptions] of rows) {
    for (const scheme of ["ws", "wss"]) {
      test(`B7: ${scheme}: ${why} (RFC 1928)`, async () => {
        await using server = await RawServer.start(
          scheme === "wss" ? { tls: certificates.server } : {},
          async (peer) => {
            await peer.acceptUpgrade({ glue: peer.frame({ opcode: 1, payload: "hello" }) });
          },
        );
        await using socks = await SocksServer.start(socksOptions);
        const connection = await connect(`${scheme}://localhost:${server.port}/`, {
          proxy: proxyURL(socks),
          tls: { ca: certificates.ca },
          pingInterval: null,
          ...options,
        });
        assert.equal(await connection.recv(), "hello");
        connection.terminate();
        await connection.closed;
        assert.deepEqual(socks.requests, [{ user: "", ...expected, port: server.port }]);
        await socks.close();
        await server.close();
      });
    }
  }

  test("B7: bytes glued to the last reply of the proxy are not lost", async () => {
    await using server = await RawServer.start({}, async (peer) => {
      await peer.acceptUpgrade();
    });
    await using socks = await SocksServer.start({ glue: "HTTP/1.1 103 Early Hints\r\nX-A: " });
    // The server's 101 completes the line that the glue started. Without the glue, it would open the connection.
    const open = (openTimeout: number) =>
      connect(`ws://127.0.0.1:${server.port}/`, { proxy: socks.url(), openTimeout });
    await assertExpires("upgrade", open, () => ({ name: "OpenTimeoutError", phase: "upgrade" }));
    await socks.close();
    await server.close();
  });

  test("B7: an unknown name is the lookup's failure, not the proxy's", async () => {
    await using socks = await SocksServer.start();
    const options: ConnectOptions = {
      proxy: socks.url("socks5"),
      lookup: () => {
        throw new Error("no such name");
      },
    };
    await assert.rejects(connect("ws://nobody.test/", options), {
      name: "HandshakeError",
      failure: "dns",
      message: "No address was found for ws://nobody.test/: no such name.",
    });
    assert.deepEqual(socks.requests, []);
    await socks.close();
  });
});
