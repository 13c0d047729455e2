import assert from "node:assert/strict";
import { once } from "node:events";
import {
  connect as connectHttp2,
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type Http2ServerRequest,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, test } from "node:test";
import { attach, connect, InvalidStatusError, serve, type Server } from "../../build/index.js";
import {
  activeResources,
  assertNothingLeft,
  eventually,
  testCertificates,
  withTimeout,
  type ResourceCounts,
} from "holdfast-testkit";

describe("A server attached to a server of node:http2", () => {
  let resources: ResourceCounts;
  let httpServer: Http2SecureServer | Http2Server;
  let attached: Server[] = [];

  beforeEach(() => {
    resources = activeResources();
    attached = [];
  });
  afterEach(async () => {
    for (const server of attached) await server.close();
    await new Promise((resolve) => httpServer.close(resolve));
    await assertNothingLeft(resources, { timeout: 30_000 });
  });

  async function listen(server: Http2SecureServer | Http2Server): Promise<number> {
    httpServer = server;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
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

  async function echo(url: string, options: Parameters<typeof connect>[1] = {}): Promise<unknown> {
    const { ca } = await testCertificates();
    await using connection = await connect(url, { http2: true, tls: { ca }, ...options });
    void connection.send("hello");
    return await connection.recv({ timeout: 30_000 });
  }

  /** The response to a GET over HTTP/2. */
  async function get(port: number, path: string): Promise<string> {
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    const request = session.request({ ":path": path });
    let body = "";
    for await (const text of request.setEncoding("utf8")) body += String(text);
    session.close();
    return body;
  }

  test("B9: WebSockets over HTTP/2 and HTTP/1.1 reach the handler on one port, other requests their routes", async () => {
    const { server } = await testCertificates();
    const port = await listen(
      createSecureServer({ ...server, allowHTTP1: true }, (request, response) =>
        response.end(`route ${request.url}`),
      ),
    );
    attachEcho("chat", { path: "/chat" });
    const url = `wss://127.0.0.1:${port}/chat`;
    assert.equal(await echo(url), "chat: hello");
    assert.equal(await echo(url, { http2: false }), "chat: hello");
  });

  test("B9: each path has its handler; an unknown one is refused with 404, and plain requests go to their routes", async () => {
    const port = await listen(createServer((request, response) => response.end(`route ${request.url}`)));
    attachEcho("a", { path: "/a" });
    attachEcho("b", { path: "/b" });
    const url = `ws://127.0.0.1:${port}`;
    assert.equal(await echo(`${url}/a`), "a: hello");
    assert.equal(await echo(`${url}/b?x`), "b: hello");
    assert.equal(await get(port, "/page"), "route /page");
    await assert.rejects(
      echo(`${url}/c`),
      (error) => error instanceof InvalidStatusError && error.status === 404,
    );
  });

  test("B9: another stream handler gets the streams that are not WebSockets, and a reset WebSocket breaks nothing", async () => {
    const server = createServer();
    server.on("stream", (stream, headers) => {
      if (headers[":path"] === "/theirs") {
        stream.respond({ ":status": 200 });
        stream.end();
      }
    });
    const port = await listen(server);
    attachEcho("ours", { path: "/ours" });
    assert.equal(await echo(`ws://127.0.0.1:${port}/ours`), "ours: hello");
    const theirs = await connect(`ws://127.0.0.1:${port}/theirs`, { http2: true });
    assert.equal((await withTimeout(theirs.closed, 30_000, "their end")).cause, "eof");
    const reset = await connect(`ws://127.0.0.1:${port}/ours`, { http2: true });
    reset.terminate();
    await eventually(() => attached[0].connections.size === 0, "the reset");
  });

  test("B9: a WebSocket reaches no other stream or connect handler, added before or after", async () => {
    const server = createServer();
    const port = await listen(server);
    const seen: string[] = [];
    const answer = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void => {
      seen.push(`stream ${headers[":path"]}`);
      stream.respond({ ":status": 418 });
      stream.end();
    };
    const onConnect = (request: Http2ServerRequest): void => void seen.push(`connect ${request.url}`);
    server.on("stream", answer).on("connect", onConnect);
    const path = "/ours";
    attachEcho("ours", { path, onRequest: () => new Promise((resolve) => setImmediate(resolve)) });
    assert.equal(await echo(`ws://127.0.0.1:${port}/ours`), "ours: hello");
    server.off("stream", answer).prependListener("stream", answer);
    assert.equal(await echo(`ws://127.0.0.1:${port}/ours`), "ours: hello");
    server.on("request", (_request, response) => response.end());
    assert.equal(await echo(`ws://127.0.0.1:${port}/ours`), "ours: hello");
    assert.deepEqual(seen, []);
    await assert.rejects(echo(`ws://127.0.0.1:${port}/theirs`), { status: 418 });
    assert.deepEqual(seen, ["stream /theirs", "connect /theirs"]);
  });

  test("B9: time-outs of the HTTP server spare a connection as long as it has a WebSocket", async () => {
    const server = createServer();
    const port = await listen(server);
    const limit = (session_: ServerHttp2Session): void => {
      session_.setTimeout(500, () => session_.destroy());
    };
    let first: ServerHttp2Session | null = null;
    server.on("session", (session_) => {
      if (first === null) first = session_;
      else limit(session_);
    });
    const path = (): boolean => {
      if (first !== null) limit(first);
      return true;
    };
    attachEcho("live", { pingInterval: null, path });
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    await once(session, "remoteSettings");
    const stream = session.request({
      ":method": "CONNECT",
      ":protocol": "websocket",
      ":path": "/live",
      "sec-websocket-version": "13",
    });
    await once(stream, "response");
    await once(connectHttp2(`http://127.0.0.1:${port}`), "close"); // The time-out ends this one.
    assert.deepEqual([session.destroyed, stream.destroyed, attached[0].connections.size], [false, false, 1]);
    stream.close();
    await withTimeout(once(session, "close"), 30_000, "the time-out after the WebSocket");
  });

  test("B9: a plain CONNECT is answered with 405, as Node does without WebSockets", async () => {
    const port = await listen(createServer((_request, response) => response.end()));
    attachEcho("any");
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    const request = session.request({ ":method": "CONNECT", ":authority": "example.com:80" });
    const status = await new Promise((resolve) =>
      request.on("response", (headers) => resolve(headers[":status"])),
    );
    assert.equal(status, 405);
    request.close();
    session.close();
  });
});

describe("A server with http2 and onRequest", () => {
  test("B9: answers plain requests over HTTP/2 with what onRequest returns, and with 400 otherwise", async () => {
    const server = await serve(() => undefined, {
      host: "127.0.0.1",
      http2: true,
      onRequest: ({ method, url, isUpgrade }) =>
        url.endsWith("/health")
          ? new Response(`${method} ${isUpgrade}`, { headers: { "X-A": "b" } })
          : undefined,
    });
    const session = connectHttp2(server.url.replace("ws:", "http:"));
    const answers: unknown[] = [];
    for (const [method, path] of [
      ["GET", "/health"],
      ["POST", "/health"],
      ["HEAD", "/health"],
      ["GET", "/other"],
    ]) {
      const request = session.request({ ":method": method, ":path": path });
      if (method === "POST") request.end("ignored");
      const headers = await new Promise<Record<string, unknown>>((resolve) =>
        request.on("response", resolve),
      );
      let body = "";
      for await (const text of request.setEncoding("utf8")) body += String(text);
      answers.push([headers[":status"], headers["x-a"], body]);
    }
    assert.deepEqual(answers, [
      [200, "b", "GET false"],
      [200, "b", "POST false"],
      [200, "b", ""],
      [
        400,
        undefined,
        "Expected an extended CONNECT with `:protocol: websocket` (RFC 8441), got a plain HTTP request.",
      ],
    ]);
    // An idle HTTP/2 connection does not delay the shutdown.
    await withTimeout(server.close(), 30_000, "the server's end");
    session.close();
  });
});
