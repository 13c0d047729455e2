import assert from "node:assert/strict";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import { connect, serve, type ServeOptions } from "../../build/index.js";
import { RawClient, testCertificates } from "holdfast-testkit";
import { recordingLogger } from "./recording-logger.js";

const COOKIES = ["a=1; Path=/", "b=2; HttpOnly"];

const GRANTS: readonly (readonly [title: string, onRequest: NonNullable<ServeOptions["onRequest"]>])[] = [
  ["an object", () => ({ headers: { "Set-Cookie": COOKIES, "X-Room": "7" }, data: { user: "ada" } })],
  [
    "Headers",
    () => {
      const headers = new Headers({ "X-Room": "7" });
      for (const cookie of COOKIES) headers.append("Set-Cookie", cookie);
      return { headers, data: { user: "ada" } };
    },
  ],
  [
    "a promise of pairs from a generator",
    async () => ({
      headers: (function* () {
        for (const cookie of COOKIES) yield ["Set-Cookie", cookie] as const;
        yield ["X-Room", "7"] as const;
      })(),
      data: { user: "ada" },
    }),
  ],
];

for (const [title, onRequest] of GRANTS) {
  test(`G2: onRequest grants an upgrade with headers and data, given as ${title}`, async () => {
    const seen: unknown[] = [];
    await using server = await serve(
      (connection) => {
        seen.push(connection.data, connection.response.headers.getSetCookie());
      },
      { host: "127.0.0.1", onRequest },
    );
    await using client = await RawClient.connect({ port: server.port });
    client.sendUpgrade();
    const head = (await client.readUntil("\r\n\r\n")).split("\r\n");
    assert.equal(head[0], "HTTP/1.1 101 Switching Protocols");
    assert.deepEqual(
      head.filter((line) => /^(set-cookie|x-room):/i.test(line)).map((line) => line.toLowerCase()),
      ["set-cookie: a=1; path=/", "set-cookie: b=2; httponly", "x-room: 7"],
    );
    assert.deepEqual(seen, [{ user: "ada" }, COOKIES]);

    await using connection = await connect(server.url);
    assert.deepEqual(connection.response.headers.getSetCookie(), COOKIES);
    assert.equal(connection.data, undefined);
  });
}

test("G2 B9: over HTTP/2 the headers of a grant go with the 200 (RFC 8441 section 5)", async () => {
  const { server: tls, ca } = await testCertificates();
  const [, onRequest] = GRANTS[0] ?? [];
  const seen: unknown[] = [];
  await using server = await serve((connection) => void seen.push(connection.data), {
    host: "127.0.0.1",
    tls,
    http2: true,
    onRequest,
  });
  await using connection = await connect(server.url, { tls: { ca }, http2: true });
  const { status, headers } = connection.response;
  assert.deepEqual([status, headers.getSetCookie(), headers.get("X-Room")], [200, COOKIES, "7"]);
  assert.deepEqual(seen, [{ user: "ada" }]);
});

for (const isLate of [false, true]) {
  const when = isLate ? "later" : "at once";
  test(`G2 B9: headers that HTTP/2 cannot carry, granted ${when}, are logged and answered with 500, and keep no place`, async () => {
    const { server: tls, ca } = await testCertificates();
    const { logger, lines } = recordingLogger();
    const grants: Record<string, Record<string, string[]>> = {
      "/options": { "X-Content-Type-Options": ["nosniff", "nosniff"] },
      "/location": { Location: ["/a", "/b"] },
      "/fine": { "Set-Cookie": COOKIES },
    };
    await using server = await serve(() => undefined, {
      host: "127.0.0.1",
      tls,
      http2: true,
      maxConnections: 1,
      logger,
      onRequest: ({ target }) => {
        const grant = { headers: grants[target] ?? {} };
        return isLate ? Promise.resolve(grant) : grant;
      },
    });
    const options = { tls: { ca }, http2: true };
    for (const target of ["/options", "/location"])
      await assert.rejects(connect(server.url + target, options), { status: 500 });
    assert.equal(server.connections.size, 0);
    await using connection = await connect(`${server.url}/fine`, options);
    assert.deepEqual(connection.response.headers.getSetCookie(), COOKIES);
    const errors = lines.filter(({ level }) => level === "error");
    assert.deepEqual(
      errors.map(({ message, details }) => [
        message,
        /"([a-z-]+)"/.exec(String((details as { error: Error }).error))?.[1],
      ]),
      [
        ["onRequest failed", "x-content-type-options"],
        ["onRequest failed", "location"],
      ],
    );
  });
}

