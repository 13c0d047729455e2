import assert from "node:assert/strict";
import {
  createServer,
  type IncomingMessage,
  type Server as HttpServer,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { afterEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  attach,
  connect,
  InvalidArgumentError,
  serve,
  type AttachOptions,
  type Server,
} from "../../build/index.js";
import { eventually, frame, OPCODE, RawClient } from "holdfast-testkit";
import { recordingLogger } from "./recording-logger.js";

type Upgrade = readonly [request: IncomingMessage, socket: Duplex, head: Buffer];

describe("Upgrades that an application hands over", () => {
  let httpServer: HttpServer;
  let server: Server | null = null;
  const { logger, lines } = recordingLogger();

  afterEach(async () => {
    await server?.close({ timeout: 0 });
    server = null;
    lines.length = 0;
    httpServer.closeAllConnections();
    await new Promise((resolve) => httpServer.close(resolve));
  });

  const listen = async (
    onUpgrade: (server: Server, ...upgrade: Upgrade) => unknown,
    options: AttachOptions = {},
  ): Promise<number> => {
    httpServer = createServer((_request, response) => response.end("a page"));
    const handedTo = attach(
      null,
      (connection) =>
        connection.forEach((message) => connection.send(`${String(connection.data)} ${String(message)}`)),
      { logger, ...options },
    );
    server = handedTo;
    httpServer.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on("error", () => undefined);
      onUpgrade(handedTo, request, socket, head);
    });
    await new Promise<void>((resolve) => httpServer.listen(0, "127.0.0.1", resolve));
    return (httpServer.address() as AddressInfo).port;
  };

  test("G7: the application decides, and hands accepted requests over with headers and data", async () => {
    const port = await listen(async (to, request, socket, head) => {
      await sleep(20); // Stands for the look-up of a session.
      if (request.url === "/no")
        socket.end("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      else to.handleUpgrade(request, socket, head, { data: "ada:", headers: { "Set-Cookie": "s=1" } });
    });
    const connection = await connect(`ws://127.0.0.1:${port}/yes`);
    assert.deepEqual(connection.response.headers.getSetCookie(), ["s=1"]);
    await connection.send("hello");
    assert.equal(await connection.recv(), "ada: hello");
    assert.deepEqual([server?.connections.size, server?.port, server?.url], [1, 0, ""]);
    await assert.rejects(connect(`ws://127.0.0.1:${port}/no`), { status: 401 });
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "a page");
    await server?.close();
    assert.equal((await connection.closed).code, 1001);
    await assert.rejects(connect(`ws://127.0.0.1:${port}/yes`), { status: 503 });
  });

  test("G7: frames glued to the request, and those that come while it is decided on, are read", async () => {
    const port = await listen(async (to, ...upgrade) => {
      await sleep(30);
      to.handleUpgrade(...upgrade);
    });
    await using client = await RawClient.connect({ port });
    const text = (payload: string) => frame({ opcode: OPCODE.text, payload, mask: true });
    client.sendUpgrade({ glue: text("glued") });
    await sleep(10);
    client.write(text("later"));
    await client.readHead();
    const answers: string[] = [];
    while (answers.length < 2) {
      const { opcode, payload } = await client.readFrame();
      if (opcode === OPCODE.text) answers.push(Buffer.from(payload).toString());
    }
    assert.deepEqual(answers, ["undefined glued", "undefined later"]);
  });

  test("G7: an upgrade behind another request on its connection is answered after it (RFC 9112 section 9.3.2)", async () => {
    const port = await listen((to, ...upgrade) => to.handleUpgrade(...upgrade));
    httpServer.removeAllListeners("request").on("request", (_request, response: ServerResponse) => {
      setTimeout(() => response.end("late"), 50);
    });
    await using client = await RawClient.connect({ port });
    client.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    client.sendUpgrade();
    assert.match(await client.readUntil("late"), /^HTTP\/1\.1 200 OK\r\n/);
    assert.match((await client.readHead()).startLine, /^HTTP\/1\.1 101 /);
  });

  test("G7: a client that resets its connection before the answer to its first request leaves nothing", async () => {
    const port = await listen((to, request, socket, head) => {
      socket.removeAllListeners("error"); // That of `listen()` must not be needed.
      to.handleUpgrade(request, socket, head);
    });
    let answer: (() => void) | null = null;
    httpServer.removeAllListeners("request").on("request", (_request, response: ServerResponse) => {
      answer = () => response.end("late");
    });
    const client = await RawClient.connect({ port });
    client.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    client.sendUpgrade();
    await eventually(() => answer !== null, "the first request");
    client.reset();
    await sleep(20);
    (answer as (() => void) | null)?.();
    await sleep(20);
    assert.equal(server?.connections.size, 0);
  });

  test("G7: origins, hosts, limits and onRequest apply to what is handed over", async () => {
    const port = await listen((to, ...upgrade) => to.handleUpgrade(...upgrade, { data: "own" }), {
      hosts: ["127.0.0.1"],
      limits: { connectionsPerAddress: 1 },
      onRequest: ({ target }) => (target === "/theirs" ? { data: "theirs" } : undefined),
    });
    const url = `ws://127.0.0.1:${port}`;
    await assert.rejects(connect(url, { origin: "https://evil.example" }), { status: 403 });
    await assert.rejects(connect(url, { headers: { Host: "evil.example" } }), { status: 421 });
    for (const [target, data] of [
      ["/", "own"],
      ["/theirs", "theirs"],
    ] as const) {
      const connection = await connect(`${url}${target}`);
      await connection.send("");
      assert.equal(await connection.recv(), `${data} `);
      await assert.rejects(connect(url), { status: 429 });
      await connection.close();
      await eventually(() => server?.connections.size === 0, "the end at the server");
    }
  });

  test("G7 G3: requests that are not valid WebSocket upgrades are refused", async () => {
    const port = await listen((to, ...upgrade) => to.handleUpgrade(...upgrade));
    for (const [headers, status] of [
      [{ Upgrade: "h2c" }, 426],
      [{ "Sec-WebSocket-Version": "8" }, 426],
      [{ "Sec-WebSocket-Key": "short" }, 400],
    ] as const) {
      await using client = await RawClient.connect({ port });
      client.sendUpgrade({ headers });
      assert.match((await client.readHead()).startLine, new RegExp(` ${status} `));
    }
    assert.equal(lines.filter(({ message }) => message === "connection refused").length, 3);
  });

  test("G7: a client that disconnects while the application decides leaves nothing", async () => {
    const handed: Upgrade[] = [];
    const port = await listen((_to, ...upgrade) => void handed.push(upgrade));
    const client = await RawClient.connect({ port });
    client.sendUpgrade();
    await eventually(() => handed.length === 1, "the upgrade");
    await client.close();
    const [upgrade] = handed;
    assert(upgrade !== undefined);
    upgrade[1].destroy();
    await eventually(() => upgrade[1].closed, "the socket's end");
    server?.handleUpgrade(...upgrade);
    assert.equal(server?.connections.size, 0);
  });

  test("A8: invalid arguments are rejected, and the socket is not touched", async () => {
    const errors: unknown[] = [];
    const port = await listen((to, request, socket, head) => {
      const handUpAny = to.handleUpgrade.bind(to) as unknown as (...values: readonly unknown[]) => void;
      for (const values of [
        [{}, socket, head],
        [request, {}, head],
        [request, socket, "head"],
        [request, socket, head, "data"],
        [request, socket, head, { header: {} }],
        [request, socket, head, { headers: { Upgrade: "h2c" } }],
        [request, socket, head, null],
        [request, socket, head, new Response("denied", { status: 401 })],
        [request, socket, head, new Error("denied")],
        [request, socket, head, Promise.reject(new Error("denied"))],
      ]) {
        try {
          handUpAny(...values);
        } catch (error) {
          errors.push((error as Error).message);
        }
      }
      to.handleUpgrade(request, socket, head);
    });
    const connection = await connect(`ws://127.0.0.1:${port}`);
    assert.equal(connection.state, "open");
    assert.deepEqual(errors, [
      "Expected `request` to be the IncomingMessage of an `upgrade` event, got an object.",
      "Expected `socket` to be the socket of an `upgrade` event, got an object.",
      'Expected `head` to be the bytes of an `upgrade` event, got "head" (string).',
      'Expected `granted` to be a plain object with `headers` and `data`, got "data" (string).',
      'Expected `granted` to be a plain object with `headers` and `data`, got an object with "header" (string).',
      'Expected headers that the handshake does not set itself, got "Upgrade".',
      ...["null", "an object", "an object", "a promise"].map(
        (got) => `Expected \`granted\` to be a plain object with \`headers\` and \`data\`, got ${got}.`,
      ),
    ]);
    assert.throws(
      () => attach(null, () => undefined, { path: "/chat" }),
      (error) => error instanceof InvalidArgumentError && error.message.startsWith("Expected no `path`"),
    );
  });

  const IN_USE =
    "Expected `socket` to be one that no connection uses, got one in use. Call handleUpgrade() once for each socket, and not for requests that attach() accepts.";

  test("G7: a socket that is handed over twice is refused the second time, and its connection continues", async () => {
    const errors: unknown[] = [];
    const port = await listen(async (to, request, socket, head) => {
      to.handleUpgrade(request, socket, head);
      for (let count = 0; count < 2; count++) {
        assert.throws(
          () => to.handleUpgrade(request, socket, head),
          (error) => error instanceof InvalidArgumentError && errors.push(error.message) > 0,
        );
        await sleep(20);
      }
    });
    const connection = await connect(`ws://127.0.0.1:${port}`);
    await eventually(() => errors.length === 2, "both calls were refused");
    await connection.send("hi");
    assert.equal(await connection.recv(), "undefined hi");
    assert.deepEqual([errors, server?.connections.size], [[IN_USE, IN_USE], 1]);
  });

  test("G7: attach() leaves a socket alone that the application has handed over before, and logs it", async () => {
    const other = createServer();
    const attached = attach(other, () => assert.fail("It has its own connection."), { logger });
    const port = await listen((to, request, socket, head) => {
      to.handleUpgrade(request, socket, head);
      other.emit("upgrade", request, socket, head);
    });
    const connection = await connect(`ws://127.0.0.1:${port}`);
    await connection.send("hi");
    assert.equal(await connection.recv(), "undefined hi");
    assert.equal(attached.connections.size, 0);
    assert.equal(lines.filter(({ message }) => message === "upgrade failed").length, 1);
    await attached.close();
  });

  test("A8: `backlog` is a whole number, and a server listens with it", async () => {
    httpServer = createServer();
    for (const backlog of [0, -1, 1.5, "128", 2 ** 31]) {
      await assert.rejects(
        serve(() => undefined, { backlog: backlog as number }),
        {
          message: /^Expected `backlog` to be a whole number from 1 to 2147483647, got /,
        },
      );
    }
    server = await serve(() => undefined, { host: "127.0.0.1", backlog: 1 });
    const connection = await connect(server.url);
    assert.equal(connection.state, "open");
  });
});
