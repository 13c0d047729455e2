import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { connect, InvalidHeaderError, InvalidURLError, type ConnectOptions } from "holdfast";
import {
  acceptKey,
  activeResources,
  assertNothingLeft,
  RawServer,
  type AcceptOptions,
  type ResourceCounts,
} from "holdfast-testkit";

describe("The request of connect()", () => {
  let resources: ResourceCounts;
  let server: RawServer;

  beforeEach(async () => {
    resources = activeResources();
    server = await RawServer.start();
  });
  afterEach(async () => {
    await server.close();
    await assertNothingLeft(resources);
  });

  /** Opens a connection, and returns it with the request that the server received. */
  async function open(url: string, options?: ConnectOptions, answer?: AcceptOptions) {
    const opening = connect(url, options);
    const peer = await server.nextPeer();
    const [request, connection] = await Promise.all([peer.acceptUpgrade(answer), opening]);
    connection.terminate();
    await connection.closed;
    return { request, connection };
  }

  test("B2: the request has the fields of RFC 6455 section 4.1, and those of the caller", async () => {
    const authority = `127.0.0.1:${server.port}`;
    const { request, connection } = await open(
      `http://user:p%40ss@${authority}/chat/é?q=1&r=%20`,
      {
        headers: { "X-Token": "secret", Cookie: ["a=1", "b=2"] },
        subprotocols: ["chat.v2", "chat.v1"],
        origin: "https://example.com",
        pingInterval: null,
      },
      { headers: { "Sec-WebSocket-Protocol": "chat.v1", "X-Served-By": "raw" } },
    );
    const key = request.header("Sec-WebSocket-Key") ?? "";
    assert.match(key, /^[A-Za-z0-9+/]{22}==$/);
    assert.equal(request.startLine, "GET /chat/%C3%A9?q=1&r=%20 HTTP/1.1");
    assert.deepEqual(request.fields, [
      ["Host", authority],
      ["Upgrade", "websocket"],
      ["Connection", "Upgrade"],
      ["Sec-WebSocket-Key", key],
      ["Sec-WebSocket-Version", "13"],
      ["Sec-WebSocket-Protocol", "chat.v2, chat.v1"],
      ["Origin", "https://example.com"],
      ["Authorization", `Basic ${Buffer.from("user:p@ss").toString("base64")}`],
      ["X-Token", "secret"],
      ["Cookie", "a=1; b=2"],
    ]);
    const { url, subprotocol, extensions } = connection;
    assert.deepEqual(
      { url, subprotocol, extensions },
      { url: `ws://${authority}/chat/%C3%A9?q=1&r=%20`, subprotocol: "chat.v1", extensions: [] },
    );
    assert.equal(connection.request.target, "/chat/%C3%A9?q=1&r=%20");
    assert.equal(connection.request.headers.get("x-token"), "secret");
    assert.deepEqual(
      [connection.response.status, connection.response.headers.get("x-served-by")],
      [101, "raw"],
    );
  });

  test("B2: an empty path is `/`, and a URL object is as good as a string", async () => {
    const { request } = await open(`ws://127.0.0.1:${server.port}`);
    assert.equal(request.startLine, "GET / HTTP/1.1");
    const again = connect(new URL(`ws://127.0.0.1:${server.port}/?a=b`), {});
    const peer = await server.nextPeer();
    assert.equal((await peer.acceptUpgrade()).startLine, "GET /?a=b HTTP/1.1");
    (await again).terminate();
    await (
      await again
    ).closed;
  });

  test("B2: an IPv6 address has brackets in Host, and none for connecting", async (t) => {
    const six = await RawServer.start({ host: "::1" }).catch(() => null);
    if (six === null) {
      t.skip("this machine has no IPv6");
      return;
    }
    const opening = connect(`ws://[::1]:${six.port}/`);
    const peer = await six.nextPeer();
    assert.equal((await peer.acceptUpgrade()).header("Host"), `[::1]:${six.port}`);
    const connection = await opening;
    assert.deepEqual(connection.remoteAddress, { address: "::1", port: six.port });
    connection.terminate();
    await connection.closed;
    await six.close();
  });

  test("B2: the key differs each time", async () => {
    const keys = new Set<string | null>();
    for (let count = 0; count < 5; count++) {
      keys.add((await open(server.url())).request.header("Sec-WebSocket-Key"));
    }
    assert.equal(keys.size, 5);
  });

  const at = () => `127.0.0.1:${server.port}`;
  const badURLs: readonly (readonly [name: string, url: () => string])[] = [
    ["a fragment", () => `ws://${at()}/#top`],
    ["an empty fragment", () => `ws://${at()}/#`],
    ["an empty host", () => "ws:///chat"],
    ["another scheme", () => `ftp://${at()}/`],
    ["no scheme", () => at()],
    ["no URL at all", () => "chat"],
    ["a port out of range", () => "ws://127.0.0.1:65536/"],
    ["CR and LF in the path", () => `ws://${at()}/a\r\nX-Injected: 1`],
    ["NUL in the path", () => `ws://${at()}/a\0`],
    ["a colon in the user name", () => `ws://a%3Ab:c@${at()}/`],
  ];
  for (const [name, url] of badURLs) {
    test(`B2, B5: a URL with ${name} is refused before any I/O, without showing user info`, async () => {
      const error: unknown = await connect(url()).catch((reason: unknown) => reason);
      assert(error instanceof InvalidURLError, String(error));
      assert.equal(error.code, "ERR_HOLDFAST_INVALID_URL");
      await assertNothingSeen();
    });
  }

  test("B2: the message of a bad URL shows no password", async () => {
    const secret = "p4ssw0rd";
    for (const url of [
      `ws://user:${secret}@${at()}/#x`,
      `ftp://user:${secret}@${at()}`,
      `ws://user:${secret}@:x`,
    ]) {
      const error = await connect(url).catch((reason: unknown) => reason as Error & { cause?: unknown });
      assert(error instanceof InvalidURLError);
      assert(!`${error.message} ${String(error.stack)} ${String(error.cause)}`.includes(secret));
    }
  });

  const badOptions: readonly (readonly [name: string, options: Record<string, unknown>])[] = [
    ["CR and LF in a header's value", { headers: { "X-A": "1\r\nX-Injected: 1" } }],
    ["LF in a header's value", { headers: { "X-A": "1\nX-Injected: 1" } }],
    ["NUL in a header's value", { headers: { "X-A": "1\0" } }],
    ["CR in a header's name", { headers: [["X-A\r\nX-Injected", "1"]] }],
    ["an empty header name", { headers: [["", "1"]] }],
    ["a header that is no string", { headers: { "X-A": 5 } }],
    ["headers that are none", { headers: "X-A: 1" }],
    ["a reserved name: Upgrade", { headers: { upgrade: "h2c" } }],
    ["a reserved name: Connection", { headers: { Connection: "close" } }],
    ["a reserved name: Content-Length", { headers: { "Content-Length": "5" } }],
    ["a reserved name: Transfer-Encoding", { headers: { "Transfer-Encoding": "chunked" } }],
    ["a reserved name: Sec-WebSocket-Key", { headers: { "Sec-WebSocket-Key": "x" } }],
    ["a reserved name: Sec-WebSocket-Protocol", { headers: { "sec-websocket-protocol": "chat" } }],
    ["a subprotocol that is no token", { subprotocols: ["a,b"] }],
    ["CR and LF in a subprotocol", { subprotocols: ["a\r\nX-Injected: 1"] }],
    ["a subprotocol twice", { subprotocols: ["a", "a"] }],
    ["subprotocols that are no list", { subprotocols: "chat" }],
    ["CR and LF in the origin", { origin: "https://a\r\nX-Injected: 1" }],
    ["NUL in the origin", { origin: "https://a\0" }],
    ["an origin twice", { origin: "https://a", headers: { Origin: "https://b" } }],
    ["a Host with a path", { headers: { Host: "a/b" } }],
    ["a Host with user info", { headers: { Host: "user@a" } }],
    ["a Host with CR and LF", { headers: { Host: "a\r\nX-Injected: 1" } }],
    ["an empty Host", { headers: { Host: "" } }],
    ["a Host twice", { headers: { Host: ["a", "b"] } }],
  ];
  for (const [name, options] of badOptions) {
    test(`B5: ${name} is refused before any I/O`, async () => {
      const error: unknown = await connect(server.url(), options as ConnectOptions).catch(
        (reason: unknown) => reason,
      );
      assert(error instanceof InvalidHeaderError, String(error));
      assert.equal(error.code, "ERR_HOLDFAST_INVALID_HEADER");
      await assertNothingSeen();
    });
  }

  /** Opens a connection after everything sent before, so it must be the first that the server sees. */
  async function assertNothingSeen(): Promise<void> {
    const { connection } = await open(server.url());
    assert.deepEqual([server.peers.length, connection.state], [1, "closed"]);
  }

  const badAnswers: readonly (readonly [name: string, answer: AcceptOptions, error: string])[] = [
    ["a wrong accept key", { accept: "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" }, "InvalidUpgradeError"],
    ["no accept key", { headers: { "Sec-WebSocket-Accept": null } }, "InvalidUpgradeError"],
    ["no Connection token", { headers: { Connection: "keep-alive" } }, "InvalidUpgradeError"],
    ["another upgrade", { headers: { Upgrade: "h2c" } }, "InvalidUpgradeError"],
    [
      "a subprotocol that was not offered",
      { headers: { "Sec-WebSocket-Protocol": "other" } },
      "NegotiationError",
    ],
    ["two subprotocols", { headers: { "Sec-WebSocket-Protocol": ["chat", "chat"] } }, "NegotiationError"],
    [
      "an extension that was not offered",
      { headers: { "Sec-WebSocket-Extensions": "permessage-deflate" } },
      "NegotiationError",
    ],
    ["129 headers", { headers: { "X-A": Array.from({ length: 126 }, () => "1") } }, "InvalidUpgradeError"],
    ["a head over maxHandshakeSize", { headers: { "X-A": "a".repeat(16 * 1024) } }, "InvalidUpgradeError"],
  ];
  for (const [name, answer, expected] of badAnswers) {
    test(`B3: an answer with ${name} fails the handshake, and the socket is gone`, async () => {
      const opening = connect(server.url(), { subprotocols: ["chat"] });
      const failed = assert.rejects(opening, { name: expected, failure: "invalid-handshake" });
      const peer = await server.nextPeer();
      await peer.acceptUpgrade(answer);
      await failed;
      assert.notEqual(await peer.ended, "closed");
    });
  }

  test("B3: the accept key is compared by case; Connection and Upgrade are not", async () => {
    const { connection } = await open(
      server.url(),
      {},
      { headers: { Connection: "keep-alive, UPGRADE", Upgrade: "WebSocket" } },
    );
    assert.equal(connection.response.status, 101);
    const opening = connect(server.url());
    const failed = assert.rejects(opening, { name: "InvalidUpgradeError" });
    const peer = await server.nextPeer();
    const request = await peer.readHead();
    const accept = acceptKey(request.header("Sec-WebSocket-Key") ?? "");
    const swapped = accept.toLowerCase() === accept ? accept.toUpperCase() : accept.toLowerCase();
    peer.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${swapped}\r\n\r\n`,
    );
    await failed;
  });
});
