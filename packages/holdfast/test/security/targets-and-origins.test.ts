import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, serve, type Connection } from "../../build/index.js";
import { RawServer, type HeadersToSend } from "holdfast-testkit";
import { assertServes, attacker, echo, echoServer, readRefusal } from "./servers.js";

test("H: for any form of the target, the URL of a connection has this host (RFC 9112 section 3.2)", async () => {
  const accepted: Connection[] = [];
  await using server = await serve(
    (connection) => {
      accepted.push(connection);
      return echo(connection);
    },
    { host: "127.0.0.1" },
  );
  const targets: readonly (readonly [sent: string, seen: string])[] = [
    ["/chat?room=1", "/chat?room=1"],
    ["http://localhost/chat", "/chat"],
    ["ws://LOCALHOST:80/chat", "/chat"],
    ["https://localhost", "/"],
    ["http://localhost?x", "/?x"],
    ["//evil.example/chat", "//evil.example/chat"],
    ["/\\evil.example", "/\\evil.example"],
    ["///", "///"],
    ["/../../etc/passwd", "/../../etc/passwd"],
    ["/%00%0d%0a", "/%00%0d%0a"],
  ];
  for (const [sent, seen] of targets) {
    await using client = await attacker(server);
    await client.upgrade({ path: sent });
    const connection = accepted.at(-1);
    assert.deepEqual([connection?.request.target, connection?.url], [seen, `ws://localhost${seen}`]);
    assert.equal(new URL(connection?.url ?? "").host, "localhost", sent);
  }
});

test("H: a target that names another host, or no path at all, is refused", async () => {
  await using server = await echoServer({ origins: "any" });
  const targets = [
    "http://evil.example/",
    "http://localhost@evil.example/",
    "http://localhost:81/",
    "https://localhost:80/",
    "http:///",
    "http://",
    "ftp://localhost/",
    "*",
    "localhost:80",
    "chat",
    "/chat#fragment",
    "?x",
  ];
  for (const path of targets) {
    await using client = await attacker(server);
    client.sendUpgrade({ path });
    assert.equal((await readRefusal(client)).status, "HTTP/1.1 400 Bad Request", path);
  }
  for (const path of ["/a b", "/a\tb", "/\x7f", "/\xff", ""]) {
    await using client = await attacker(server);
    client.sendUpgrade({ path });
    assert.equal((await readRefusal(client)).status, "HTTP/1.1 400 Bad Request", JSON.stringify(path));
  }
  await assertServes(server);
});

test("H: a client connects to the host of its URL, for any path", async () => {
  await using server = await RawServer.start({}, async (peer) => {
    const { startLine } = await peer.acceptUpgrade();
    peer.sendText(startLine);
  });
  const paths = ["//evil.example/", "/\\evil.example/", "/@evil.example", "/http://evil.example/"];
  for (const path of paths) {
    const connection = await connect(server.url(path));
    assert.equal(await connection.recv(), `GET ${path.replace("\\", "/")} HTTP/1.1`);
    assert.equal(new URL(connection.url).host, `127.0.0.1:${server.port}`);
    connection.terminate();
  }
});

test("H: by default pages of another origin are refused, and so is what is not one Host (RFC 6455 section 10.2)", async (t) => {
  await using server = await echoServer();
  const refused: readonly (readonly [HeadersToSend, status: number])[] = [
    [{ Origin: "http://evil.example" }, 403],
    [{ Origin: "http://localhost.evil.example" }, 403],
    [{ Origin: "http://evil.example/localhost" }, 403],
    [{ Origin: "http://localhost@evil.example" }, 403],
    [{ Host: "a.example", Origin: "http://a.example:81" }, 403],
    [{ Host: "a.example", Origin: "https://a.example" }, 403],
    [{ Host: "a.example:443", Origin: "https://a.example" }, 403],
    [{ Origin: "file://localhost" }, 403],
    [{ Origin: "localhost" }, 403],
    [{ Origin: "null" }, 403],
    [{ Origin: "" }, 403],
    [{ Origin: "http://localhost, http://evil.example" }, 403],
    [{ Origin: ["http://localhost", "http://evil.example"] }, 403],
    [{ Host: "evil.example", Origin: "http://localhost" }, 403],
    [{ Host: "localhost evil.example" }, 400],
    [{ Host: "localhost/evil.example" }, 400],
    [{ Host: "localhost:99999" }, 400],
    [{ Host: ["evil.example", "localhost"] }, 400],
  ];
  for (const [headers, status] of refused) {
    await t.test(JSON.stringify(headers), async () => {
      await using client = await attacker(server);
      client.sendUpgrade({ headers });
      assert.match((await readRefusal(client)).status, new RegExp(`^HTTP/1\\.1 ${status} `));
    });
  }
  for (const headers of [
    {},
    { Host: "a.example", Origin: "http://A.example" },
    { Origin: "http://localhost:81" },
    { Origin: "HTTPS://LOCALHOST" },
  ]) {
    await using client = await attacker(server);
    await client.upgrade({ headers });
  }
  await assertServes(server);
});
