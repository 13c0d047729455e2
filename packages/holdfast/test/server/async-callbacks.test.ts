// Async functions where a plain one is expected: their promises must neither be taken for answers nor end the process.

import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { attach, connect, connectPersistent, inspect, serve, type Logger } from "../../build/index.js";
import { createTopics, publish, subscribe } from "../../build/topics.js";
import { eventually } from "holdfast-testkit";
import { recordingLogger } from "./recording-logger.js";
import { forbidUnhandledRejections } from "../behaviour/unhandled-rejections.js";

const rejects = (): never => Promise.reject(new Error("boom")) as never;

describe("Async functions of the application", () => {
  forbidUnhandledRejections();

  const count = (lines: ReturnType<typeof recordingLogger>["lines"], message: string) =>
    lines.filter((line) => line.message === message).length;

  test("G8: a listener that rejects is logged like one that throws, of connections and of persistent ones", async () => {
    const { logger, lines } = recordingLogger();
    await using server = await serve((connection) => connection.closed, { logger: null });
    const connection = await connect(server.url, { logger });
    connection.on("pong", rejects);
    await connection.ping();
    await connection.close();
    const persistent = connectPersistent(server.url, { logger });
    persistent.on("status", rejects);
    await persistent.close();
    assert(count(lines, 'a listener of "pong" failed') > 0);
    assert(count(lines, 'a listener of "status" failed') > 0);
  });

  test("G8: selectSubprotocol and trustProxy that return promises fail, and say that a promise came", async () => {
    const { logger, lines } = recordingLogger();
    await using server = await serve((connection) => connection.closed, {
      logger,
      trustProxy: rejects,
      selectSubprotocol: rejects,
    });
    await assert.rejects(connect(server.url, { subprotocols: ["a"] }), { status: 500 });
    const errors = lines.flatMap(({ message, details }) =>
      "error" in details ? [`${message}: ${(details.error as Error).message}`] : [],
    );
    assert.deepEqual(
      [...new Set(errors)],
      [
        "trustProxy failed: Expected `trustProxy()` to be true or false, got a promise.",
        'selectSubprotocol failed: Expected `selectSubprotocol` to return null or one of "a", got a promise.',
      ],
    );
  });

  test("G8: a `path` that returns a promise, or anything but true and false, matches nothing and is logged", async () => {
    const { logger, lines } = recordingLogger();
    const answers: Record<string, unknown> = {
      "/yes": true,
      "/promise": Promise.resolve(true),
      "/text": "yes",
    };
    const httpServer = createServer();
    httpServer.listen(0, "127.0.0.1");
    await once(httpServer, "listening");
    const { port } = httpServer.address() as AddressInfo;
    const server = attach(httpServer, () => undefined, {
      logger,
      path: ({ target }) => (target in answers ? (answers[target] as boolean) : rejects()),
    });
    await (await connect(`ws://127.0.0.1:${port}/yes`)).close();
    for (const target of ["/promise", "/rejection", "/text"])
      await assert.rejects(connect(`ws://127.0.0.1:${port}${target}`), { status: 404 }, target);
    await server.close();
    httpServer.close();
    assert.deepEqual(
      lines
        .filter(({ level }) => level === "error")
        .map(({ message, details }) => `${message}: ${(details as { error: Error }).error.message}`),
      ["a promise", "a promise", '"yes" (string)'].map(
        (got) => `path failed: Expected \`path()\` to be true or false, got ${got}.`,
      ),
    );
  });

  test("G8: a function of topics.watch() that rejects is printed, and gets the next update", async (t) => {
    const printed = t.mock.method(process.stderr, "write", () => true);
    await using topics = createTopics();
    let updates = 0;
    await using server = await serve(
      async (connection) => {
        await topics.subscribe(connection, "room", { presence: {} });
        await connection.closed;
      },
      { logger: null },
    );
    const stop = await topics.watch("room", () => {
      updates++;
      return rejects();
    });
    const connection = await connect(server.url);
    await eventually(() => updates === 2, "the update about the member");
    await connection.close();
    stop();
    const texts = printed.mock.calls.map(({ arguments: [text] }) => String(text));
    assert(texts.filter((text) => text.includes("a function of topics.watch() failed")).length >= 2);
  });

  test("P2: an async `actions` of inspect() decides when it has settled", async () => {
    await using server = await serve(() => undefined, { logger: null });
    const asked: string[] = [];
    inspect(server, {
      authorize: () => ({ who: "ann" }),
      actions: async (_request, who) => {
        await Promise.resolve();
        asked.push(String(who));
        throw new Error("boom");
      },
    });
    const response = await fetch(
      `${server.url.replace("ws", "http")}/holdfast`.replace("//holdfast", "/holdfast"),
    );
    assert.deepEqual([response.status, asked], [500, ["ann"]]);
  });
});

