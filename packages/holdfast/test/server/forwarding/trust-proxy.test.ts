import assert from "node:assert/strict";
import { createServer } from "node:http";
import { connect as connectHttp2, type ClientHttp2Session } from "node:http2";
import { mkdtemp, rm } from "node:fs/promises";
import { connect as connectTcp, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  attach,
  connect,
  InvalidArgumentError,
  serve,
  type Address,
  type ServeOptions,
} from "../../../build/index.js";
import { addressSeen, seenBy } from "./proxied.js";

const FORGED = {
  "X-Forwarded-For": "203.0.113.9",
  "X-Forwarded-Host": "forged.example",
  "X-Forwarded-Proto": "https",
};

test("G10: without trustProxy, and from a peer that is not trusted, forwarding headers are ignored", async () => {
  for (const options of [
    {},
    { trustProxy: null },
    { trustProxy: 0 },
    { trustProxy: [] },
    { trustProxy: ["10.0.0.0/8", "::1", "uniquelocal", "linklocal", "unix"] },
    { trustProxy: () => false },
    { trustProxy: (() => "yes") as unknown as () => boolean },
  ] satisfies readonly ServeOptions[]) {
    const seen = await seenBy(options, FORGED);
    assert.deepEqual(
      [seen.status, seen.requestAddress?.address, seen.connectionAddress?.address, seen.requestUrl],
      [101, "127.0.0.1", "127.0.0.1", "http://localhost/"],
    );
    assert.equal(seen.connectionUrl, "ws://localhost/");
  }
});

test("G10: a trusted proxy reports the client's address, requested host and scheme", async () => {
  for (const trustProxy of [
    1,
    ["127.0.0.1"],
    ["127.0.0.0/8"],
    ["::ffff:127.0.0.1"],
    ["loopback"],
    (address: string, hop: number) => address === "127.0.0.1" && hop === 0,
  ] satisfies readonly ServeOptions["trustProxy"][]) {
    const { status, requestAddress, connectionAddress, requestUrl, connectionUrl } = await seenBy(
      { trustProxy },
      FORGED,
    );
    const client = { address: "203.0.113.9", port: 0 };
    assert.deepEqual(
      { status, requestAddress, connectionAddress, requestUrl, connectionUrl },
      {
        status: 101,
        requestAddress: client,
        connectionAddress: client,
        requestUrl: "https://forged.example/",
        connectionUrl: "wss://forged.example/",
      },
    );
  }
});

test("G10: of a chain, the nearest address that is no proxy is the client; what stands before it can be forged", async () => {
  const chain = "1.1.1.1, 2.2.2.2, 3.3.3.3";
  const table: readonly (readonly [trust: ServeOptions["trustProxy"], header: unknown, client: string])[] = [
    [1, chain, "3.3.3.3"],
    [2, chain, "2.2.2.2"],
    [3, chain, "1.1.1.1"],
    [99, chain, "1.1.1.1"],
    [["loopback", "3.3.3.3"], chain, "2.2.2.2"],
    [["loopback", "3.3.3.0/24", "1.1.1.1"], chain, "2.2.2.2"],
    [["loopback", "0.0.0.0/0"], chain, "1.1.1.1"],
    [(_address, hop) => hop < 2, chain, "2.2.2.2"],
    // One line per proxy, as some proxies write.
    [2, ["1.1.1.1", "2.2.2.2", "3.3.3.3"], "2.2.2.2"],
    [1, "[2001:db8::7]:4711", "2001:db8::7 port 4711"],
    [1, "2001:db8::7", "2001:db8::7"],
    [1, "198.51.100.1:4711", "198.51.100.1 port 4711"],
    [["loopback", "10.0.0.0/8"], "198.51.100.1, ::ffff:10.0.0.1", "198.51.100.1"],
    // An entry that is not an address hides the entries before it.
    [3, "1.1.1.1, unknown, 3.3.3.3", "3.3.3.3"],
    [3, "1.1.1.1, 3.3.3.3, <script>", "127.0.0.1"],
    [3, "1.1.1.1, 2.2.2.2:x", "127.0.0.1"],
    [3, " , ,", "127.0.0.1"],
    [3, "", "127.0.0.1"],
    [3, [], "127.0.0.1"],
    [3, ",,4.4.4.4,,", "4.4.4.4"],
    [1000, Array.from({ length: 900 }, (_, index) => `10.0.${index >> 8}.${index & 255}`).join(), "10.0.0.0"],
  ];
  for (const [trustProxy, header, client] of table) {
    const headers = { "X-Forwarded-For": header as string };
    assert.equal(await addressSeen({ trustProxy: trustProxy ?? null }, headers), client, String(header));
  }
});

