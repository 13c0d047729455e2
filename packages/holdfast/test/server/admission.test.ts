import assert from "node:assert/strict";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterEach, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  basicAuth,
  connect,
  InvalidArgumentError,
  serve,
  type ServeOptions,
  type Server,
} from "../../build/index.js";
import {
  activeResources,
  assertNothingLeft,
  assertWithin,
  eventually,
  testCertificates,
  type ResourceCounts,
} from "holdfast-testkit";
import { recordingLogger } from "./recording-logger.js";

describe("Admission of clients", () => {
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

  const start = async (options: ServeOptions): Promise<Server> =>
    (server = await serve(() => undefined, { host: "127.0.0.1", logger, ...options }));

  test("G3: above maxConnections upgrades get 503 with Retry-After, plain requests their answer, until there is room", async () => {
    const { url, port, connections } = await start({
      maxConnections: 2,
      onRequest: async ({ isUpgrade }) => {
        await sleep(10); // Several upgrades are admitted at the same time, so each has to be counted again when it opens.
        return isUpgrade ? undefined : new Response("healthy");
      },
    });
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => connect(url)));
    const opened = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
    const refused = outcomes.flatMap((outcome) =>
      outcome.status === "rejected" ? [outcome.reason as object] : [],
    );
    assert.deepEqual([opened.length, connections.size], [2, 2]);
    assert.deepEqual(
      refused.map((error) => ({
        status: "status" in error && error.status,
        retryAfter: "retryAfter" in error && error.retryAfter,
      })),
      Array.from({ length: 3 }, () => ({ status: 503, retryAfter: 5_000 })),
    );
    await assert.rejects(connect(url), { status: 503 });
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "healthy");
    await opened[0].close();
    await eventually(() => connections.size === 1, "room");
    await using late = await connect(url);
    assert.equal(late.state, "open");
    await opened[1].close();
  });

  test("G6: selectSubprotocol sees the request, after onRequest has seen it", async () => {
    const tokens = new WeakSet<object>();
    const { url } = await start({
      onRequest: (request) => {
        if (request.headers.has("X-Admin")) tokens.add(request);
      },
      selectSubprotocol: (offered, request) => (tokens.has(request) ? "admin" : offered[0]),
    });
    await using user = await connect(url, { subprotocols: ["chat", "admin"] });
    await using admin = await connect(url, { subprotocols: ["chat", "admin"], headers: { "X-Admin": "1" } });
    assert.deepEqual([user.subprotocol, admin.subprotocol], ["chat", "admin"]);
  });

  test("G6: requireSubprotocol refuses clients that offer no supported one, with 400", async () => {
    const { url } = await start({ requireSubprotocol: true, subprotocols: ["v2", "v1"] });
    await using connection = await connect(url, { subprotocols: ["v1", "v2"] });
    assert.equal(connection.subprotocol, "v2");
    for (const [subprotocols, got] of [
      [[], "none"],
      [["v0"], '"v0"'],
    ] as const) {
      await assert.rejects(connect(url, { subprotocols }), (error: unknown) => {
        const { status, body } = error as { status: number; body: Uint8Array };
        assert.deepEqual(
          [status, Buffer.from(body).toString()],
          [400, `Expected Sec-WebSocket-Protocol to offer one of "v2" and "v1", got ${got}.`],
        );
        return true;
      });
    }
  });

  const authorization = (text: string) => ({
    Authorization: `Basic ${Buffer.from(text).toString("base64")}`,
  });

  test("G6: basicAuth accepts clients with the name and password, and challenges all others (RFC 7617)", async () => {
    const { url, port } = await start({
      onRequest: basicAuth({ realm: 'a "b"', user: "Ünal", password: "pä:ss" }),
    });
    const right = authorization("Ünal:pä:ss");
    await using connection = await connect(url, { headers: right });
    assert.equal(connection.state, "open");
    for (const headers of [
      {},
      authorization("Ünal:pä:s"),
      authorization("ünal:pä:ss"),
      authorization("Ünal:pä:ss "),
      authorization("Ünal"),
      authorization(":"),
      authorization(""),
      { Authorization: right.Authorization.replace("Basic", "Bearer") },
      { Authorization: `${right.Authorization} x` },
      { Authorization: `${right.Authorization}, Basic YTpi` },
    ]) {
      await assert.rejects(connect(url, { headers }), (error: unknown) => {
        const { status, headers: answer } = error as { status: number; headers: Headers };
        assert.deepEqual(
          [status, answer.get("WWW-Authenticate")],
          [401, String.raw`Basic realm="a \"b\"", charset="UTF-8"`],
        );
        return true;
      });
    }
    const page = await fetch(`http://127.0.0.1:${port}/`);
    assert.deepEqual([page.status, await page.text()], [401, "Expected a valid name and password."]);
    assert.equal((await fetch(`http://127.0.0.1:${port}/`, { headers: right })).status, 426);
  });

  test("G6: basicAuth calls `check`, which may be slow, and accepts only true", async () => {
    const answers: Readonly<Record<string, unknown>> = {
      yes: true,
      no: false,
      late: sleep(5).then(() => true),
      lateNo: sleep(5).then(() => false),
      truthy: "true",
    };
    const asked: unknown[] = [];
    const { url } = await start({
      onRequest: basicAuth({
        check: (user, password, request) => {
          asked.push([user, password, request.target]);
          if (user === "throws") throw new Error("no database");
          return answers[user] as boolean;
        },
      }),
    });
    const outcome = (user: string) =>
      connect(`${url}/${user}`, { headers: authorization(`${user}:secret`) }).then(
        async (connection) => {
          await connection.close();
          return 101;
        },
        (error: unknown) => (error as { status: number }).status,
      );
    const users = [...Object.keys(answers), "throws"];
    const statuses: number[] = [];
    for (const user of users) statuses.push(await outcome(user));
    assert.deepEqual(statuses, [101, 401, 101, 401, 401, 500]);
    assert.deepEqual(
      asked,
      users.map((user) => [user, "secret", `/${user}`]),
    );
  });

  test("G6: basicAuth's options are checked, and a password never shows", () => {
    for (const [options, message] of [
      [{ user: "a:b", password: "c" }, /^Expected `user` to be a string without a colon/],
      [{ user: "a", password: 12345 }, /^Expected `password` to be a string, got number\.$/],
      [
        { user: "a", password: "b", realm: "é" },
        /^Expected `realm` to be printable ASCII, got "é" \(string\)\.$/,
      ],
      [
        { user: "a", password: "" },
        /^Expected `password` to have at least one character, got an empty string\./,
      ],
      [{ check: "no" }, /^Expected `check` to be a function/],
      [{ check: () => true, user: "a" }, /^Expected `check`, or `user` and `password`, got both\./],
      [{ check: () => true, password: "b" }, /^Expected `check`, or `user` and `password`, got both\./],
      [{}, /^Expected `user` to be a string without a colon/],
    ] as const) {
      assert.throws(
        () => basicAuth(options as unknown as Parameters<typeof basicAuth>[0]),
        (error) => error instanceof InvalidArgumentError && message.test(error.message),
      );
    }
  });

  test("B1: over TLS the handshake and the request share one openTimeout", async () => {
    const { server: tls, ca } = await testCertificates();
    const { port } = await start({ tls, openTimeout: 3_000 });
    // A client that is slow in both steps: the time that the handshake took is no longer available for the request.
    await assertWithin(5_400, async () => {
      const began = performance.now();
      const tcp = connectTcp({ port, host: "127.0.0.1" });
      await sleep(2_500);
      const socket = connectTls({ socket: tcp, ca, servername: "localhost" });
      const answer = await new Promise<string>((resolve) => {
        socket.once("data", (bytes: Buffer) => resolve(bytes.toString()));
        socket.once("error", (error: Error) => resolve(error.message));
        socket.once("close", () => resolve("closed"));
      });
      const took = performance.now() - began;
      socket.destroy();
      // Otherwise the handshake took more than its rest of the time, on a busy machine.
      if (!answer.startsWith("HTTP/1.1 408 ")) return Infinity;
      assert(took >= 2_990, `${took} ms`);
      return took;
    });
  });
});