test("G2: nothing, null, and an empty grant accept the request", async () => {
  for (const answer of [undefined, null, {}, { data: undefined, headers: undefined }, { headers: [] }]) {
    const seen: unknown[] = [];
    await using server = await serve((connection) => void seen.push(connection.data), {
      host: "127.0.0.1",
      onRequest: () => answer,
    });
    await using connection = await connect(server.url);
    assert.deepEqual([connection.state, seen], ["open", [undefined]]);
  }
});

test("G2: falsy data is data", async () => {
  const seen: unknown[] = [];
  let next: unknown = 0;
  await using server = await serve((connection) => void seen.push(connection.data), {
    host: "127.0.0.1",
    onRequest: () => ({ data: next }),
  });
  for (next of [0, "", false, null]) await (await connect(server.url)).close();
  assert.deepEqual(seen, [0, "", false, null]);
});

test("G2 B5: a grant that cannot be sent is logged and answered with 500, also where it was promised", async () => {
  const { logger, lines } = recordingLogger();
  const bad: readonly (readonly [answer: unknown, message: RegExp])[] = [
    [{ headers: { "Sec-WebSocket-Protocol": "chat" } }, /does not set itself, got "Sec-WebSocket-Protocol"/],
    [{ headers: { "sec-websocket-accept": "x" } }, /got "sec-websocket-accept"/],
    [{ headers: { Upgrade: "h2c" } }, /got "Upgrade"/],
    [{ headers: { Connection: "close" } }, /got "Connection"/],
    [{ headers: { "Content-Length": "0" } }, /got "Content-Length"/],
    [{ headers: { "Transfer-Encoding": "chunked" } }, /got "Transfer-Encoding"/],
    [{ headers: { "Set-Cookie": "a=1\r\nX-Evil: 1" } }, /control characters, got U\+000D/],
    [{ headers: { "a b": "1" } }, /to be a token/],
    [{ headers: { a: 1 } }, /to be a string, got number/],
    [{ headers: "Set-Cookie: a" }, /to be Headers, an object or pairs/],
    [{ header: {} }, /got an object with "header" \(string\)\.$/],
    [
      new Headers(),
      /^Expected `onRequest` to return a Response, nothing, or a plain object with `headers` and `data`, got an object\.$/,
    ],
    [new Date(), /got an object\.$/],
    [
      new (class {
        readonly data = "user";
      })(),
      /got an object\.$/,
    ],
    [Object.create({ data: "user" }), /got an object\.$/],
    [new Proxy({}, { getPrototypeOf: () => Error.prototype }), /got an object\.$/],
    [[], /got an array\.$/],
    [true, /got true \(boolean\)\.$/],
    ["no", /got "no" \(string\)\.$/],
    [{ status: 101 }, /got an object\.$/],
    [
      {
        get headers() {
          throw new Error("no headers");
        },
      },
      /^no headers$/,
    ],
  ];
  for (const [answer, message] of bad) {
    for (const onRequest of [() => answer, async () => answer]) {
      lines.length = 0;
      await using server = await serve(() => undefined, {
        host: "127.0.0.1",
        logger,
        onRequest: onRequest as unknown as NonNullable<ServeOptions["onRequest"]>,
      });
      await assert.rejects(connect(server.url), { status: 500 }, String(message));
      const [failed, refused] = lines;
      assert.deepEqual([failed?.message, refused?.message], ["onRequest failed", "connection refused"]);
      assert.match((failed?.details as { error: Error }).error.message, message);
    }
  }
});

test("G2: an error that onRequest returns, as a caught rejection may be, refuses the client and is the cause in the log", async () => {
  const errors = [
    new TypeError("bad token"),
    Object.assign(new Error("bad token"), { data: "user" }),
    runInNewContext('new Error("bad token")') as Error,
  ];
  for (const denied of errors) {
    const { logger, lines } = recordingLogger();
    const verify = (): Promise<never> => Promise.reject(denied);
    await using server = await serve(() => assert.fail("The client is refused."), {
      host: "127.0.0.1",
      logger,
      onRequest: () => verify().catch((error: unknown) => error as undefined),
    });
    await assert.rejects(connect(server.url), { status: 500 });
    const { error } = lines[0]?.details as { error: Error };
    assert.deepEqual([lines[0]?.message, error.cause], ["onRequest failed", denied]);
  }
});

test("G2: a grant may come from another realm, and have no prototype", async () => {
  const grants: readonly unknown[] = [
    runInNewContext('({ data: "user", headers: { "X-Room": "7" } })'),
    Object.assign(Object.create(null) as object, { data: "user", headers: { "X-Room": "7" } }),
  ];
  for (const grant of grants) {
    const seen: unknown[] = [];
    await using server = await serve((connection) => void seen.push(connection.data), {
      host: "127.0.0.1",
      onRequest: () => grant as { data: string },
    });
    await using connection = await connect(server.url);
    assert.deepEqual([connection.response.headers.get("X-Room"), seen], ["7", ["user"]]);
  }
});