test("G10: X-Forwarded-Proto and -Host are those of the farthest trusted proxy, and nonsense in them counts for nothing", async () => {
  const chain = { "X-Forwarded-For": "1.1.1.1, 2.2.2.2" };
  const table: readonly (readonly [hops: number, headers: Record<string, string>, url: string])[] = [
    [
      1,
      { "X-Forwarded-Proto": "http, https", "X-Forwarded-Host": "forged, b.example" },
      "https://b.example/",
    ],
    [2, { "X-Forwarded-Proto": "https, http", "X-Forwarded-Host": "a.example, b" }, "https://a.example/"],
    [2, { "X-Forwarded-Proto": "https", "X-Forwarded-Host": "a.example" }, "https://a.example/"],
    [1, { "X-Forwarded-Proto": "WSS", "X-Forwarded-Host": "a.example:8443" }, "https://a.example:8443/"],
    [1, { "X-Forwarded-Proto": "gopher", "X-Forwarded-Host": "a b" }, "http://localhost/"],
    [1, { "X-Forwarded-Host": "user@a.example" }, "http://localhost/"],
    [1, { "X-Forwarded-Host": "1.2.3.4.5" }, "http://localhost/"],
    [1, { "X-Forwarded-Host": "[2001:db8::1]:80" }, "http://[2001:db8::1]:80/"],
    // The server ignores this header: a proxy that writes the others passes the client's own version of this one on.
    [1, { Forwarded: 'for="[2001:db8::1]";host=forged.example;proto=https' }, "http://localhost/"],
  ];
  for (const [trustProxy, headers, url] of table) {
    const seen = await seenBy({ trustProxy }, { ...chain, ...headers });
    assert.deepEqual([seen.status, seen.requestUrl], [101, url], JSON.stringify(headers));
    assert.equal(seen.requestAddress?.address, trustProxy === 1 ? "2.2.2.2" : "1.1.1.1");
  }
});

test("G10: refusals are logged with the client's address", async () => {
  const { lines, status } = await seenBy(
    { trustProxy: 1 },
    { "X-Forwarded-For": "203.0.113.9", Origin: "https://evil.example" },
  );
  assert.equal(status, 403);
  assert.deepEqual(
    lines.map(({ details }) => (details as { remoteAddress: Address }).remoteAddress),
    [{ address: "203.0.113.9", port: 0 }],
  );
});

test("G10: a function that throws trusts no proxy, and is logged", async () => {
  const trustProxy = (): boolean => {
    throw new Error("no list");
  };
  const { requestAddress, lines } = await seenBy({ trustProxy }, FORGED);
  assert.equal(requestAddress?.address, "127.0.0.1");
  assert.deepEqual(
    lines.map(({ level, message }) => [level, message]),
    [["error", "trustProxy failed"]],
  );
});

