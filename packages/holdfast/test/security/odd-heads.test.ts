import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, InvalidUpgradeError } from "../../build/index.js";
import { acceptKey, RawServer, type HeadersToSend } from "holdfast-testkit";
import { assertServes, attacker, echoServer, readRefusal } from "./servers.js";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const manyHeaders: HeadersToSend = Object.fromEntries(
  Array.from({ length: 2000 }, (_, index) => [`X-${index}`, "1"]),
);

const REQUESTS: readonly (readonly [what: string, headers: HeadersToSend, status: string])[] = [
  ["without Host", { Host: null }, "HTTP/1.1 400 Bad Request"],
  ["with Host twice", { Host: ["localhost", "localhost"] }, "HTTP/1.1 400 Bad Request"],
  ["with two hosts in one Host", { Host: "localhost, evil.example" }, "HTTP/1.1 400 Bad Request"],
  ["with an empty Host", { Host: "" }, "HTTP/1.1 400 Bad Request"],
  ["with user info in Host", { Host: "localhost@evil.example" }, "HTTP/1.1 400 Bad Request"],
  ["without Upgrade", { Upgrade: null }, "HTTP/1.1 426 Upgrade Required"],
  ["with another Upgrade", { Upgrade: "websockets" }, "HTTP/1.1 426 Upgrade Required"],
  ["without Connection", { Connection: null }, "HTTP/1.1 426 Upgrade Required"],
  ["with another Connection", { Connection: "keep-alive" }, "HTTP/1.1 426 Upgrade Required"],
  ["without a key", { "Sec-WebSocket-Key": null }, "HTTP/1.1 400 Bad Request"],
  ["with a key twice", { "Sec-WebSocket-Key": [KEY, KEY] }, "HTTP/1.1 400 Bad Request"],
  ["with a key that is a list", { "Sec-WebSocket-Key": `${KEY}, ${KEY}` }, "HTTP/1.1 400 Bad Request"],
  ["with an empty key", { "Sec-WebSocket-Key": "" }, "HTTP/1.1 400 Bad Request"],
  ["with a key of 15 bytes", { "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAA" }, "HTTP/1.1 400 Bad Request"],
  ["without a version", { "Sec-WebSocket-Version": null }, "HTTP/1.1 426 Upgrade Required"],
  ["with a version twice", { "Sec-WebSocket-Version": ["13", "13"] }, "HTTP/1.1 400 Bad Request"],
  ["with versions in a list", { "Sec-WebSocket-Version": "13, 8" }, "HTTP/1.1 426 Upgrade Required"],
  ["with version 8", { "Sec-WebSocket-Version": "8" }, "HTTP/1.1 426 Upgrade Required"],
  ["with a subprotocol twice", { "Sec-WebSocket-Protocol": ["chat", "chat"] }, "HTTP/1.1 400 Bad Request"],
  ["with a body", { "Content-Length": "5" }, "HTTP/1.1 400 Bad Request"],
  ["with a body in chunks", { "Transfer-Encoding": "chunked" }, "HTTP/1.1 400 Bad Request"],
  ["with two origins", { Origin: ["http://localhost", "http://localhost"] }, "HTTP/1.1 403 Forbidden"],
  ["with 2,000 headers", manyHeaders, "HTTP/1.1 431 Request Header Fields Too Large"],
  ["with a header of 64 KiB", { X: "x".repeat(65_536) }, "HTTP/1.1 431 Request Header Fields Too Large"],
];

test("H: mandatory headers that are missing, doubled or lists, and too many headers, are refused on the wire, and the server serves on", async (t) => {
  await using server = await echoServer();
  await using witness = await connect(server.url);
  for (const [what, headers, status] of REQUESTS) {
    await t.test(what, async () => {
      await using client = await attacker(server);
      client.sendUpgrade({ headers });
      assert.equal((await readRefusal(client)).status, status);
    });
  }
  await witness.send("unharmed");
  assert.equal(await witness.recv({ timeout: 30_000 }), "unharmed");
  await assertServes(server);
});

test("H: a larger maxHandshakeSize admits no more headers than 128", async () => {
  await using server = await echoServer({ maxHandshakeSize: 1024 * 1024 });
  await using client = await attacker(server);
  client.sendUpgrade({ headers: manyHeaders });
  assert.deepEqual(await readRefusal(client), {
    status: "HTTP/1.1 431 Request Header Fields Too Large",
    body: "Expected at most 128 header fields, got more.",
  });
  await assertServes(server);
});

test("H: header values that arrive as several lines of a list still make one list (RFC 9110 section 5.3)", async () => {
  await using server = await echoServer({ subprotocols: ["b"] });
  await using client = await attacker(server);
  const head = await client.upgrade({
    headers: {
      Connection: ["keep-alive", "Upgrade"],
      Upgrade: ["h2c", "websocket"],
      "Sec-WebSocket-Protocol": ["a", "b"],
    },
  });
  assert.equal(head.header("Sec-WebSocket-Protocol"), "b");
});

const ANSWERS: readonly (readonly [what: string, headers: HeadersToSend])[] = [
  ["without Upgrade", { Upgrade: null }],
  ["with Upgrade twice", { Upgrade: ["websocket", "websocket"] }],
  ["without Connection", { Connection: null }],
  ["without an accept key", { "Sec-WebSocket-Accept": null }],
  ["with an empty accept key", { "Sec-WebSocket-Accept": "" }],
  ["with two subprotocols", { "Sec-WebSocket-Protocol": ["chat", "chat"] }],
  ["with extensions twice", { "Sec-WebSocket-Extensions": ["x", "x"] }],
  ["with 2,000 headers", manyHeaders],
  ["with a header of 64 KiB", { X: "x".repeat(65_536) }],
];

test("H: a client fails an answer whose mandatory headers are missing or doubled, or which has too many headers", async (t) => {
  for (const [what, headers] of ANSWERS) {
    await t.test(what, async () => {
      await using server = await RawServer.start({}, async (peer) => {
        await peer.acceptUpgrade({ headers });
      });
      await assert.rejects(connect(server.url(), { subprotocols: ["chat"] }), (error) => {
        assert(error instanceof InvalidUpgradeError || (error as Error).name === "NegotiationError");
        return true;
      });
    });
  }
  await t.test("with an accept key twice, both right", async () => {
    await using server = await RawServer.start({}, async (peer) => {
      const request = await peer.readHead();
      const accept = acceptKey(request.header("Sec-WebSocket-Key") ?? "");
      peer.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
    });
    await assert.rejects(connect(server.url()), InvalidUpgradeError);
  });
});
