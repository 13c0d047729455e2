import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { createServer, type Server as HttpServer } from "node:http";
import { connect as connectHttp2, createSecureServer, createServer as createHttp2Server } from "node:http2";
import type { AddressInfo, Server as NetServer } from "node:net";
import { describe, test } from "node:test";
import {
  attach,
  connect,
  inspect,
  InvalidArgumentError,
  serve,
  type InspectOptions,
  type Server,
} from "../../../build/index.js";
import { createTopics, memoryEngine } from "../../../build/topics.js";
import { eventually, FaultProxy, testCertificates } from "holdfast-testkit";
import { inspectedServers } from "./inspected-servers.js";
import { Viewer } from "./viewer.js";

describe("inspect()", () => {
  const { start, servers, lines } = inspectedServers(
    (connection) => connection.forEach((message) => connection.send(message)),
    { authorize: () => ({ who: "ada" }) },
  );

  test("P1: the page is one document without outside resources, under a strict policy", async () => {
    const server = await start();
    const response = await fetch(`http://127.0.0.1:${server.port}/holdfast`);
    const text = await response.text();
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("Cache-Control"), "no-store");
    const policy = response.headers.get("Content-Security-Policy") ?? "";
    assert.match(policy, /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; /);
    assert.match(policy, /connect-src 'self'; .*frame-ancestors 'none'$/);
    assert.doesNotMatch(policy, /unsafe|\*/);
    assert.doesNotMatch(text, /(?:src|href)="(?!data:,)/);
    assert.match(text, /uPlot [\d.]+:\nThe MIT License/);
    const statusOf = async (path: string, method = "GET"): Promise<number> => {
      const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
      await answer.text();
      return answer.status;
    };
    assert.equal(await statusOf("/holdfast/"), 200);
    assert.equal(await statusOf("/holdfast", "HEAD"), 200);
    assert.equal(await statusOf("/holdfast", "POST"), 405);
    assert.equal(await statusOf("/other"), 426);
  });

  test("P1: a snapshot has the totals, and a row for each connection but the viewer's", async () => {
    const server = await start();
    await using first = await connect(`${server.url}/chat?token=secret`);
    await using second = await connect(`${server.url}/feed`);
    for (const connection of [first, second]) {
      await connection.send("hello");
      await connection.recv();
    }
    await using viewer = await Viewer.open(server);
    await eventually(
      () => [...server.connections].every(({ latency }) => latency !== null),
      "the first pongs",
    );
    const { processes, process, window, who, actions, watch } = await viewer.look({
      sort: "age",
      descending: true,
    });
    assert.deepEqual({ who, actions, watch }, { who: "ada", actions: false, watch: null });
    const [{ id, error, totals }] = processes;
    assert.deepEqual({ id, error, count: processes.length }, { id: process, error: null, count: 1 });
    const { connections, opened, ended, troubled, histogram, rates } = totals ?? assert.fail("no totals");
    assert.deepEqual(
      { connections, opened, ended, troubled, rates },
      { connections: 2, opened: 2, ended: 0, troubled: 0, rates: null },
    );
    assert.equal(
      histogram.reduce((sum, count) => sum + count),
      2,
    );
    assert.deepEqual(
      { view: window.view, total: window.total, offset: window.offset },
      { view: "connections", total: 2, offset: 0 },
    );
    const [served] = server.connections;
    const [{ latency, age, jitter, ...row }] = window.connections;
    assert.deepEqual(row, {
      id: served.id,
      state: "open",
      address: `127.0.0.1:${served.remoteAddress?.port}`,
      path: "/chat?…",
    });
    assert.ok(Number(latency) > 0 && age >= 0 && Number(jitter) > 0);
  });

  test("P1: rows are filtered by text and kind, sorted by a column, and cut to the window", async () => {
    const server = await start({}, { sessions: true });
    const clients = [];
    for (const path of ["a", "b", "c", "b2"]) clients.push(await connect(`${server.url}/${path}`));
    await using viewer = await Viewer.open(server);
    const paths = async (query: Parameters<Viewer["look"]>[0]): Promise<string[]> =>
      (await viewer.look(query)).window.connections.map(({ path }) => path);
    const byAge = { sort: "age", descending: true } as const;
    assert.deepEqual(await paths(byAge), ["/a", "/b", "/c", "/b2"]);
    assert.deepEqual(await paths({ ...byAge, filter: "/B" }), ["/b", "/b2"]);
    assert.deepEqual(await paths({ ...byAge, offset: 1, limit: 2 }), ["/b", "/c"]);
    assert.deepEqual(await paths({ ...byAge, offset: 9 }), []);
    assert.deepEqual(await paths({ only: "sessions" }), []);
    assert.deepEqual(await paths({ only: "trouble" }), []);
    for (const client of clients) await client.close();
  });

  test("P1: a connection in trouble comes first: its pong is late, or reading is paused", async () => {
    const server = await start(
      {},
      { pingInterval: 100, pingTimeout: 60_000, maxQueue: 2, host: "127.0.0.1" },
    );
    await using healthy = await connect(server.url);
    await using proxy = await FaultProxy.start({ target: { port: server.port } });
    const frozen = await connect(`${proxy.url("ws")}frozen`, { pingInterval: null });
    await using viewer = await Viewer.open(server);
    await eventually(
      () => [...server.connections].every(({ latency }) => latency !== null),
      "the first pongs",
    );
    proxy.freeze();
    let row;
    let troubled;
    do {
      const snapshot = await viewer.look();
      [row] = snapshot.window.connections;
      troubled = snapshot.processes[0].totals?.troubled;
      await new Promise((resolve) => setTimeout(resolve, 150));
    } while (row.overdue === undefined || troubled === 0);
    assert.equal(row.path, "/frozen");
    assert.ok(row.overdue >= 1_000);
    assert.equal(troubled, 1);
    assert.equal(healthy.state, "open");
    frozen.terminate();
  });

  test("P1: the endings are listed, the newest first, and explained on request", async () => {
    const server = await start();
    const polite = await connect(`${server.url}/polite?token=secret`);
    await polite.close(4001, "<b>bye</b>");
    const rude = await connect(server.url);
    rude.terminate();
    await eventually(() => server.connections.size === 0, "the end of both");
    await using viewer = await Viewer.open(server);
    const { window, processes } = await viewer.look({ view: "endings" });
    assert.equal(processes[0].totals?.ended, 2);
    assert.deepEqual(
      window.endings.map(({ number, path, ok, code, reason }) => ({ number, path, ok, code, reason })),
      [
        { number: 1, path: "/", ok: false, code: 1006, reason: "" },
        { number: 0, path: "/polite?…", ok: false, code: 4001, reason: "<b>bye</b>" },
      ],
    );
    assert.ok(window.endings.every(({ address }) => address?.startsWith("127.0.0.1:")));
    const explained = await viewer.ask({ type: "explain", process: null, ending: 0 });
    assert.equal(explained.type, "explanation");
    assert.match("text" in explained ? explained.text : "", /received 4001.*\n\n\S/s);
    const gone = await viewer.ask({ type: "explain", process: null, ending: 2 });
    assert.deepEqual(gone, {
      type: "failed",
      id: 3,
      text: "Expected one of the newest 500 endings, got number 2.",
    });
  });

  test("P1: the newest 500 endings are kept", async () => {
    const server = await start();
    for (let round = 0; round < 51; round++) {
      const batch = await Promise.all(Array.from({ length: 10 }, () => connect(server.url)));
      for (const connection of batch) connection.terminate();
    }
    await eventually(() => server.connections.size === 0, "the end of all");
    await using viewer = await Viewer.open(server);
    const { window } = await viewer.look({ view: "endings", offset: 400, limit: 100 });
    assert.deepEqual([window.total, window.endings[0].number, window.endings.at(-1)?.number], [500, 109, 10]);
    assert.equal((await viewer.ask({ type: "explain", process: null, ending: 9 })).type, "failed");
    assert.equal((await viewer.ask({ type: "explain", process: null, ending: 10 })).type, "explanation");
  });

  test("P1: the viewer is no connection of the application: not in `connections`, the limit, the log, or the channels", async () => {
    const seen: unknown[] = [];
    const onOpen = (message: unknown): void => void seen.push(message);
    subscribe("holdfast:connection:open", onOpen);
    const logged: string[] = [];
    const count = (message: string): void => void logged.push(message);
    const counting = { debug: count, info: count, warn: count, error: count, isLevelEnabled: () => false };
    const server = await start({}, { maxConnections: 1, logger: counting });
    await using viewer = await Viewer.open(server);
    await using only = await connect(server.url, { logger: null });
    assert.equal(only.state, "open");
    await using second = await Viewer.open(server); // Also at a full server.
    assert.equal((await second.look()).window.total, 1);
    assert.equal(server.connections.size, 1);
    assert.equal((await viewer.look()).processes[0].totals?.opened, 1);
    unsubscribe("holdfast:connection:open", onOpen);
    // The server's end and the client's end of three connections, without the inspector's two server ends.
    assert.equal(seen.length, 4);
    assert.deepEqual(logged, ["connection open"]);
  });

  test("P1: topics show the subscriptions of each connection", async () => {
    const topics = createTopics({ engine: memoryEngine() });
    const server = await start({ topics });
    await using client = await connect(server.url);
    const [connection] = server.connections;
    for (const name of ["news", "sports", "weather", "traffic"]) await topics.subscribe(connection, name);
    await using viewer = await Viewer.open(server);
    const { window, processes } = await viewer.look({ filter: "weather", sort: "topics" });
    assert.deepEqual(
      window.connections.map(({ topics: names, topicCount }) => ({ names, topicCount })),
      [{ names: ["news", "sports", "weather"], topicCount: 4 }],
    );
    assert.equal(processes.length, 1);
    assert.throws(
      () => inspect(server, { authorize: () => true, topics }),
      /Expected a server without an inspector/,
    );
    await client.close();
    await server.close();
    await topics.close();
  });

  test("P2: actions ping, close and terminate, and are logged with the viewer", async () => {
    const server = await start({ actions: true });
    await using client = await connect(server.url, { logger: null });
    const other = await connect(server.url, { logger: null });
    const ids = [...server.connections].map(({ id }) => id);
    await using viewer = await Viewer.open(server);
    const act = (action: "close" | "ping" | "terminate", connection: string) =>
      viewer.ask({ type: "act", process: null, action, connection });
    const ping = await act("ping", ids[0]);
    assert.match("text" in ping ? ping.text : "", /^Pong after [\d.]+ ms\.$/);
    await act("terminate", ids[1]);
    assert.equal((await other.closed).code, 1006);
    await act("close", ids[0]);
    const { code, reason } = await client.closed;
    assert.deepEqual({ code, reason }, { code: 1000, reason: "closed by an operator" });
    assert.equal((await act("ping", "nobody")).type, "failed");
    assert.deepEqual(
      lines
        .filter(({ message }) => message === "inspector action")
        .map(({ level, details }) => ({ level, ...details })),
      [
        { level: "warn", action: "ping", id: ids[0], who: "ada", address: "127.0.0.1" },
        { level: "warn", action: "terminate", id: ids[1], who: "ada", address: "127.0.0.1" },
        { level: "warn", action: "close", id: ids[0], who: "ada", address: "127.0.0.1" },
      ],
    );
  });

  for (const payloads of ["off", "text"] as const) {
    test(`P2: watching shows the frames of an open connection, with payloads: "${payloads}"`, async () => {
      const server = await start({ actions: true, payloads });
      await using client = await connect(server.url, { pingInterval: null });
      await client.send("before");
      await client.recv();
      const [{ id }] = server.connections;
      await using viewer = await Viewer.open(server);
      await viewer.ask({ type: "act", process: null, action: "watch", connection: id });
      await client.send(`<b>${"x".repeat(300)}`);
      await client.recv();
      await client.send(new Uint8Array(3));
      await client.recv();
      const { watch } = await viewer.look();
      const text = payloads === "off" ? null : `<b>${"x".repeat(197)}`;
      assert.equal(watch?.connection, id);
      assert.ok(watch.left > 0 && watch.left <= 30_000);
      assert.deepEqual(
        watch.frames.map(({ direction, name, length, text: shown }) => [direction, name, length, shown]),
        [
          ["received", "TEXT", 303, text],
          ["sent", "TEXT", 303, text],
          ["received", "BINARY", 3, null],
          ["sent", "BINARY", 3, null],
        ],
      );
      await viewer.ask({ type: "act", process: null, action: "unwatch", connection: id });
      await client.send("after");
      await client.recv();
      assert.deepEqual((await viewer.look()).watch?.frames ?? [], []);
    });
  }

  test("P1: the inspector ends with the server, and its handle ends it before", async () => {
    const server = await serve(() => undefined, { host: "127.0.0.1" });
    servers.push(server);
    const inspector = inspect(server, { authorize: () => true, path: "/ops/live" });
    assert.equal(
      inspector.url,
      `http://localhost:${server.port}/ops/live`.replace(
        "localhost",
        new URL(server.url.replace("ws", "http")).hostname,
      ),
    );
    const viewer = await Viewer.open(server, {}, "/ops/live");
    inspector.close();
    inspector.close();
    assert.equal((await viewer.connection.closed).code, 1001);
    assert.equal((await fetch(inspector.url)).status, 426);
    inspect(server, { authorize: () => true }); // There may be another one now.
    const last = await Viewer.open(server);
    await server.close();
    assert.deepEqual(
      [(await last.connection.closed).code, (await last.connection.closed).clean],
      [1001, true],
    );
  });

  test("P1: a closed inspector shows nothing, also to those whose request `authorize` had not decided", async () => {
    const server = await serve(() => undefined, { host: "127.0.0.1" });
    servers.push(server);
    let decide = (_: boolean): void => undefined;
    const decided = new Promise<boolean>((resolve) => (decide = resolve));
    let asked = 0;
    const inspector = inspect(server, {
      authorize: () => {
        asked++;
        return decided;
      },
    });
    const stream = Viewer.open(server);
    const page = fetch(inspector.url);
    await eventually(() => asked === 2, "both requests");
    inspector.close();
    decide(true);
    await assert.rejects(stream, { name: "InvalidStatusError", status: 404 });
    assert.equal((await page).status, 404);
  });

  test("P2: only `true` and a name admit; a request that fails shows nothing of the error", async () => {
    const verdicts: readonly unknown[] = [
      ...[false, undefined, null, 1, "yes", {}, [true], new Boolean(true), () => true],
      ...[{ who: "" }, { who: 1 }, { who: "ada", isAdmin: false }],
      ...[Object.assign(new Error("no"), { who: "ada" }), Object.assign(new Date(), { who: "ada" })],
    ];
    let verdict: unknown;
    let error: Error | null = null;
    const server = await start({
      authorize: async () => {
        if (error !== null) throw error;
        return verdict as boolean;
      },
    });
    const statusOf = async (): Promise<number> =>
      (await fetch(`http://127.0.0.1:${server.port}/holdfast`, { method: "HEAD" })).status;
    for (verdict of verdicts) {
      assert.equal(await statusOf(), 403, String(verdict));
      await assert.rejects(Viewer.open(server), { name: "InvalidStatusError", status: 403 });
    }
    error = new Error("password");
    const failed = await fetch(`http://127.0.0.1:${server.port}/holdfast`);
    assert.deepEqual([failed.status, await failed.text()], [500, "The server failed."]);
    error = null;
    verdict = new Response("Log in", { status: 401 });
    await assert.rejects(Viewer.open(server), { name: "InvalidStatusError", status: 401 });
    verdict = true;
    assert.equal(await statusOf(), 200);
  });

  test("P2: a page of another origin gets no stream, whatever `origins` allows the application", async () => {
    const server = await start({}, { origins: "any" });
    const open = (origin: string) => Viewer.open(server, { headers: { Origin: origin } });
    for (const origin of ["https://evil.example", "null"])
      await assert.rejects(open(origin), { name: "InvalidStatusError", status: 403 }, origin);
    await using viewer = await open(`http://127.0.0.1:${server.port}`);
    assert.equal(viewer.connection.state, "open");
  });

  test("P1: works over TLS and HTTP/2 with serve()", async () => {
    const { ca, server: tls } = await testCertificates();
    const server = await start({}, { tls, http2: true, logger: null });
    await using viewer = await Viewer.open(server, { tls: { ca }, http2: true });
    assert.equal((await viewer.look()).window.total, 0);
    const session = connectHttp2(`https://localhost:${server.port}`, { ca });
    assert.deepEqual(await getOverHttp2(session, "/holdfast"), [200, true]);
    session.close();
  });

  /** The HTTP server of an application, which has routes. */
  async function attached(
    httpServer: NetServer,
    work: (origin: number, server: Server) => Promise<void>,
    path: string | undefined = "/ws",
  ): Promise<void> {
    await new Promise<void>((resolve) => httpServer.listen(0, "127.0.0.1", resolve));
    const server = attach(httpServer, (connection) => connection.discard(), { path, logger: null });
    const inspector = inspect(server, { authorize: () => true });
    await work((httpServer.address() as AddressInfo).port, server);
    inspector.close();
    await server.close();
    if ("closeAllConnections" in httpServer) (httpServer as HttpServer).closeAllConnections();
    await new Promise((resolve) => httpServer.close(resolve));
  }

  test("P1: works beside the routes of an attached HTTP server, which it leaves as they are", async () => {
    const httpServer = createServer((_, response) => response.end("route"));
    await attached(httpServer, async (port, server) => {
      const get = async (path: string): Promise<string> =>
        await (await fetch(`http://127.0.0.1:${port}${path}`)).text();
      assert.match(await get("/holdfast"), /<title>Holdfast inspector/);
      assert.equal(await get("/"), "route");
      assert.equal(await get("/holdfast/other"), "route");
      await using client = await connect(`ws://127.0.0.1:${port}/ws`);
      await using viewer = await Viewer.open(server);
      assert.equal((await viewer.look()).window.total, 1);
      assert.equal(client.state, "open");
    });
    assert.equal(Object.hasOwn(httpServer, "emit"), false);
  });

  test("P1: works beside an attached HTTP/2 server, with and without TLS", async () => {
    const { ca, server: tls } = await testCertificates();
    const answer = (_: unknown, response: { end(text: string): unknown }): void => void response.end("route");
    for (const isSecure of [true, false]) {
      const httpServer = isSecure
        ? createSecureServer({ ...tls, allowHTTP1: true }, answer)
        : createHttp2Server(answer);
      await attached(httpServer, async (port) => {
        const session = connectHttp2(`${isSecure ? "https" : "http"}://localhost:${port}`, { ca });
        assert.deepEqual(await getOverHttp2(session, "/holdfast"), [200, true]);
        assert.deepEqual(await getOverHttp2(session, "/"), [200, false]);
        await new Promise<void>((resolve) => session.close(resolve));
        if (!isSecure) return;
        await using viewer = await connect(`wss://localhost:${port}/holdfast/stream`, { tls: { ca } });
        assert.equal(viewer.state, "open");
      });
    }
  });

  test("P1: options are checked", async () => {
    const server = await serve(() => undefined, { host: "127.0.0.1" });
    servers.push(server);
    const authorize = () => true;
    const wrong: readonly (readonly [unknown, unknown, RegExp])[] = [
      [server, undefined, /Expected `options` to be an object with `authorize`, got undefined/],
      [server, {}, /Expected `authorize` to be a function, got undefined/],
      [server, { authorize: true }, /Expected `authorize` to be a function, got true/],
      [server, { authorize, path: "holdfast" }, /Expected `path` to be a path such as "\/holdfast"/],
      [server, { authorize, path: "/.." }, /without "\/\.\.", and .*, got "\/\.\."/],
      [server, { authorize, path: "/a/./b" }, /got "\/a\/\.\/b"/],
      [server, { authorize, path: "/a/" }, /without a slash at its end, got "\/a\/"/],
      [server, { authorize, actions: "yes" }, /Expected `actions` to be true or false, got "yes"/],
      [server, { authorize, payloads: "hex" }, /Expected `payloads` to be "off" or "text", got "hex"/],
      [server, { authorize, topics: {} }, /Expected `topics` to be what createTopics\(\) returns/],
      [server, { authorize, authorise: 1 }, /Did you mean `authorize`/],
      [{}, { authorize }, /Expected `server` to be what serve\(\) or attach\(\) returns/],
      [
        attach(null, () => undefined),
        { authorize },
        /Expected a server of serve\(\) or attach\(httpServer\)/,
      ],
    ];
    for (const [given, options, message] of wrong) {
      assert.throws(
        () => inspect(given as Server, options as InspectOptions),
        (error) => error instanceof InvalidArgumentError && message.test(error.message),
        String(message),
      );
    }
  });
});

/** The status, and whether the answer is the inspector's page. */
async function getOverHttp2(
  session: ReturnType<typeof connectHttp2>,
  path: string,
): Promise<[status: number | undefined, isPage: boolean]> {
  const request = session.request({ ":path": path });
  let text = "";
  request.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  const status = new Promise<number | undefined>((resolve) =>
    request.on("response", (headers) => resolve(headers[":status"])),
  );
  await new Promise((resolve) => request.on("close", resolve));
  return [await status, text.includes("<title>Holdfast inspector")];
}
