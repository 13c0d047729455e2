import assert from "node:assert/strict";
import { afterEach, before, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  HoldfastError,
  InvalidArgumentError,
  serve,
  type Connection,
  type ServeOptions,
  type Server,
} from "../../build/index.js";
import {
  activeResources,
  assertNothingLeft,
  eventually,
  OPCODE,
  RawClient,
  RawServer,
  testCertificates,
  withTimeout,
  type ResourceCounts,
  type TestCertificates,
} from "holdfast-testkit";
import { recordingLogger } from "./recording-logger.js";

describe("A server's openings", () => {
  let certificates: TestCertificates;
  let resources: ResourceCounts;
  let server: Server | null = null;
  let connections: Connection[] = [];

  before(async () => {
    certificates = await testCertificates();
  });
  beforeEach(() => {
    resources = activeResources();
    connections = [];
  });
  afterEach(async () => {
    await server?.close();
    server = null;
    await assertNothingLeft(resources);
  });

  async function start(options: ServeOptions = {}) {
    server = await serve((connection) => void connections.push(connection), {
      host: "127.0.0.1",
      ...options,
    });
    return server;
  }

  test("G6: a server's connection knows its request, its answer, its URL and both addresses", async () => {
    const { port, url } = await start({ subprotocols: ["chat"] });
    assert.equal(url, `ws://127.0.0.1:${port}`);
    await using client = await RawClient.connect({ port });
    await client.upgrade({
      path: "/chat?x=1",
      headers: { Host: "chat.example", "Sec-WebSocket-Protocol": "chat", "X-A": "1" },
    });
    const [connection] = connections;
    assert.deepEqual([...(server?.connections ?? [])], [connection]);
    const { remoteAddress, localAddress, request, response } = connection;
    assert.deepEqual(
      {
        url: connection.url,
        subprotocol: connection.subprotocol,
        extensions: connection.extensions,
        method: request.method,
        target: request.target,
        header: request.headers.get("x-a"),
        status: response.status,
        chosen: response.headers.get("Sec-WebSocket-Protocol"),
        address: remoteAddress?.address,
        local: localAddress,
        state: connection.state,
      },
      {
        url: "ws://chat.example/chat?x=1",
        subprotocol: "chat",
        extensions: [],
        method: "GET",
        target: "/chat?x=1",
        header: "1",
        status: 101,
        chosen: "chat",
        address: "127.0.0.1",
        local: { address: "127.0.0.1", port },
        state: "open",
      },
    );
    assert.match(connection.id, /^[0-9a-f]{10}-[0-9a-z]+$/);
    assert.equal(connection.id, connection.id);
  });

  test("C1: the first frame that a client receives is an unmasked Ping, right after the 101", async () => {
    const { port } = await start();
    await using client = await RawClient.connect({ port });
    await client.upgrade();
    const { opcode, isMasked, payload } = await client.readFrame();
    assert.deepEqual([opcode, isMasked, payload.length], [OPCODE.ping, false, 8]);
  });

  for (const isSecure of [false, true]) {
    const over = isSecure ? "TLS" : "TCP";

    test(`B10: 5,000 messages glued to the request over ${over} are read in order, after a pause`, async () => {
      const { port } = await start({ maxQueue: 10, ...(isSecure ? { tls: certificates.server } : {}) });
      await using client = await RawClient.connect({
        port,
        ...(isSecure ? { tls: { ca: certificates.ca } } : {}),
      });
      const texts = Array.from({ length: 5000 }, (_, index) => `${index}`);
      const glue = Buffer.concat(texts.map((payload) => client.frame({ opcode: OPCODE.text, payload })));
      await client.upgrade({ glue });
      await eventually(() => connections.length === 1, "the connection");
      const [connection] = connections;
      await sleep(20);
      const received: unknown[] = [];
      while (received.length < texts.length) received.push(await connection.recv());
      assert.deepEqual(received, texts);
    });

    test(`B1: a mute client over ${over} is disconnected after openTimeout, with 408 if it can read that`, async () => {
      const { logger, lines } = recordingLogger();
      const { port } = await start({
        openTimeout: 100,
        logger,
        ...(isSecure ? { tls: certificates.server } : {}),
      });
      const began = performance.now();
      await using client = await RawClient.connect({
        port,
        ...(isSecure ? { tls: { ca: certificates.ca } } : {}),
      });
      client.write("GET / HTTP/1.1\r\nHost: a\r\n");
      const { startLine } = await client.readHead();
      const elapsed = performance.now() - began;
      assert.equal(startLine, "HTTP/1.1 408 Request Timeout");
      assert(elapsed >= 95 && elapsed < 9_000, `${elapsed} ms`);
      assert.equal(await client.ended, "fin");
      assert.deepEqual([lines.length, lines[0]?.message], [1, "connection refused"]);
      if (isSecure) return;
      // The client does not close its side, so the server destroys the socket a second later. Only the client's own
      // socket is left.
      assert.equal(activeResources()["TCPSocketWrap"], 2);
      await eventually(() => activeResources()["TCPSocketWrap"] === 1, "the server's socket to go");
    });
  }

  test("B1: a client that sends nothing instead of TLS is disconnected after openTimeout", async () => {
    const { logger, lines } = recordingLogger();
    const { port } = await start({ openTimeout: 100, logger, tls: certificates.server });
    for (const says of ["", "GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01"]) {
      await using client = await RawClient.connect({ port });
      client.write(says);
      const began = performance.now();
      await withTimeout(client.ended, 30_000, "the end");
      assert(performance.now() - began < 9_000);
    }
    assert.deepEqual(
      lines.map((line) => line.message),
      Array.from({ length: 3 }, () => "TLS handshake failed"),
    );
  });

  test("B1: a client that ends or resets before its request leaves nothing", async () => {
    const { port } = await start();
    const ending = await RawClient.connect({ port });
    ending.write("GET / HT");
    ending.end();
    assert.equal(await ending.ended, "fin");
    const resetting = await RawClient.connect({ port });
    resetting.write("GET / HT");
    await resetting.flushed();
    resetting.reset();
    await ending.close();
    await resetting.close();
    assert.equal(connections.length, 0);
  });

  test("H: a request that comes byte by byte opens a connection like any other", async () => {
    const { port } = await start();
    await using client = await RawClient.connect({ port });
    const head =
      "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    await client.writeBytewise(
      Buffer.concat([Buffer.from(head), client.frame({ opcode: OPCODE.text, payload: "a" })]),
    );
    const answer = await client.readHead();
    assert.deepEqual(
      [answer.startLine, answer.header("Sec-WebSocket-Accept")],
      ["HTTP/1.1 101 Switching Protocols", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="],
    );
    assert.equal(await connections[0]?.recv(), "a");
  });

  test("A8: a port that is taken is an error that says so", async () => {
    const taken = await RawServer.start();
    const serving = serve(() => undefined, { host: "127.0.0.1", port: taken.port });
    await assert.rejects(serving, (error) => {
      assert(error instanceof HoldfastError && error.cause instanceof Error);
      assert.equal(error.code, "ERR_HOLDFAST_LISTEN");
      assert.match(
        error.message,
        new RegExp(`^Expected to listen on 127.0.0.1, port ${taken.port}, got an error: listen EADDRINUSE`),
      );
      return true;
    });
    await taken.close();
  });

  test("A8: TLS options and a host that Node rejects are reported as our error", async () => {
    for (const tls of [{ cert: "garbage" }, { ...certificates.server, minVersion: "TLSv9" }]) {
      const serving = serve(() => undefined, { tls: tls as never });
      await assert.rejects(serving, (error) => {
        assert(error instanceof InvalidArgumentError && error.cause instanceof Error);
        assert.match(error.message, /^Expected `tls` to be options of tls\.createServer, got an error: ./);
        return true;
      });
    }
    await assert.rejects(
      serve(() => undefined, { host: 5 as never }),
      {
        name: "InvalidArgumentError",
        message: "Expected `host` to be a string, got 5 (number).",
      },
    );
  });
});
