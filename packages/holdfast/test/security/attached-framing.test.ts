import assert from "node:assert/strict";
import { createServer, type RequestListener, type Server as HttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, beforeEach, describe, test } from "node:test";
import { attach, type AttachOptions, type Server } from "../../build/index.js";
import { eventually, RawClient, testCertificates, type TestCertificates } from "holdfast-testkit";
import { echo } from "./servers.js";

const H2C = "Host: localhost\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n";
const WEBSOCKET =
  "Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
const FRAME = "\x81\x85\0\0\0\0hello";

describe("Requests with an Upgrade at a server that attach() was called with", () => {
  let certificates: TestCertificates;
  let httpServer: HttpServer;
  let server: Server;
  let port: number;
  /** The requests that the routes received. */
  const routed: string[] = [];
  const sockets: Socket[] = [];

  const routes: RequestListener = (request, response) => {
    let body = "";
    request.setEncoding("latin1").on("data", (text: string) => (body += text));
    request.on("end", () => {
      routed.push(`${request.method} ${request.url} ${body}`);
      setTimeout(() => response.end(request.url), 1);
    });
  };

  async function start(
    options: AttachOptions = { path: "/ws" },
    { isSecure = false, maxHeadersCount }: { isSecure?: boolean; maxHeadersCount?: number } = {},
  ): Promise<void> {
    httpServer = isSecure ? createHttpsServer(certificates.server, routes) : createServer(routes);
    if (maxHeadersCount !== undefined) httpServer.maxHeadersCount = maxHeadersCount;
    await new Promise<void>((resolve) => httpServer.listen(0, "127.0.0.1", resolve));
    httpServer.on(isSecure ? "secureConnection" : "connection", (socket: Socket) => sockets.push(socket));
    server = attach(httpServer, echo, { pingInterval: null, ...options });
    ({ port } = httpServer.address() as AddressInfo);
  }

  beforeEach(async () => {
    certificates = await testCertificates();
    routed.length = 0;
    sockets.length = 0;
  });
  afterEach(async () => {
    await server.close({ timeout: 100 });
    httpServer.closeAllConnections();
    await new Promise((resolve) => httpServer.close(resolve));
  });

  /** The status lines received until the connection closes or there are `count`. */
  async function statuses(client: RawClient, count: number): Promise<string[]> {
    const found = (): string[] =>
      (
        Buffer.from(client.received)
          .toString("latin1")
          .match(/HTTP\/1\.1 \d{3}/g) ?? []
      ).map((line) => line.slice(-3));
    let hasEnded = false;
    void client.ended.then(() => (hasEnded = true));
    await eventually(() => hasEnded || found().length >= count, "the answers", 30_000);
    return found();
  }

  const connectRaw = (isSecure = false): Promise<RawClient> =>
    RawClient.connect({ port, timeout: 30_000, ...(isSecure ? { tls: { ca: certificates.ca } } : {}) });

  for (const [what, maxHeadersCount, counts] of [
    ["the default limit", undefined, [1000, 1020, 1100, 1990, 2100]],
    ["maxHeadersCount of 40", 40, [40, 41, 60, 100]],
    ["maxHeadersCount of 3", 3, [3, 20, 33, 64]],
  ] as const) {
    for (const path of ["/ws", "/other"]) {
      test(`H: with ${what}, an upgrade to ${path} that may lack fields gets 431 and the end; no body becomes a request`, async () => {
        await start({ path: "/ws" }, maxHeadersCount === undefined ? {} : { maxHeadersCount });
        for (const count of counts) {
          const fill = "a:b\r\n".repeat(count);
          const own = path === "/ws" ? WEBSOCKET : H2C;
          for (const framing of [
            `Content-Length: ${SMUGGLED.length}\r\n\r\n`,
            `Transfer-Encoding: chunked\r\n\r\n${SMUGGLED.length.toString(16)}\r\n`,
          ]) {
            for (const head of [`${own}${fill}${framing}`, `Host: localhost\r\n${fill}${own}${framing}`]) {
              await using client = await connectRaw();
              client.write(`POST ${path} HTTP/1.1\r\n${head}${SMUGGLED}${SMUGGLED}`);
              assert.deepEqual(await statuses(client, 2), ["431"], `${count} fields`);
              await client.ended;
            }
          }
        }
        assert.deepEqual(routed, []);
        assert.equal(server.connections.size, 0);
      });
    }
  }

  test("H: below the limit, and without one, a Content-Length counts wherever it stands", async () => {
    for (const [maxHeadersCount, count] of [
      [undefined, 900],
      [0, 1_500],
    ] as const) {
      await start({ path: "/ws" }, maxHeadersCount === undefined ? {} : { maxHeadersCount });
      await using taken = await connectRaw();
      const last = `Content-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`;
      taken.write(`GET /ws HTTP/1.1\r\n${WEBSOCKET}${"a:b\r\n".repeat(count)}${last}`);
      assert.deepEqual(await statuses(taken, 1), ["400"]);
      await using left = await connectRaw();
      left.write(`POST /other HTTP/1.1\r\n${H2C}${"a:b\r\n".repeat(count)}${last}`);
      assert.deepEqual(await statuses(left, 1), ["200"]);
      assert.deepEqual(routed.splice(0), [`POST /other ${SMUGGLED}`]);
      if (maxHeadersCount === undefined) {
        await server.close({ timeout: 100 });
        httpServer.closeAllConnections();
        await new Promise((resolve) => httpServer.close(resolve));
      }
    }
  });

  test("H: Content-Length twice, with Transfer-Encoding, folded lines: the body stays a body, or there is a 400", async () => {
    await start();
    for (const framing of [
      "Content-Length: 5\r\nContent-Length: 5\r\n",
      "Content-Length: 5\r\nContent-Length: 6\r\n",
      "Content-Length: 5, 5\r\n",
      `Content-Length: 5\r\nTransfer-Encoding: chunked\r\n`,
      `Transfer-Encoding: chunked\r\nContent-Length: 5\r\n`,
      `Transfer-Encoding: chunked, identity\r\n`,
      `Transfer-Encoding: xchunked\r\n`,
      "Content-Length:\r\n 5\r\n",
      "Content-Length : 5\r\n",
      "X: a\r\n Content-Length: 5\r\n",
    ]) {
      for (const path of ["/ws", "/other"]) {
        await using client = await connectRaw();
        const own = path === "/ws" ? WEBSOCKET : H2C;
        client.write(`GET ${path} HTTP/1.1\r\n${own}${framing}\r\n${SMUGGLED}`);
        const [first] = await statuses(client, 1);
        if (path === "/ws" && first === "101") assert.match(framing, /^X: a/);
        else if (first !== "400") assert.match(routed.join(), /^GET \/other /, framing);
        await client.close();
        // A folded line is not a separate field, so every parser has to read the rest as the next request.
        if (!framing.startsWith("X: a")) assert.ok(!routed.includes("GET /smuggled "), framing);
        routed.length = 0;
      }
    }
  });

  for (const isSecure of [false, true]) {
    for (const reads of ["by the parser", "as data"] as const) {
      const PIPELINES = {
        "without a body": `GET /1 HTTP/1.1\r\n${H2C}\r\n`,
        "with a length": `POST /1 HTTP/1.1\r\n${H2C}Content-Length: 4\r\n\r\nbody`,
        "in chunks, with trailers": `POST /1 HTTP/1.1\r\n${H2C}Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nX: y\r\n\r\n`,
      };
      test(`H: pipelined requests before and after one ${isSecure ? "over TLS " : ""}that is read ${reads} are framed correctly, wherever they are split, and answered in order`, async () => {
        await start({ path: "/ws" }, { isSecure });
        if (reads === "as data") {
          httpServer.on(isSecure ? "secureConnection" : "connection", (socket: Socket) =>
            socket.on("data", () => undefined),
          );
        }
        for (const [name, upgrade] of Object.entries(PIPELINES)) {
          const last = `POST /last HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`;
          const bytes = Buffer.from(
            `GET /0 HTTP/1.1\r\nHost: localhost\r\n\r\n${upgrade}${upgrade}${last}GET /ws HTTP/1.1\r\n${WEBSOCKET}\r\n${FRAME}`,
            "latin1",
          );
          const body = name === "without a body" ? "" : "body";
          const method = body === "" ? "GET" : "POST";
          const expected = [
            "GET /0 ",
            `${method} /1 ${body}`,
            `${method} /1 ${body}`,
            `POST /last ${SMUGGLED}`,
          ];
          for (let cut = 0; cut < bytes.length; cut += isSecure ? 71 : 13) {
            await using client = await connectRaw(isSecure);
            if (cut > 0) {
              client.write(bytes.subarray(0, cut));
              await client.flushed();
              await client.pause(2);
            }
            client.write(bytes.subarray(cut));
            assert.deepEqual(await statuses(client, 5), ["200", "200", "200", "200", "101"], name);
            await eventually(
              () => Buffer.from(client.received).toString("latin1").endsWith("\x81\x05hello"),
              "the echo",
              30_000,
            );
            assert.deepEqual(routed.splice(0), expected);
          }
        }
      });
    }
  }

  test("H: 5,000 requests with an unhandled Upgrade use one connection, and leave no listeners", async () => {
    await start();
    await using client = await connectRaw();
    let answers = 0;
    const counts: number[] = [];
    while (answers < 5_000) {
      client.write(`GET /x HTTP/1.1\r\n${H2C}\r\n`.repeat(50));
      answers += 50;
      for (let index = 0; index < 50; index++) {
        const head = await client.readHead();
        await client.read(Number(head.header("Content-Length")));
      }
      const [socket] = sockets;
      counts.push(socket.eventNames().reduce((sum, name) => sum + socket.listenerCount(name), 0));
    }
    assert.equal(sockets.length, 1);
    assert.equal(counts.at(-1), counts[0]);
    assert.equal(routed.length, 5_000);
  });

  test("H: a long response ahead of an upgrade goes out whole, then the upgrade is answered", async () => {
    await start({});
    httpServer.removeAllListeners("request");
    const size = 8 * 1024 * 1024;
    httpServer.on("request", (_request, response) => {
      response.writeHead(200, { "Content-Length": size });
      const chunk = Buffer.alloc(64 * 1024, "x");
      let sent = 0;
      const write = (): void => {
        while (sent < size) {
          sent += chunk.length;
          if (!response.write(chunk)) {
            response.once("drain", write);
            return;
          }
        }
        response.end();
      };
      write();
    });
    await using client = await connectRaw();
    client.write(`GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET /ws HTTP/1.1\r\n${WEBSOCKET}\r\n`);
    const head = await client.readHead();
    assert.equal(head.header("Content-Length"), String(size));
    await client.read(size, { timeout: 30_000 });
    assert.match((await client.readHead()).startLine, /101/);
    client.sendText("hello");
    assert.equal(Buffer.from((await client.readFrame()).payload).toString(), "hello");
  });

  test("H: an upgrade after a response that closes, or resets while it waits, ends only its connection", async () => {
    await start({});
    httpServer.removeAllListeners("request");
    httpServer.on("request", (_request, response) => {
      response.setHeader("Connection", "close");
      setTimeout(() => response.end("bye"), 20);
    });
    const both = `GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET /ws HTTP/1.1\r\n${WEBSOCKET}\r\n`;
    await using client = await connectRaw();
    client.write(both);
    assert.deepEqual(await statuses(client, 2), ["200"]);
    const gone = await connectRaw();
    gone.write(both);
    await gone.flushed();
    await gone.pause(5);
    gone.reset();
    await gone.close();
    await using next = await connectRaw();
    next.write(`CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n`);
    await next.ended;
    assert.equal(server.connections.size, 0);
  });
});