test("C19: trustProxy, stores, and the functions of topics.open() run in the contexts in which they were passed", async () => {
  const tenants = new AsyncLocalStorage<string>();
  const seen = new Map<string, Set<string>>();
  const note = (what: string): void => {
    seen.set(what, (seen.get(what) ?? new Set()).add(tenants.getStore() ?? "nobody"));
  };
  const noting = (what: string) => () => {
    note(what);
    return Promise.resolve(0) as Promise<never>;
  };
  const topics = createTopics();
  const server = await tenants.run("server", () =>
    serve(
      (connection) => {
        tenants.run("handler", () =>
          topics.open(connection, {
            authorize: () => (note("authorize"), true),
            publish: () => (note("publish"), true),
          }),
        );
        return connection.forEach((message) => connection.send(message));
      },
      {
        logger: null,
        trustProxy: () => (note("trustProxy"), false),
        sessions: {
          durability: "message",
          store: {
            claim: noting("claim"),
            save: noting("save"),
            append: noting("append"),
            remove: noting("remove"),
            sweep: noting("sweep"),
          },
        },
      },
    ),
  );
  await tenants.run("client", async () => {
    const client = connectPersistent(server.url, { session: true, logger: null });
    await client.send("x");
    await client.recv();
    await client.close();
    const connection = await connect(server.url, { linkProtocol: true, logger: null });
    const next = subscribe(connection, "room").next();
    await publish(connection, "room", "y");
    await next;
    await connection.close();
  });
  await server.close();
  await topics.close();
  assert.deepEqual(Object.fromEntries([...seen].map(([what, names]) => [what, [...names]])), {
    trustProxy: ["server"],
    save: ["server"],
    append: ["server"],
    remove: ["server"],
    authorize: ["handler"],
    publish: ["handler"],
  });
});

test("G8: a logger that closes its own connection changes nothing else", async () => {
  await using server = await serve((connection) => connection.closed, { logger: null });
  const closes: Promise<unknown>[] = [];
  let close = (): void => undefined;
  const log = (): void => close();
  const logger: Logger = { debug: log, info: log, warn: log, error: log };
  const connection = await connect(server.url, { logger });
  close = () => void closes.push(connection.close());
  void connection.send("x");
  const info = await connection.closed;
  assert.deepEqual([info.message, info.clean], ["sent 1000 (OK); then received 1000 (OK)", true]);
  await Promise.all(closes);
});

test("G4: a store of sessions that never answers does not keep the process of a closed server alive", async () => {
  const program = `
    import { connectPersistent, serve } from ${JSON.stringify(new URL("../../build/index.js", import.meta.url).href)};
    const never = () => new Promise(() => {});
    const save = () => {
      setImmediate(close);
      return never();
    };
    const store = { claim: never, save, append: never, remove: never, sweep: never };
    const server = await serve((connection) => connection.closed, { logger: null, sessions: { store } });
    const client = connectPersistent(server.url, { session: true });
    async function close() {
      client.terminate();
      await server.close({ timeout: 50 });
      console.log("closed");
    }`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    await once(child.stdout, "data");
    const closedAt = performance.now();
    await once(child, "exit");
    // The store would have had ten seconds to answer.
    assert(performance.now() - closedAt < 8_000);
  } finally {
    child.kill("SIGKILL");
  }
});
