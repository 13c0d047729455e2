import assert from "node:assert/strict";
import { createServer, type RequestListener, type Server as HttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo, ListenOptions } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { attach, connect, InvalidArgumentError, InvalidStatusError, type Server } from "../../build/index.js";
import {
  activeResources,
  assertNothingLeft,
  RawClient,
  testCertificates,
  type ResourceCounts,
} from "holdfast-testkit";
import { recordingLogger } from "./recording-logger.js";

/** The HTTP server's own routes: they report the method, the path and the body of each request. */
const routes: RequestListener = (asked, response) => {
  let body = "";
  asked.setEncoding("utf8");
  asked.on("data", (text: string) => (body += text));
  asked.on("end", () => response.end(`${asked.method} ${asked.url} ${body}`.trim()));
};

describe("A server attached to an HTTP server", () => {
  let resources: ResourceCounts;
  let httpServer: HttpServer;
  const attached: Server[] = [];

  beforeEach(() => {
    resources = activeResources();
  });
  afterEach(async () => {
    for (const server of attached.splice(0)) await server.close();
    httpServer.closeAllConnections();
    if (httpServer.listening) await new Promise((resolve) => httpServer.close(resolve));
    await assertNothingLeft(resources);
  });

  async function listen(server: HttpServer, address: ListenOptions = { host: "127.0.0.1" }): Promise<number> {
    httpServer = server;
    await new Promise<void>((resolve) => server.listen({ port: 0, ...address }, resolve));
    return (server.address() as AddressInfo).port;
  }

  function attachEcho(name: string, options: Parameters<typeof attach>[2] = {}): Server {
    const server = attach(
      httpServer,
      (connection) => connection.forEach((message) => connection.send(`${name}: ${String(message)}`)),
      options,
    );
    attached.push(server);
    return server;
  }

  async function echo(url: string): Promise<unknown> {
    await using connection = await connect(url);
    void connection.send("hello");
    return await connection.recv({ timeout: 30_000 });
  }

  async function get(port: number, path: string, headers: Record<string, string> = {}): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
    return `${response.status} ${await response.text()}`;
  }

  test("G7: routes continue to work, and the handler receives upgrades at every path", async () => {
    const port = await listen(createServer(routes));
    const server = attachEcho("chat");
    assert.deepEqual([server.port, server.url], [port, `ws://localhost:${port}`]);
    assert.equal(await echo(`ws://127.0.0.1:${port}/any?where`), "chat: hello");
    assert.equal(await get(port, "/page"), "200 GET /page");
    assert.deepEqual([...server.connections], []);
  });

  test("G7: several share one HTTP server by path; the routes receive all other requests", async () => {
    const port = await listen(createServer(routes));
    const chat = attachEcho("chat", { path: "/chat" });
    attachEcho("room", { path: /^\/rooms\/\d+$/g });
    attachEcho("function", { path: ({ headers }) => headers.get("X-Room") === "yes" });
    const base = `ws://127.0.0.1:${port}`;
    assert.equal(chat.url, `ws://localhost:${port}/chat`);
    for (let round = 0; round < 3; round++) {
      assert.equal(await echo(`${base}/chat?a=b`), "chat: hello");
      assert.equal(await echo(`${base}/rooms/12`), "room: hello");
    }
    await using other = await connect(`${base}/`, { headers: { "X-Room": "yes" } });
    void other.send("hello");
    assert.equal(await other.recv(), "function: hello");
    await assert.rejects(connect(`${base}/rooms/`), (error) => {
      assert(error instanceof InvalidStatusError);
      assert.deepEqual([error.status, Buffer.from(error.body).toString()], [200, "GET /rooms/"]);
      return true;
    });
  });

  test("G7: an upgrade to another protocol goes to the routes, with its body, and the connection continues", async () => {
    const port = await listen(createServer(routes));
    attachEcho("chat");
    await using client = await RawClient.connect({ port });
    const upgrade = "Host: localhost\r\nUpgrade: h2c\r\nConnection: Upgrade, keep-alive\r\n";
    for (const path of ["/first", "/second"]) {
      client.write(`POST ${path} HTTP/1.1\r\n${upgrade}Content-Length: 4\r\n\r\nbo`);
      await client.pause(5);
      client.write("dy");
      const head = await client.readHead();
      const body = await client.read(Number(head.header("Content-Length")));
      assert.deepEqual(
        [head.startLine, Buffer.from(body).toString()],
        ["HTTP/1.1 200 OK", `POST ${path} body`],
      );
    }
  });

  test("G7: on a connection from before attach() too, requests that it does not take go to the routes", async () => {
    const port = await listen(createServer(routes));
    await using client = await RawClient.connect({ port });
    const request = async (fields: string, path: string): Promise<string> => {
      client.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${fields}\r\n`);
      const head = await client.readHead();
      const body = await client.read(Number(head.header("Content-Length") ?? 0));
      return `${head.startLine} ${Buffer.from(body).toString()}`;
    };
    const upgrade =
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    assert.equal(await request("", "/before"), "HTTP/1.1 200 OK GET /before");
    attachEcho("chat", { path: "/chat" });
    for (const path of ["/a", "/b"])
      assert.equal(await request(upgrade, path), `HTTP/1.1 200 OK GET ${path}`);
    assert.equal(await request(upgrade, "/chat"), "HTTP/1.1 101 Switching Protocols ");
  });

  test("G7: its URL reaches it, on every address, Unix socket and path", async () => {
    const folder = await mkdtemp(join(tmpdir(), "holdfast-"));
    const addresses: ListenOptions[] = [
      { host: "127.0.0.1" },
      ...(process.platform === "linux" ? [{ host: "127.0.0.2" }] : []),
      ...(process.platform === "win32" ? [] : [{ path: join(folder, "a t?.sock") }]),
    ];
    for (const address of addresses) {
      await listen(createServer(), address);
      for (const path of ["/ä b", "/a%20b", "/a"]) {
        const server = attachEcho(path, { path });
        assert.equal(await echo(server.url), `${path}: hello`);
      }
      for (const server of attached.splice(0)) await server.close();
      await new Promise((resolve) => httpServer.close(resolve));
    }
    await rm(folder, { recursive: true });
  });

  test("G7: upgrades that it does not take are left to other upgrade handlers", async () => {
    const port = await listen(createServer(routes));
    httpServer.on("upgrade", ({ url }, socket) => {
      if (url === "/theirs") socket.end("HTTP/1.1 418 I'm a Teapot\r\n\r\n");
    });
    attachEcho("chat", { path: "/chat" });
    assert.equal(await echo(`ws://127.0.0.1:${port}/chat`), "chat: hello");
    await assert.rejects(connect(`ws://127.0.0.1:${port}/theirs`), { status: 418 });
  });

  test("G7: upgrades that it takes reach no other upgrade handler, added before or after; the rest reach each once", async () => {
    const port = await listen(createServer(routes));
    const seen: string[] = [];
    httpServer.on("upgrade", ({ url }) => seen.push(`before ${url}`));
    attachEcho("chat", { path: "/chat", onRequest: () => new Promise((resolve) => setImmediate(resolve)) });
    attachEcho("room", { path: "/room" });
    httpServer.prependListener("upgrade", ({ url }, socket) => {
      seen.push(`after ${url}`);
      socket.end("HTTP/1.1 418 I'm a Teapot\r\n\r\n");
    });
    assert.equal(await echo(`ws://127.0.0.1:${port}/chat`), "chat: hello");
    assert.equal(await echo(`ws://127.0.0.1:${port}/room`), "room: hello");
    await assert.rejects(connect(`ws://127.0.0.1:${port}/theirs`), { status: 418 });
    await attached[0].close();
    await assert.rejects(connect(`ws://127.0.0.1:${port}/chat`), { status: 418 });
    assert.equal(await echo(`ws://127.0.0.1:${port}/room`), "room: hello");
    await attached[1].close();
    await assert.rejects(connect(`ws://127.0.0.1:${port}/room`), { status: 418 });
    const left = ["/theirs", "/chat", "/room"].flatMap((url) => [`after ${url}`, `before ${url}`]);
    assert.deepEqual([seen, Object.hasOwn(httpServer, "emit")], [left, false]);
  });

  test("G7: detaching leaves an `emit` alone that other code has replaced since, and passes its events on", async () => {
    const port = await listen(createServer(routes));
    attachEcho("chat");
    const emit = httpServer.emit.bind(httpServer);
    const events: unknown[] = [];
    const theirs = (event: string, ...args: unknown[]): boolean => {
      if (event === "upgrade" || event === "request") events.push(event);
      return emit(event, ...args);
    };
    Object.assign(httpServer, { emit: theirs });
    assert.equal(await echo(`ws://127.0.0.1:${port}/`), "chat: hello");
    await attached[0].close();
    assert(Object.values(httpServer).includes(theirs));
    assert.equal(await get(port, "/page"), "200 GET /page");
    attachEcho("again");
    assert.equal(await echo(`ws://127.0.0.1:${port}/`), "again: hello");
    await attached[1].close();
    assert(Object.values(httpServer).includes(theirs));
    assert.deepEqual(events, ["upgrade", "request", "upgrade"]);
  });

  test("G7: without any route, what it does not take is answered 404, or 426", async () => {
    const port = await listen(createServer());
    attachEcho("chat", { path: "/chat" });
    await assert.rejects(connect(`ws://127.0.0.1:${port}/`), { status: 404 });
    await using client = await RawClient.connect({ port });
    client.sendUpgrade({ headers: { Upgrade: "h2c" } });
    const head = await client.readHead();
    assert.deepEqual(
      [head.startLine, head.header("Upgrade")],
      ["HTTP/1.1 426 Upgrade Required", "websocket"],
    );
    client.end();
  });

  test("G7: frames glued to the request are not lost, and timeouts of HTTP do not end the connection", async () => {
    const server = createServer(routes);
    server.setTimeout(100);
    server.on("connection", (socket) => socket.setTimeout(100, () => socket.destroy()));
    server.headersTimeout = 100;
    server.requestTimeout = 100;
    server.keepAliveTimeout = 50;
    const port = await listen(server);
    attachEcho("chat", { pingInterval: null });
    await using client = await RawClient.connect({ port });
    await client.upgrade({ glue: client.frame({ opcode: 1, payload: "glued" }) });
    assert.equal(Buffer.from((await client.readFrame()).payload).toString(), "chat: glued");
    await client.pause(400);
    client.sendText("later");
    assert.equal(Buffer.from((await client.readFrame()).payload).toString(), "chat: later");
    client.sendClose(1000);
    await client.ended;
    client.end();
  });

  test("G7: closing it closes its connections and detaches it; the HTTP server and the others continue", async () => {
    const port = await listen(createServer(routes));
    const chat = attachEcho("chat", { path: "/chat" });
    attachEcho("room", { path: "/room" });
    const inChat = await connect(`ws://127.0.0.1:${port}/chat`);
    const inRoom = await connect(`ws://127.0.0.1:${port}/room`);
    await chat.close({ code: 1012 });
    assert.equal((await inChat.closed).code, 1012);
    assert.equal(inRoom.state, "open");
    await assert.rejects(connect(`ws://127.0.0.1:${port}/chat`), { status: 200 });
    assert.equal(await get(port, "/page"), "200 GET /page");
    await inRoom.close();
    await attached[1].close();
    assert.equal(httpServer.listenerCount("upgrade"), 0);
  });

  test("G7: while it closes, upgrades get 503 and other requests their answers", async () => {
    const port = await listen(createServer(routes));
    const server = attachEcho("chat");
    await using stuck = await RawClient.connect({ port });
    await stuck.upgrade();
    const closing = server.close({ timeout: 20_000 });
    await assert.rejects(connect(`ws://127.0.0.1:${port}/`), { status: 503, retryAfter: 5000 });
    assert.equal(await get(port, "/page"), "200 GET /page");
    await stuck.close();
    await closing;
  });

  test("G7: over https the connections are secure, by the scheme of their URL too", async () => {
    const { server: tls, ca } = await testCertificates();
    const port = await listen(createHttpsServer(tls, routes)); // An HTTPS server has the same methods.
    const urls: string[] = [];
    const server = attach(httpServer, (connection, { url }) => void urls.push(connection.url, url));
    attached.push(server);
    assert.equal(server.url, `wss://localhost:${port}`);
    await using connection = await connect(`${server.url}/chat`, { tls: { ca } });
    assert.equal(connection.state, "open");
    assert.deepEqual(urls, [`wss://localhost:${port}/chat`, `https://localhost:${port}/chat`]);
    await using stranger = await RawClient.connect({ port, tls: { ca } });
    stranger.write("GET /page HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n");
    const { startLine } = await stranger.readHead();
    const body = Buffer.from(await stranger.read("GET /page".length)).toString();
    assert.deepEqual([startLine, body], ["HTTP/1.1 200 OK", "GET /page"]);
  });

  test("G3: refusals are those of serve(), and logged", async () => {
    const port = await listen(createServer(routes));
    const { logger, lines } = recordingLogger();
    attachEcho("chat", { logger, path: "/" });
    await using client = await RawClient.connect({ port });
    client.sendUpgrade({ headers: { "Sec-WebSocket-Version": "8" } });
    const head = await client.readHead();
    assert.deepEqual(
      [head.startLine, head.header("Sec-WebSocket-Version"), head.header("Connection")],
      ["HTTP/1.1 426 Upgrade Required", "13", "close, Upgrade"],
    );
    assert.match(Buffer.from(await client.readToEnd()).toString(), /^Expected .* got "8"\.$/);
    client.end();
    assert.deepEqual(
      lines.map(({ level, message }) => [level, message]),
      [["info", "connection refused"]],
    );
  });

  test("G7: invalid arguments are rejected with a reason", async () => {
    await listen(createServer(routes));
    const handler = () => undefined;
    const app = Object.assign(() => undefined, { handle: handler });
    const attachAny = attach as unknown as (...values: readonly unknown[]) => Server;
    for (const [values, message] of [
      [
        [app, handler],
        /node:http, node:https or node:http2, such as app.listen\(\) of Express returns, or null to use handleUpgrade\(\), got a function\.$/,
      ],
      [
        [{}, handler],
        /^Expected `httpServer` to be a server of node:http, node:https or node:http2, or null to use handleUpgrade\(\), got an object\.$/,
      ],
      [[httpServer], /^Expected `handler` to be a function, got undefined\.$/],
      [
        [httpServer, handler, { path: "chat" }],
        /^Expected `path` to be a path such as "\/chat".*"chat" \(string\)\.$/,
      ],
      [[httpServer, handler, { path: "/chat?a" }], /^Expected `path`/],
      [
        [httpServer, handler, { maxConnections: 0 }],
        /^Expected `maxConnections` to be a positive whole number/,
      ],
    ] as const) {
      assert.throws(
        () => attachAny(...values),
        (error) => error instanceof InvalidArgumentError && message.test(error.message),
      );
    }
    assert.equal(httpServer.listenerCount("upgrade"), 0);
  });
});
