import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, serve, type ServeOptions, type Server, type ServerRequest } from "../../build/index.js";
import {
  activeResources,
  assertNothingLeft,
  eventually,
  RawClient,
  type ResourceCounts,
} from "holdfast-testkit";
import { recordingLogger } from "./recording-logger.js";

describe("onRequest", () => {
  let resources: ResourceCounts;
  let server: Server | null = null;
  const { logger, lines } = recordingLogger();

  beforeEach(() => {
    resources = activeResources();
    lines.length = 0;
  });
  afterEach(async () => {
    await server?.close();
    server = null;
    await assertNothingLeft(resources);
  });

  async function start(onRequest: ServeOptions["onRequest"], options: ServeOptions = {}): Promise<number> {
    server = await serve(() => undefined, { host: "127.0.0.1", logger, onRequest, ...options });
    return server.port;
  }

  /** Returns the complete response to the bytes written, and how the server closed the connection. */
  async function exchange(port: number, text: string, { half = false } = {}): Promise<string> {
    await using client = await RawClient.connect({ port });
    client.write(text);
    if (half) client.end();
    const answer = Buffer.from(await client.readToEnd()).toString("latin1");
    client.end();
    return answer;
  }

  const get = (path: string, version = "1.1") => `GET ${path} HTTP/${version}\r\nHost: a.example:81\r\n\r\n`;

  test("G2: a Response is the answer; a request sees method, URL, headers and addresses", async () => {
    const seen: unknown[] = [];
    const port = await start((request) => {
      const { method, url, target, isUpgrade, headers, remoteAddress, localAddress } = request;
      const addresses = [remoteAddress?.address, localAddress];
      seen.push({ method, url, target, isUpgrade, host: headers.get("host"), addresses });
      return new Response("fine", { status: 201, statusText: "Made", headers: { "X-A": "1" } });
    });
    assert.equal(
      await exchange(port, get("//healthz?a=b")),
      "HTTP/1.1 201 Made\r\ncontent-type: text/plain;charset=UTF-8\r\nx-a: 1\r\nTransfer-Encoding: chunked\r\n" +
        "Connection: close\r\n\r\n4\r\nfine\r\n0\r\n\r\n",
    );
    assert.deepEqual(seen, [
      {
        method: "GET",
        url: "http://a.example:81//healthz?a=b",
        target: "//healthz?a=b",
        isUpgrade: false,
        host: "a.example:81",
        addresses: ["127.0.0.1", { address: "127.0.0.1", port }],
      },
    ]);
    assert.deepEqual(lines, []);
    const response = await fetch(`http://127.0.0.1:${port}/`);
    assert.deepEqual([response.status, await response.text()], [201, "fine"]);
  });

  for (const nothing of [undefined, null]) {
    for (const isLate of [false, true]) {
      test(`G2: ${nothing} ${isLate ? "later" : "at once"} continues: an upgrade is upgraded, a plain request gets 426`, async () => {
        const port = await start(() => (isLate ? sleep(5).then(() => nothing) : nothing));
        await using connection = await connect(`ws://127.0.0.1:${port}/`);
        assert.equal(connection.state, "open");
        assert.match(await exchange(port, get("/")), /^HTTP\/1\.1 426 Upgrade Required\r\n/);
      });
    }
  }

  test("G2: the handler gets the request that onRequest was asked about", async () => {
    const users = new WeakMap<ServerRequest, string>();
    server = await serve(
      async (connection, request) => {
        await connection.send(`hello ${users.get(request)}`);
        assert.equal(request.signal.aborted, false);
      },
      {
        host: "127.0.0.1",
        logger,
        onRequest: async (request) => {
          await sleep(1);
          users.set(request, request.headers.get("X-User") ?? "");
        },
      },
    );
    await using connection = await connect(server.url, { headers: { "X-User": "eve" } });
    assert.equal(await connection.recv(), "hello eve");
    await connection.closed;
    assert.deepEqual(lines, []);
  });

  test("G2: an upgrade can be refused with any status, headers and body, and that is logged", async () => {
    const port = await start(async (request) => {
      await sleep(1);
      return request.headers.get("X-Token") === "yes"
        ? undefined
        : Response.json(
            { error: "token" },
            {
              status: 401,
              headers: [
                ["Set-Cookie", "a=1"],
                ["Set-Cookie", "b=2"],
              ],
            },
          );
    });
    await assert.rejects(connect(`ws://127.0.0.1:${port}/`), (error: unknown) => {
      const { status, headers, body } = error as { status: number; headers: Headers; body: Uint8Array };
      assert.deepEqual(
        [status, headers.getSetCookie(), Buffer.from(body).toString()],
        [401, ["a=1", "b=2"], '{"error":"token"}'],
      );
      return true;
    });
    assert.deepEqual(
      lines.map(({ level, message, details }) => [level, message, { ...details, remoteAddress: null }]),
      [["info", "connection refused", { status: 401, reason: "answered by onRequest", remoteAddress: null }]],
    );
    await using connection = await connect(`ws://127.0.0.1:${port}/`, { headers: { "X-Token": "yes" } });
    assert.equal(connection.state, "open");
  });

  const failures: Readonly<Record<string, () => unknown>> = {
    throws: () => {
      throw new TypeError("no");
    },
    rejects: () => Promise.reject(new TypeError("no")),
    "returns a string": () => "no",
    "returns false": () => false,
    "returns a promise of a number": () => Promise.resolve(404),
    "returns Response.error()": () => Response.error(),
    "returns a Response that was read": () => {
      const response = new Response("used");
      void response.text();
      return response;
    },
    "returns a header that cannot be sent": () => ({ status: 200, headers: { "X-A": "a\r\nb" }, body: null }),
  };
  for (const [name, fail] of Object.entries(failures)) {
    test(`G2: one that ${name} is logged and answered with 500, whatever the request`, async () => {
      const port = await start(fail as ServeOptions["onRequest"]);
      assert.match(await exchange(port, get("/")), /^HTTP\/1\.1 500 .*\r\n\r\nThe server failed\.$/s);
      await assert.rejects(connect(`ws://127.0.0.1:${port}/`), { status: 500 });
      assert.deepEqual(
        lines.filter(({ level }) => level === "error").map(({ message }) => message),
        ["onRequest failed", "onRequest failed"],
      );
    });
  }

  test("G2: HEAD gets the head alone, 204 and 304 have no body, HTTP/1.0 ends it with the connection", async () => {
    const port = await start(({ target }) => {
      const status = Number(target.slice(1));
      if (status !== 200) return new Response(null, { status });
      return new Response("four", { headers: { "Content-Length": "4", Connection: "keep-alive" } });
    });
    const withLength =
      "HTTP/1.1 200 OK\r\ncontent-type: text/plain;charset=UTF-8\r\nContent-Length: 4\r\nConnection: close\r\n\r\n";
    assert.equal(await exchange(port, get("/200")), `${withLength}four`);
    assert.equal(await exchange(port, get("/200").replace("GET", "HEAD")), withLength);
    assert.equal(await exchange(port, get("/204")), "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    assert.equal(await exchange(port, get("/304")), "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n");
    assert.equal(
      await exchange(port, get("/404")),
      "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    );
    await server?.close();
    const older = await start(() => new Response("old"));
    assert.match(await exchange(older, get("/", "1.0"), { half: true }), /\r\nConnection: close\r\n\r\nold$/);
  });

  test("G2: a half-closed client gets its response, and its request body is discarded", async () => {
    const port = await start(async () => {
      await sleep(20);
      return new Response("late", { headers: { "Content-Length": "4" } });
    });
    assert.match(await exchange(port, get("/"), { half: true }), /late$/);
    const body = "x".repeat(300_000);
    const post = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    assert.match(await exchange(port, post), /late$/);
  });

  test("G2: a body streams as fast as the client reads it, and no faster", async () => {
    const CHUNK = new Uint8Array(256 * 1024).fill(120);
    let pulled = 0;
    const port = await start(
      () =>
        new Response(
          new ReadableStream<Uint8Array>({
            pull: (controller) => {
              pulled++;
              if (pulled > 200) controller.close();
              else controller.enqueue(CHUNK);
            },
          }),
        ),
    );
    await using client = await RawClient.connect({ port, timeout: 30_000 });
    client.stopReading();
    client.write(get("/", "1.0"));
    await sleep(200);
    assert(pulled < 100, `${pulled} chunks of 256 KiB were pulled for a client that reads nothing`);
    client.resumeReading();
    const answer = Buffer.from(await client.readToEnd());
    assert.equal(answer.length - answer.indexOf("\r\n\r\n") - 4, 200 * CHUNK.length);
    client.end();
  });

  test("G2: a body's source is cancelled when its client disconnects, or reads nothing for openTimeout", async () => {
    const cancelled: string[] = [];
    const port = await start(
      ({ target }) =>
        new Response(
          new ReadableStream<Uint8Array>({
            pull: async (controller) => {
              if (target === "/mute") await sleep(10_000, null, { ref: false });
              controller.enqueue(new Uint8Array(64 * 1024));
            },
            cancel: () => void cancelled.push(target),
          }),
        ),
      { openTimeout: 150 },
    );
    for (const path of ["/gone", "/stuck", "/mute"]) {
      await using client = await RawClient.connect({ port });
      client.write(get(path));
      await client.readHead();
      if (path === "/stuck") client.stopReading();
      if (path === "/gone") client.reset();
      await eventually(() => cancelled.includes(path), `${path} to be cancelled`);
    }
  });

  test("G2: a body that breaks off, or is not what was announced, ends the connection without an end of the body", async () => {
    const bodies: Readonly<Record<string, () => Response>> = {
      "/throws": () =>
        new Response(
          new ReadableStream({
            pull: (controller) => {
              controller.enqueue(Buffer.from("part"));
              controller.error(new Error("broken"));
            },
          }),
        ),
      "/short": () => new Response("abc", { headers: { "Content-Length": "4" } }),
      "/long": () => new Response("abcde", { headers: { "Content-Length": "4" } }),
      "/strings": () =>
        new Response(new ReadableStream({ start: (controller) => controller.enqueue("text") })),
    };
    const port = await start(({ target }) => bodies[target]());
    for (const path of Object.keys(bodies)) {
      await using client = await RawClient.connect({ port });
      client.write(get(path));
      await client.readHead();
      const body = Buffer.from(await client.readToEnd()).toString();
      assert(!body.endsWith("0\r\n\r\n") && body !== "abcd", `${path}: ${body}`);
    }
    assert.deepEqual(
      lines.map(({ level, message }) => `${level} ${message}`),
      Object.keys(bodies).map(() => "error sending a response failed"),
    );
  });

  test("G2: a client that disconnects while onRequest decides aborts the request's signal, and no connection opens", async () => {
    const opened: unknown[] = [];
    const aborted: string[] = [];
    server = await serve((connection) => void opened.push(connection), {
      host: "127.0.0.1",
      logger,
      onRequest: async ({ signal, target }) => {
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        aborted.push(target);
        return target === "/answers" ? new Response("too late") : undefined;
      },
    });
    for (const [path, leave] of [
      ["/fin", (client: RawClient) => client.end()],
      ["/reset", (client: RawClient) => client.reset()],
      ["/answers", (client: RawClient) => client.reset()],
    ] as const) {
      await using client = await RawClient.connect({ port: server.port });
      client.sendUpgrade({ path });
      await client.flushed();
      await client.pause(20);
      leave(client);
      await eventually(() => aborted.includes(path), `${path} to be aborted`);
    }
    assert.deepEqual([opened, lines], [[], []]);
  });

  test("G2: what a client sends before it is answered is kept for the connection", async () => {
    server = await serve((connection) => connection.forEach((message) => connection.send(message)), {
      host: "127.0.0.1",
      onRequest: () => sleep(30),
    });
    await using client = await RawClient.connect({ port: server.port, timeout: 30_000 });
    client.sendUpgrade({ glue: client.frame({ opcode: 1, payload: "glued" }) });
    await client.pause(5);
    client.sendText("early");
    const large = "x".repeat(300_000);
    client.sendText(large);
    await client.readHead();
    const echoed: string[] = [];
    while (echoed.length < 3) {
      const { opcode, payload } = await client.readFrame();
      if (opcode === 1) echoed.push(Buffer.from(payload).toString());
    }
    assert.deepEqual(echoed, ["glued", "early", large]);
    client.sendClose(1000);
    await client.ended;
  });

  test("G2: one that never settles is answered 503 after openTimeout", async () => {
    let signal: AbortSignal | null = null;
    const port = await start(
      (request) => {
        ({ signal } = request);
        return new Promise<undefined>(() => undefined);
      },
      { openTimeout: 100 },
    );
    const began = performance.now();
    await assert.rejects(connect(`ws://127.0.0.1:${port}/`), { status: 503 });
    const elapsed = performance.now() - began;
    assert(elapsed >= 95 && elapsed < 9_000, `${elapsed} ms`);
    assert.equal((signal as AbortSignal | null)?.aborted, true);
  });

  test("G2: it is not called for invalid requests, nor for pages of other origins", async () => {
    const asked: string[] = [];
    const port = await start(({ target }) => void asked.push(target));
    for (const [headers, status] of [
      [{ Origin: "https://evil.example" }, "403"],
      [{ "Sec-WebSocket-Version": "8" }, "426"],
      [{ "Sec-WebSocket-Key": null }, "400"],
    ] as const) {
      await using client = await RawClient.connect({ port });
      client.sendUpgrade({ headers });
      assert.equal((await client.readHead()).startLine.slice(9, 12), status);
      client.end();
    }
    assert.match(await exchange(port, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), /^HTTP\/1\.1 400 /);
    assert.deepEqual(asked, []);
  });

  test("E3: frames that come byte by byte while onRequest decides are kept in one piece, and read afterwards", async () => {
    let decide: () => void = () => undefined;
    server = await serve((connection) => connection.forEach((message) => connection.send(message)), {
      host: "127.0.0.1",
      onRequest: () => new Promise<undefined>((resolve) => (decide = () => resolve(undefined))),
    });
    await using client = await RawClient.connect({ port: server.port });
    const text = "x".repeat(3000);
    client.sendUpgrade();
    const frame = client.frame({ opcode: 1, payload: text });
    await client.writeBytewise(frame);
    decide();
    await client.readHead();
    for (;;) {
      const { opcode, payload } = await client.readFrame();
      if (opcode !== 1) continue; // The server's Ping.
      assert.equal(Buffer.from(payload).toString(), text);
      break;
    }
  });
});
