import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  connect,
  InvalidStatusError,
  type InspectAuthorization,
  type Server,
  type ServerRequest,
} from "../../build/index.js";
import { FIRST_QUERY } from "../../inspect-page/dist/first-query.js";
import { eventually, RawClient } from "holdfast-testkit";
import { Viewer } from "../server/inspect/viewer.js";
import { inspectedServers } from "../server/inspect/inspected-servers.js";

describe("The inspector under attack", () => {
  const { start, lines } = inspectedServers((connection) => connection.discard(), {
    authorize: () => true,
  });

  async function page(
    server: Server,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; headers: Headers; text: string }> {
    const response = await fetch(`http://127.0.0.1:${server.port}/holdfast`, { headers });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  async function refusedStream(server: Server, headers: Record<string, string> = {}): Promise<number> {
    try {
      await Viewer.open(server, { headers });
    } catch (error) {
      if (error instanceof InvalidStatusError) return error.status;
      throw error;
    }
    return assert.fail("The stream opened");
  }

  const NOBODY: readonly unknown[] = [undefined, null, false, 1, "yes", {}, [], { who: "" }, { who: 1 }];
  for (const verdict of [
    ...NOBODY,
    { who: "ada", isAdmin: false },
    { name: "ada" },
    Promise.resolve(undefined),
  ]) {
    test(`P2: authorize that returns ${JSON.stringify(verdict) ?? "undefined"} admits nobody`, async () => {
      const server = await start({ authorize: () => verdict as InspectAuthorization });
      const response = await page(server);
      assert.equal(response.status, 403);
      assert.equal(response.text, "Expected a viewer that `authorize` admits.");
      assert.equal(await refusedStream(server), 403);
    });
  }

  for (const verdict of [true, { who: "ada" }, Promise.resolve(true)]) {
    test(`P2: authorize that returns ${JSON.stringify(verdict)} admits the request`, async () => {
      const server = await start({ authorize: () => verdict });
      assert.equal((await page(server)).status, 200);
      await using viewer = await Viewer.open(server);
      assert.equal((await viewer.look()).type, "snapshot");
    });
  }

  test("P2: authorize sees every request, and its Response is the answer", async () => {
    const seen: unknown[] = [];
    const server = await start({
      authorize: ({ target, isUpgrade, headers }: ServerRequest) => {
        seen.push([target, isUpgrade]);
        return headers.get("Authorization") === "Bearer 1"
          ? true
          : new Response("log in", { status: 401, headers: { "WWW-Authenticate": "Basic" } });
      },
    });
    const response = await page(server);
    assert.deepEqual([response.status, response.headers.get("WWW-Authenticate")], [401, "Basic"]);
    assert.equal(await refusedStream(server), 401);
    assert.equal((await page(server, { Authorization: "Bearer 1" })).status, 200);
    assert.deepEqual(seen, [
      ["/holdfast", false],
      ["/holdfast/stream", true],
      ["/holdfast", false],
    ]);
  });

  test("P2: authorize that throws refuses with 500, and the error is logged but not shown", async () => {
    const server = await start({
      authorize: () => {
        throw new Error("password hunter2");
      },
    });
    const response = await page(server);
    assert.deepEqual([response.status, response.text], [500, "The server failed."]);
    assert.equal(await refusedStream(server), 500);
    assert.deepEqual(
      lines.filter(({ level }) => level === "error").map(({ message }) => message),
      ["the inspector failed", "the inspector failed"],
    );
  });

  test("P2: a page of another site cannot open the stream, wherever else it may connect", async () => {
    const server = await start({}, { origins: "any" });
    const headers = { Cookie: "session=operator" };
    assert.equal(await refusedStream(server, { ...headers, Origin: "https://evil.example" }), 403);
    assert.equal(await refusedStream(server, { ...headers, Origin: "null" }), 403);
    await using viewer = await Viewer.open(server, {
      headers: { ...headers, Origin: `http://127.0.0.1:${server.port}` },
    });
    assert.equal(viewer.connection.state, "open");
    await using other = await connect(server.url, { headers: { Origin: "https://friend.example" } });
    assert.equal(other.state, "open");
  });

  test("P2: a page of another port, scheme or name of loopback cannot open the stream", async () => {
    const server = await start({}, { trustProxy: ["loopback"] });
    const { port } = server;
    const proxied = { "X-Forwarded-Host": "ops.example", "X-Forwarded-Proto": "https" };
    for (const [origin, headers] of [
      [`http://127.0.0.1:${port + 1}`, {}],
      [`https://127.0.0.1:${port}`, {}],
      [`http://localhost:${port}`, {}],
      [`http://127.0.0.1:${port}`, proxied],
      ["http://ops.example", proxied],
    ] as const) {
      assert.equal(await refusedStream(server, { ...headers, Origin: origin }), 403, origin);
      // The application's own connections keep their rule.
      if (headers === proxied) continue;
      await using other = await connect(`ws://127.0.0.1:${port}`, { headers: { Origin: origin } });
      assert.equal(other.state, "open");
    }
    for (const headers of [
      {},
      { Origin: `http://127.0.0.1:${port}` },
      { ...proxied, Origin: "https://ops.example" },
    ]) {
      await using viewer = await Viewer.open(server, { headers });
      assert.equal(viewer.connection.state, "open");
    }
  });

  test("P2: without `actions` nobody can act, and the snapshot says so", async () => {
    for (const actions of [false, undefined, () => false, () => "yes" as unknown as boolean]) {
      const server = await start({ actions });
      await using client = await connect(server.url);
      await using viewer = await Viewer.open(server);
      const snapshot = await viewer.look();
      assert.equal(snapshot.actions, false);
      const [{ id: connection }] = snapshot.window.connections;
      for (const action of ["ping", "close", "terminate", "watch"] as const) {
        const answer = await viewer.ask({ type: "act", process: null, action, connection });
        assert.deepEqual(
          [answer.type, "text" in answer && answer.text],
          ["failed", "Expected no action, because the option `actions` of inspect() does not allow it."],
        );
      }
      assert.equal(client.state, "open");
    }
    assert.deepEqual(
      lines.filter(({ message }) => message === "inspector action"),
      [],
    );
  });

  test("P2: `actions` may admit some viewers only", async () => {
    const server = await start({
      authorize: ({ headers }) => ({ who: headers.get("X-User") ?? "nobody" }),
      actions: (_request, who) => who === "root",
    });
    await using root = await Viewer.open(server, { headers: { "X-User": "root" } });
    await using guest = await Viewer.open(server, { headers: { "X-User": "guest" } });
    assert.deepEqual([(await root.look()).actions, (await guest.look()).actions], [true, false]);
  });

  test("P2: tokens in URLs and headers are never shown", async () => {
    const server = await start({ actions: true, payloads: "text" });
    const secret = "s3cr3t-t0ken";
    const client = await connect(`${server.url}/feed?token=${secret}`, {
      headers: { Authorization: `Bearer ${secret}`, Cookie: `id=${secret}` },
    });
    await using viewer = await Viewer.open(server);
    const shown: unknown[] = [await viewer.look(), await viewer.look({ filter: secret })];
    client.terminate();
    await eventually(() => server.connections.size === 0, "the end");
    shown.push(
      await viewer.look({ view: "endings" }),
      await viewer.look({ view: "endings", filter: secret }),
      await viewer.ask({ type: "explain", process: null, ending: 0 }),
    );
    assert.equal(JSON.stringify(shown).includes(secret), false);
    // Not even whether it matches.
    assert.equal((shown[1] as { window: { total: number } }).window.total, 0);
    assert.equal((shown[3] as { window: { total: number } }).window.total, 0);
  });

  const look = (changes: object, query: object = {}) =>
    JSON.stringify({ type: "look", id: 1, process: null, query: { ...FIRST_QUERY, ...query }, ...changes });
  const malformed: readonly (readonly [string, string | Uint8Array])[] = [
    ["bytes", new Uint8Array(8)],
    ["no JSON", "{"],
    ["a number", "1"],
    ["a list", "[]"],
    ["null", "null"],
    ["no type", "{}"],
    ["an unknown type", look({ type: "eval" })],
    ["a type of the prototype", look({ type: "constructor" })],
    ["no id", look({ id: undefined })],
    ["a negative id", look({ id: -1 })],
    ["a query of null", look({ query: null })],
    ["an unknown column", look({}, { sort: "__proto__" })],
    ["an unknown view", look({}, { view: "files" })],
    ["a filter of 201 characters", look({}, { filter: "x".repeat(201) })],
    ["a filter that is no text", look({}, { filter: { toLowerCase: 1 } })],
    ["101 rows", look({}, { limit: 101 })],
    ["a fraction as the offset", look({}, { offset: 0.5 })],
    ["a process that is no text", look({ process: 1 })],
  ];
  for (const [name, message] of malformed) {
    test(`P2: a request with ${name} closes its stream with 1008, and nothing else happens`, async () => {
      const server = await start();
      await using client = await connect(server.url, { logger: null });
      const viewer = await Viewer.open(server);
      await viewer.connection.send(message);
      const { code, reason } = await viewer.connection.closed;
      assert.equal(code, 1008);
      assert.match(reason, /^Expected /);
      assert.equal(client.state, "open");
      assert.deepEqual(
        lines.filter(({ level }) => level === "error"),
        [],
      );
    });
  }

  test("P2: a request of more than 4 KiB closes its stream with 1009", async () => {
    const server = await start();
    const viewer = await Viewer.open(server);
    await viewer.connection.send(look({}, { filter: "x".repeat(5_000) }));
    assert.equal((await viewer.connection.closed).code, 1009);
  });

  test("P2: a process that does not exist is refused, and the stream continues", async () => {
    const server = await start();
    await using viewer = await Viewer.open(server);
    const answer = await viewer.ask({ type: "look", process: "elsewhere", query: FIRST_QUERY });
    assert.equal(answer.type, "failed");
    assert.equal((await viewer.look()).type, "snapshot");
  });

  test("P3: a thousand requests at once get at most a few answers, and then the stream closes", async () => {
    const server = await start();
    const viewer = await Viewer.open(server);
    let answers = 0;
    const reading = viewer.connection.forEach(() => {
      answers++;
    });
    for (let count = 0; count < 1_000; count++)
      void viewer.connection.send(look({ id: count })).catch(() => 0);
    const { code, reason } = await reading;
    assert.deepEqual([code, reason], [1008, "expected at most 10 requests a second"]);
    assert.ok(answers <= 30, `got ${answers} answers`);
    await using again = await Viewer.open(server);
    assert.equal((await again.look()).type, "snapshot");
  });

  test("P3: at most 16 viewers look at the same time", async () => {
    const server = await start();
    const viewers = await Promise.all(Array.from({ length: 16 }, () => Viewer.open(server)));
    assert.equal(await refusedStream(server), 503);
    await viewers[0].connection.close();
    await eventually(() => true, "a turn");
    for (const viewer of viewers.slice(1)) await viewer.connection.close();
  });

  test("P2: hostile paths and reasons arrive as data, shortened", async () => {
    const server = await start();
    const path = `/${"%3Cscript%3Ealert(1)%3C/script%3E".repeat(20)}`;
    await using client = await RawClient.connect({ port: server.port });
    client.sendUpgrade({ path });
    await client.readHead();
    await using viewer = await Viewer.open(server);
    const [row] = (await viewer.look()).window.connections;
    assert.equal(row.path, path.slice(0, 200));
  });
});
