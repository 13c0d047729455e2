// Header fields folded over several lines: user agents accept them, servers reject them (RFC 9112 section 5.2).

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect, InvalidStatusError, ProxyError, serve } from "holdfast";
import { acceptKey, RawClient, RawServer } from "holdfast-testkit";

const FOLDED = "X-Long: one\r\n two\r\n\t \tthree\r\nX-Empty:\r\n \r\n";

describe("A folded header line", () => {
  test("B3: of a 101 is read as one line, whatever the chunks", async () => {
    for (const size of [1, 7, 1000]) {
      await using server = await RawServer.start({}, async (peer) => {
        const head = await peer.readHead();
        const accept = acceptKey(head.header("Sec-WebSocket-Key") ?? "");
        const answer = `HTTP/1.1 101 OK\r\nUpgrade:\r\n websocket\r\nConnection: keep-alive,\r\n\tUpgrade\r\nSec-WebSocket-Accept:\r\n ${accept}\r\n${FOLDED}\r\n`;
        for (let at = 0; at < answer.length; at += size) {
          peer.write(answer.slice(at, at + size));
          if (size < 10) await new Promise((resolve) => setImmediate(resolve));
        }
      });
      const connection = await connect(server.url(), { pingInterval: null });
      const { headers } = connection.response;
      assert.deepEqual([headers.get("x-long"), headers.get("x-empty")], ["one two three", ""]);
      connection.terminate();
      await connection.closed;
      await server.close();
    }
  });

  test("B4, B6: of a redirect, and of a refusal", async () => {
    await using server = await RawServer.start({}, async (peer) => {
      await peer.readHead();
      if (server.peers.length === 1) peer.write(`HTTP/1.1 302 F\r\nLocation:\r\n /next\r\n${FOLDED}\r\n`);
      else peer.write(`HTTP/1.1 403 No\r\n${FOLDED}Content-Length:\r\n 2\r\n\r\nno`);
    });
    const error: unknown = await connect(server.url()).catch((reason: unknown) => reason);
    assert(error instanceof InvalidStatusError, String(error));
    assert.deepEqual(
      [error.status, error.headers.get("x-long"), Buffer.from(error.body).toString()],
      [403, "one two three", "no"],
    );
    await server.close();
  });

  test("B7: of a proxy's answers to CONNECT", async () => {
    await using proxy = await RawServer.start({}, async (peer) => {
      await peer.readHead();
      if (proxy.peers.length === 1) {
        peer.write(`HTTP/1.1 407 No\r\n${FOLDED}Content-Length: 0\r\n\r\n`);
        return;
      }
      peer.write(`HTTP/1.1 200 OK\r\n${FOLDED}\r\n`);
      await peer.readHead();
      peer.respond(410);
    });
    const options = { proxy: `http://127.0.0.1:${proxy.port}` };
    const error: unknown = await connect("ws://name.test/", options).catch((reason: unknown) => reason);
    assert(error instanceof ProxyError, String(error));
    assert.deepEqual([error.status, error.headers.get("x-long")], [407, "one two three"]);
    await assert.rejects(connect("ws://name.test/", options), { status: 410 });
    await proxy.close();
  });

  for (const [where, head] of [
    ["before the first field", "HTTP/1.1 101 OK\r\n X: folded\r\nUpgrade: websocket\r\n\r\n"],
    ["before the status line", " HTTP/1.1 101 OK\r\n\r\n"],
    ["with a bare line feed", "HTTP/1.1 101 OK\r\nX: 1\n 2\r\n\r\n"],
    ["in a name", "HTTP/1.1 101 OK\r\nX\r\n : 1\r\n\r\n"],
  ] as const) {
    test(`B3: ${where} is not accepted`, async () => {
      await using server = await RawServer.start({}, async (peer) => {
        await peer.readHead();
        peer.write(head);
      });
      await assert.rejects(connect(server.url()), { name: "InvalidUpgradeError" });
      await server.close();
    });
  }

  test("B3: in a request is refused with 400", async () => {
    await using server = await serve(() => undefined, { host: "127.0.0.1" });
    await using client = await RawClient.connect({ port: server.port });
    client.write(`GET / HTTP/1.1\r\nHost: a\r\n${FOLDED}\r\n`);
    assert.match((await client.readHead()).startLine, /^HTTP\/1\.1 400 /);
    await client.close();
    await server.close();
  });
});