test("G10: attach(), its path function and HTTP/2 streams know the client too", async () => {
  const httpServer = createServer();
  await new Promise<void>((resolve) => httpServer.listen(0, "127.0.0.1", resolve));
  const seen: (string | undefined)[] = [];
  const attached = attach(httpServer, (connection) => void seen.push(connection.remoteAddress?.address), {
    trustProxy: 1,
    path: (request) => request.remoteAddress?.address === "203.0.113.9" && request.url.startsWith("https:"),
  });
  const { port } = httpServer.address() as AddressInfo;
  const through = await connect(`ws://127.0.0.1:${port}`, { headers: FORGED });
  await through.close();
  await assert.rejects(connect(`ws://127.0.0.1:${port}`), { status: 404 });
  await attached.close();
  await new Promise((resolve) => httpServer.close(resolve));

  await using server = await serve((connection) => void seen.push(connection.remoteAddress?.address), {
    host: "127.0.0.1",
    http2: true,
    trustProxy: ["loopback"],
    hosts: ["forged.example"],
  });
  const session = connectHttp2(`http://127.0.0.1:${server.port}`);
  const status = await statusOfStream(session);
  session.destroy();
  assert.deepEqual([status, seen], [200, ["203.0.113.9", "203.0.113.9"]]);
});

test("G10: on a Unix socket the proxy has no address, and is trusted as `unix` or as the first of a number", async () => {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-"));
  const path = join(folder, "s");
  try {
    for (const [trustProxy, address] of [
      [1, "203.0.113.9"],
      [["unix"], "203.0.113.9"],
      [(name: string) => name === "unix", "203.0.113.9"],
      [["loopback"], undefined],
      [null, undefined],
    ] satisfies readonly (readonly [ServeOptions["trustProxy"], string | undefined])[]) {
      const seen: (string | undefined)[] = [];
      await using server = await serve(
        (connection, request) => {
          seen.push(connection.remoteAddress?.address, request.remoteAddress?.address);
        },
        { path, trustProxy, http2: true },
      );
      await using _client = await connect(server.url, { headers: FORGED });
      assert.deepEqual(seen, [address, address]);

      const session = connectHttp2("http://localhost", { createConnection: () => connectTcp({ path }) });
      assert.equal(await statusOfStream(session), 200);
      session.destroy();
      assert.deepEqual(seen, [address, address, address, address]);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("A8: an invalid trustProxy is rejected, with an explanation for `true`", async () => {
  for (const [trustProxy, message] of [
    [
      true,
      /^Expected `trustProxy` to be a number of proxies.*got true \(boolean\)\. `true` would trust every/,
    ],
    [
      -1,
      /^Expected `trustProxy` to be a number of proxies, a list of their addresses, or a function, got -1/,
    ],
    [1.5, /got 1\.5 \(number\)\.$/],
    ["10.0.0.0/8", /got "10\.0\.0\.0\/8" \(string\)\.$/],
    [
      ["10.0.0.0/33"],
      /^Expected `trustProxy` to be a list of IP addresses.*got "10\.0\.0\.0\/33" \(string\)\.$/,
    ],
    [["proxy.example"], /got "proxy\.example" \(string\)\.$/],
    [[5], /got 5 \(number\)\.$/],
  ] as const) {
    await assert.rejects(
      serve(() => undefined, { trustProxy: trustProxy as unknown as number }),
      (error) => error instanceof InvalidArgumentError && message.test(error.message),
      String(trustProxy),
    );
  }
});

/** Returns the response to an upgrade on an HTTP/2 stream with forged headers (RFC 8441 section 5). */
async function statusOfStream(session: ClientHttp2Session): Promise<unknown> {
  await new Promise((resolve) => session.once("remoteSettings", resolve));
  const stream = session.request({
    ":method": "CONNECT",
    ":protocol": "websocket",
    ":path": "/",
    "sec-websocket-version": "13",
    ...Object.fromEntries(Object.entries(FORGED).map(([name, value]) => [name.toLowerCase(), value])),
  });
  const status = await new Promise((resolve) =>
    stream.once("response", (headers) => resolve(headers[":status"])),
  );
  stream.destroy();
  return status;
}
