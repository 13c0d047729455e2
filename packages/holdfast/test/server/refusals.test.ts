import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2, type IncomingHttpHeaders } from "node:http2";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, test } from "node:test";
import { serve, type Connection, type ServeOptions, type Server } from "../../build/index.js";
import {
  activeResources,
  assertNothingLeft,
  eventually,
  RawClient,
  type HeadersToSend,
  type ResourceCounts,
  type UpgradeOptions,
} from "holdfast-testkit";
import { recordingLogger } from "./recording-logger.js";

interface Answer {
  readonly status: string;
  readonly headers: Readonly<Record<string, string | null>>;
  readonly body: string;
}

describe("A server's refusals", () => {
  let resources: ResourceCounts;
  let server: Server | null = null;

  beforeEach(() => {
    resources = activeResources();
  });
  afterEach(async () => {
    await server?.close();
    server = null;
    await assertNothingLeft(resources);
  });

  async function start(options: ServeOptions = {}) {
    const { logger, lines } = recordingLogger();
    const opened: Connection[] = [];
    server = await serve((connection) => void opened.push(connection), {
      host: "127.0.0.1",
      logger,
      ...options,
    });
    return { port: server.port, lines, opened };
  }

  /** The bytes that the client receives up to the server's FIN; then the client closes too. */
  async function ask(
    port: number,
    send: (client: RawClient) => void,
    names: readonly string[],
  ): Promise<Answer> {
    await using client = await RawClient.connect({ port });
    send(client);
    const head = await client.readHead();
    const body = Buffer.from(await client.readToEnd()).toString();
    assert.equal(await client.ended, "fin");
    assert.equal(head.header("Connection"), head.header("Upgrade") === null ? "close" : "close, Upgrade");
    assert.equal(head.header("Content-Type"), "text/plain; charset=utf-8");
    assert.equal(head.header("Content-Length"), String(Buffer.byteLength(body)));
    client.end();
    return {
      status: head.startLine,
      headers: Object.fromEntries(names.map((name) => [name, head.header(name)])),
      body,
    };
  }

  const upgrade = (options: UpgradeOptions) => (client: RawClient) => client.sendUpgrade(options);
  const fields = (headers: HeadersToSend) => upgrade({ headers });
  const NO_HEADERS = {};
  const rows: readonly (readonly [
    name: string,
    send: (client: RawClient) => void,
    status: string,
    headers: object,
    body: string,
  ])[] = [
    [
      "POST",
      (client) => client.write("POST /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\r\n"),
      "405 Method Not Allowed",
      { Allow: "GET" },
      'Expected the method GET, got "POST".',
    ],
    [
      "a plain POST",
      (client) => client.write("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"),
      "405 Method Not Allowed",
      { Allow: "GET" },
      'Expected the method GET, got "POST".',
    ],
    [
      "a plain request",
      (client) => client.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
      "426 Upgrade Required",
      { Upgrade: "websocket" },
      "Expected a WebSocket upgrade, got a plain HTTP request.",
    ],
    [
      "another version",
      fields({ "Sec-WebSocket-Version": "8" }),
      "426 Upgrade Required",
      { Upgrade: "websocket", "Sec-WebSocket-Version": "13" },
      'Expected the header "Sec-WebSocket-Version: 13" once, got "8".',
    ],
    [
      "another origin",
      fields({ Origin: "https://evil.example" }),
      "403 Forbidden",
      NO_HEADERS,
      'Expected an Origin of the host "localhost" and the scheme http (the request\'s Host; it came over plain HTTP), got "https://evil.example". List the page in the option `origins`. Behind a proxy, set the option `trustProxy` and let the proxy send X-Forwarded-Host and X-Forwarded-Proto.',
    ],
    [
      "no key",
      fields({ "Sec-WebSocket-Key": null }),
      "400 Bad Request",
      NO_HEADERS,
      "Expected one Sec-WebSocket-Key of 16 bytes in base64, got none.",
    ],
    [
      "two Hosts",
      fields({ Host: ["a", "b"] }),
      "400 Bad Request",
      NO_HEADERS,
      'Expected one valid header "Host", got "a" and "b".',
    ],
    [
      "garbage",
      (client) => client.write("\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"),
      "400 Bad Request",
      NO_HEADERS,
      "",
    ],
    [
      "a target that is too long",
      upgrade({ path: `/${"a".repeat(17_000)}` }),
      "414 URI Too Long",
      NO_HEADERS,
      "",
    ],
    [
      "a head that is too long",
      fields({ "X-A": "a".repeat(17_000) }),
      "431 Request Header Fields Too Large",
      NO_HEADERS,
      "",
    ],
    [
      "too many headers",
      fields({ "X-A": Array.from({ length: 2000 }, () => "") }),
      "431 Request Header Fields Too Large",
      NO_HEADERS,
      "",
    ],
  ];
  for (const [name, send, status, headers, body] of rows) {
    test(`G3: ${name} is answered ${status} in plain text, and logged with the reason`, async () => {
      const { port, lines } = await start();
      const answer = await ask(port, send, Object.keys(headers));
      // If the bytes are not a request, heads.test.ts checks the message.
      const sentence = body === "" ? answer.body : body;
      assert.deepEqual(answer, { status: `HTTP/1.1 ${status}`, headers, body: sentence });
      assert.match(sentence, /^Expected .*\.$/);
      const [line] = lines;
      const { status: logged, reason, remoteAddress } = line.details as Record<string, unknown>;
      assert.deepEqual(
        [lines.length, line.level, line.message, logged, reason],
        [1, "info", "connection refused", Number(status.slice(0, 3)), sentence],
      );
      assert.equal((remoteAddress as { address: string } | null)?.address, "127.0.0.1");
    });
  }

  test("G3: a refused HEAD has the head of a GET, and no body (RFC 9110 section 9.3.2)", async () => {
    const { port } = await start();
    for (const [field, status] of [
      ["", "426 Upgrade Required"],
      ["Upgrade: websocket\r\n", "405 Method Not Allowed"],
    ]) {
      await using client = await RawClient.connect({ port });
      client.write(`HEAD / HTTP/1.1\r\nHost: localhost\r\n${field}\r\n`);
      const head = await client.readHead();
      assert.equal(head.startLine, `HTTP/1.1 ${status}`);
      assert.notEqual(head.header("Content-Length"), "0");
      assert.equal((await client.readToEnd()).length, 0);
      client.end();
    }
  });

  for (const [what, options, fields_, status, expected] of [
    [
      "a long path",
      {},
      { ":path": `/${"a".repeat(20_000)}` },
      414,
      /^Expected .* 16384 bytes, got a path that/,
    ],
    ["large fields", {}, { cookie: "a".repeat(20_000) }, 431, /^Expected .* 16384 bytes, got header fields/],
    [
      "many fields",
      {},
      Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`x-${index}`, "1"])),
      431,
      /^Expected at most 128 header fields, got 2\d\d\./,
    ],
    ["no WebSocket", { maxHandshakeSize: null }, { "x-a": "a".repeat(20_000) }, 400, /^Expected an extended/],
  ] as const) {
    test(`G3: over HTTP/2, ${what} is answered ${status}, and logged`, async () => {
      const { port, lines } = await start({ http2: true, ...options });
      const session = connectHttp2(`http://127.0.0.1:${port}`);
      await once(session, "remoteSettings");
      const stream = session.request({ ":path": "/", ...fields_ });
      const [headers] = (await once(stream, "response")) as [IncomingHttpHeaders];
      assert.equal(headers[":status"], status);
      assert.match(await text(stream), expected);
      assert.deepEqual(
        lines.filter(({ level }) => level === "info").map(({ message }) => message),
        ["connection refused"],
      );
      session.close();
      await once(session, "close");
    });
  }

  test("G3: bytes after a refused request are not read as frames, nor as another request", async () => {
    const { port, lines, opened } = await start();
    await using client = await RawClient.connect({ port });
    const glue = client.frame({ opcode: 1, payload: "frame" });
    client.sendUpgrade({ headers: { "Sec-WebSocket-Version": "8" }, glue });
    client.sendText("more");
    assert.equal((await client.readHead()).startLine, "HTTP/1.1 426 Upgrade Required");
    client.sendUpgrade();
    client.sendUpgrade({ headers: { "Sec-WebSocket-Version": "9" } });
    assert.match(Buffer.from(await client.readToEnd()).toString(), /^Expected .* got "8"\.$/);
    await client.flushed();
    client.end();
    await eventually(() => !("TCPSocketWrap" in activeResources()), "both sockets to go");
    assert.deepEqual([lines.length, opened], [1, []]);
  });

  const connects = async (port: number, headers: HeadersToSend) => {
    await using client = await RawClient.connect({ port });
    client.sendUpgrade({ headers });
    const { startLine } = await client.readHead();
    return startLine.slice(9, 12);
  };

  test("H: by default pages of the server's own host may connect, and requests without Origin; `origins` opens it", async () => {
    const host = "chat.example:8080";
    const origins = [
      null,
      "http://chat.example:8080",
      "https://chat.example:8080",
      "https://chat.example",
      "https://other.example",
      "null",
    ];
    const outcomes = async (options: ServeOptions) => {
      const { port } = await start(options);
      const statuses: string[] = [];
      for (const origin of origins) statuses.push(await connects(port, { Host: host, Origin: origin }));
      await server?.close();
      return statuses;
    };
    assert.deepEqual(await outcomes({}), ["101", "101", "403", "403", "403", "403"]);
    assert.deepEqual(await outcomes({ origins: "any" }), ["101", "101", "101", "101", "101", "101"]);
    assert.deepEqual(await outcomes({ origins: ["HTTPS://other.example", /^null$/g] }), [
      "101",
      "403",
      "403",
      "403",
      "101",
      "101",
    ]);
    assert.deepEqual(await outcomes({ origins: [] }), ["101", "403", "403", "403", "403", "403"]);
  });

  test("G3: `origins` takes addresses and names in any form, and compares those that browsers send", async () => {
    const origins = [
      "http://[0:0:0:0:0:0:0:1]:3000",
      "http://127.1",
      "https://Bücher.example:443/",
      "chrome-extension://ABC",
    ];
    const { port } = await start({ origins });
    const sent = [
      "http://[::1]:3000",
      "http://127.0.0.1",
      "https://xn--bcher-kva.example",
      "chrome-extension://abc",
      "https://bucher.example",
    ];
    const statuses: string[] = [];
    for (const origin of sent) statuses.push(await connects(port, { Host: "a", Origin: origin }));
    assert.deepEqual(statuses, ["101", "101", "101", "101", "403"]);
  });

  test("G6: the server's preference chooses the subprotocol, or `selectSubprotocol` does", async () => {
    const choose = async (options: ServeOptions, offered: string | readonly string[] | null) => {
      const { port, lines } = await start(options);
      await using client = await RawClient.connect({ port });
      client.sendUpgrade({ headers: { "Sec-WebSocket-Protocol": offered } });
      const head = await client.readHead();
      const opened = [...(server?.connections ?? [])].map((connection) => connection.subprotocol);
      await client.close();
      await server?.close();
      return [
        head.startLine.slice(9, 12),
        head.header("Sec-WebSocket-Protocol"),
        opened,
        lines.map((line) => line.message),
      ];
    };
    const subprotocols = ["v2", "v1"];
    assert.deepEqual(await choose({ subprotocols }, "v1, v2"), ["101", "v2", ["v2"], []]);
    assert.deepEqual(await choose({ subprotocols }, ["v1", "v0"]), ["101", "v1", ["v1"], []]);
    assert.deepEqual(await choose({ subprotocols }, "v0"), ["101", null, [null], []]);
    assert.deepEqual(await choose({ subprotocols }, null), ["101", null, [null], []]);
    assert.deepEqual(await choose({}, "v1"), ["101", null, [null], []]);
    const last = (offered: readonly string[]) => offered.at(-1) ?? null;
    assert.deepEqual(await choose({ selectSubprotocol: last }, "v1, v2"), ["101", "v2", ["v2"], []]);
    assert.deepEqual(await choose({ selectSubprotocol: () => null }, "v1"), ["101", null, [null], []]);
    const failed = ["500", null, [], ["selectSubprotocol failed", "connection refused"]];
    assert.deepEqual(await choose({ selectSubprotocol: () => "v9" }, "v1"), failed);
    const throws = () => {
      throw new Error("no");
    };
    assert.deepEqual(await choose({ selectSubprotocol: throws }, "v1"), failed);
  });
});
