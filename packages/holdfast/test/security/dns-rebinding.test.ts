import assert from "node:assert/strict";
import { connect as connectHttp2 } from "node:http2";
import { test } from "node:test";
import { connect, InvalidArgumentError, serve, type ServeOptions } from "../../build/index.js";
import { RawClient, type HeadersToSend } from "holdfast-testkit";
import { attacker, assertServes, echoServer, readRefusal } from "./servers.js";
import { recordingLogger } from "../server/recording-logger.js";

/** A page under an attacker's name, which now resolves to the server: its Origin equals the Host. */
const REBOUND = { Host: "evil.example:8930", Origin: "http://evil.example:8930" };

async function statusOf(port: number, headers: HeadersToSend): Promise<number> {
  await using client = await RawClient.connect({ port });
  client.sendUpgrade({ headers });
  return Number((await client.readHead()).startLine.slice(9, 12));
}

test("H: `hosts` refuses a page whose name an attacker has pointed at the server; without it the page passes", async () => {
  await using open = await echoServer();
  assert.equal(await statusOf(open.port, REBOUND), 101);

  const { logger, lines } = recordingLogger();
  await using server = await echoServer({ hosts: ["localhost", "127.0.0.1"], logger });
  await using client = await attacker(server);
  client.sendUpgrade({ headers: REBOUND });
  const reason =
    'Expected a host that the option `hosts` lists, got "evil.example:8930". Add it to `hosts` if this server answers to it.';
  assert.deepEqual(await readRefusal(client), {
    status: "HTTP/1.1 421 Misdirected Request",
    body: reason,
  });
  assert.deepEqual(
    lines.map(({ message, details }) => [message, (details as { reason: string }).reason]),
    [["connection refused", reason]],
  );
  await assertServes(server);
});

test("H: a name in `hosts` allows any port, a name with a port that one, a RegExp names alone", async () => {
  const hosts = [
    "a.example",
    "B.example:8443",
    "c.example:80",
    /^[a-z]+\.d\.example$/g,
    "2001:db8::1",
    "[::1]:1",
  ];
  await using server = await echoServer({ hosts });
  const table: readonly (readonly [host: string | readonly string[], status: number])[] = [
    ["a.example", 101],
    ["A.EXAMPLE:1234", 101],
    ["a.example.", 101],
    ["x.a.example", 421],
    ["a.example.evil", 421],
    ["b.example:8443", 101],
    ["b.example", 421],
    ["b.example:443", 421],
    ["c.example", 101],
    ["c.example:", 101],
    ["c.example:443", 421],
    ["x.d.example:77", 101],
    ["X.D.EXAMPLE", 101],
    ["x.d.example", 101], // A global RegExp gives the same result each time.
    ["x.d.example.evil", 421],
    ["[2001:DB8::1]:5", 101],
    ["[::1]:1", 101],
    ["[::1]:2", 421],
    ["127.0.0.1", 421],
    ["evil\u007f.example", 400],
    [["a.example", "evil.example"], 400],
    [[], 400],
  ];
  for (const [host, status] of table) {
    assert.equal(await statusOf(server.port, { Host: host }), status, String(host));
  }
});

test("H: `hosts` takes addresses and names in any form, and compares those that browsers send", async () => {
  const hosts = ["127.1", "[0:0:0:0:0:0:0:1]:3000", "0:0::2", "bücher.example:80", "Straße.example."];
  await using server = await echoServer({ hosts });
  const table: readonly (readonly [host: string, status: number])[] = [
    ["127.0.0.1:1234", 101],
    ["[::1]:3000", 101],
    ["[::1]", 421],
    ["[::2]", 101],
    ["xn--bcher-kva.example", 101],
    ["xn--bcher-kva.example:81", 421],
    ["xn--strae-oqa.example:81", 101],
  ];
  for (const [host, status] of table) assert.equal(await statusOf(server.port, { Host: host }), status, host);
});

test("H: over TLS, and where a trusted proxy ended it, a host without a port means 443", async () => {
  await using server = await echoServer({ hosts: ["a.example:443"], trustProxy: 1 });
  const forwarded = (proto: string, host: string) => ({
    "X-Forwarded-Proto": proto,
    "X-Forwarded-Host": host,
  });
  assert.equal(await statusOf(server.port, forwarded("https", "a.example")), 101);
  assert.equal(await statusOf(server.port, forwarded("http", "a.example")), 421);
  assert.equal(
    await statusOf(server.port, { ...forwarded("https", "evil.example"), Host: "a.example:443" }),
    421,
  );
});

test("H: without trustProxy, X-Forwarded-Host is ignored", async () => {
  await using server = await echoServer({ hosts: ["a.example"] });
  assert.equal(await statusOf(server.port, { ...REBOUND, "X-Forwarded-Host": "a.example" }), 421);
});

test("H: `hosts` holds for plain requests, before onRequest, and for :authority of HTTP/2 (RFC 9113 section 8.3.1)", async () => {
  const asked: string[] = [];
  await using server = await serve(() => undefined, {
    host: "127.0.0.1",
    http2: true,
    hosts: ["localhost"],
    onRequest: ({ url }) => {
      asked.push(url);
      return new Response("secret");
    },
  });
  const { port } = server;
  assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 421);
  await using old = await RawClient.connect({ port });
  old.write("GET / HTTP/1.0\r\n\r\n");
  assert.match((await old.readHead()).startLine, / 421 /);
  assert.match(Buffer.from(await old.readToEnd()).toString(), /lists, got none\./);

  const session = connectHttp2(`http://127.0.0.1:${port}`);
  const ask = (headers: Record<string, string>) =>
    new Promise<unknown>((resolve) => {
      const stream = session.request(headers);
      stream.once("response", (response) => resolve(response[":status"]));
      stream.resume();
    });
  assert.equal(await ask({ ":path": "/", ":authority": "evil.example" }), 421);
  assert.equal(await ask({ ":path": "/", ":authority": "evil.example", host: "localhost" }), 400);
  assert.deepEqual(asked, []);
  assert.equal(await ask({ ":path": "/", ":authority": `localhost:${port}` }), 200);
  session.destroy();
});

test("H: a client's connect() reports it as status 421, which is not retried", async () => {
  await using server = await echoServer({ hosts: ["a.example"] });
  await assert.rejects(connect(server.url), { status: 421, code: "ERR_HOLDFAST_INVALID_STATUS" });
});

test("A8: invalid `hosts` are rejected", async () => {
  for (const [hosts, got] of [
    ["a.example", '"a.example" (string)'],
    [[], "an array"],
    [["https://a.example"], '"https://a.example" (string)'],
    [["a.example/path"], '"a.example/path" (string)'],
    [["*.a.example"], '"*.a.example" (string)'],
    [["a.example:99999"], '"a.example:99999" (string)'],
    [[""], '"" (string)'],
    [[5], "5 (number)"],
  ] as const) {
    await assert.rejects(
      serve(() => undefined, { hosts } as unknown as ServeOptions),
      (error) =>
        error instanceof InvalidArgumentError &&
        error.message.startsWith("Expected `hosts` to be a list of names such as") &&
        error.message.endsWith(`got ${got}.`),
      String(hosts),
    );
  }
});
