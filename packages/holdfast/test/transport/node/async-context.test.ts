import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { createServer, type IncomingMessage } from "node:http";
import { lookup } from "node:dns";
import { connect as openSocket } from "node:net";
import { describe, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  attach,
  Client,
  connect,
  connectPersistent,
  persist,
  reconnect,
  serve,
  type Connection,
  type Logger,
} from "holdfast";
import { eventually } from "holdfast-testkit";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const tenants = new AsyncLocalStorage<{ name: string }>();

/** Records, for each callback, the tenants in whose contexts it was called. */
class Notes {
  readonly seen = new Map<string, Set<string>>();

  note(what: string): void {
    const names = this.seen.get(what) ?? new Set();
    this.seen.set(what, names.add(tenants.getStore()?.name ?? "nobody"));
  }

  logger(): Logger {
    const log = () => this.note("logger");
    const isLevelEnabled = (): boolean => {
      this.note("isLevelEnabled");
      return true;
    };
    return { debug: log, info: log, warn: log, error: log, isLevelEnabled };
  }

  /** Asserts that each callback was called, and only by this tenant. */
  assertAll(name: string, expected: readonly string[]): void {
    const seen = Object.fromEntries([...this.seen].map(([what, names]) => [what, [...names].join()]));
    assert.deepEqual(seen, { ...seen, ...Object.fromEntries(expected.map((what) => [what, name])) });
    for (const [what, names] of this.seen) assert.deepEqual([what, [...names]], [what, [name]]);
  }
}

const target = (notes: Notes, url: string) => ({
  url: () => {
    notes.note("url");
    return url;
  },
  headers: () => {
    notes.note("headers");
    return {};
  },
  subprotocols: () => {
    notes.note("subprotocols");
    return [];
  },
  lookup: ((...args: Parameters<typeof lookup>) => {
    notes.note("lookup");
    lookup(...args);
  }) as typeof lookup,
  retryable: (_: Error, byDefault: boolean) => {
    notes.note("retryable");
    return byDefault;
  },
});

const WAITS = { firstDelay: 20, maxDelay: 20 };
const PINGS = { pingInterval: 10, ...WAITS };
const inTurn = (names: readonly string[], body: (name: string) => void) => {
  for (const name of names) tenants.run({ name }, () => body(name));
};

describe("async contexts of clients", () => {
  test("C19: after a reconnect every callback of a persistent connection runs in the context that made it", async () => {
    const server = await serve((connection) => void connection.send("hello"), { pingInterval: null });
    const url = server.url.replace(/\/\/[^:/]*/, "//localhost");
    const notes = new Map<string, Notes>();
    const links: ReturnType<typeof connectPersistent>[] = [];
    inTurn(["a", "b", "c"], (name) => {
      const own = new Notes();
      notes.set(name, own);
      const { url: where, ...options } = target(own, url);
      const link = connectPersistent(where, {
        ...options,
        ...PINGS,
        logger: own.logger(),
        onOpen: (connection: Connection) => {
          own.note("onOpen");
          connection.on("pong", () => own.note("pong"));
        },
      });
      link.on("status", () => own.note("status"));
      link.on("disconnected", () => own.note("disconnected"));
      void link.forEach(() => own.note("message"));
      links.push(link);
    });
    const all = [
      "url",
      "headers",
      "subprotocols",
      "lookup",
      "retryable",
      "logger",
      "onOpen",
      "pong",
      "status",
    ];
    all.push("disconnected", "message");
    await eventually(() => links.every(({ latency }) => latency !== null), "all are open", 30_000);
    for (let round = 0; round < 3; round++) {
      for (const connection of server.connections) connection.terminate();
      await eventually(() => links.every(({ latency }) => latency === null), "all are lost", 30_000);
      await eventually(() => links.every(({ latency }) => latency !== null), "all are open again", 30_000);
    }
    for (const [name, own] of notes) own.assertAll(name, all);
    await Promise.all(links.map((link) => link.close()));
    for (const [name, own] of notes) own.assertAll(name, all);
    await server.close();
  });

  test("C19: reconnect() and persist() call back in the context of their calls, whichever code reads them", async () => {
    const server = await serve(async () => undefined, { pingInterval: null });
    const url = server.url.replace(/\/\/[^:/]*/, "//localhost");
    const notes = new Map<string, Notes>();
    const loops: Promise<void>[] = [];
    inTurn(["a", "b"], (name) => {
      const own = new Notes();
      notes.set(name, own);
      const { url: where, ...options } = target(own, url);
      const connections = reconnect(where, { ...options, ...PINGS, logger: own.logger() });
      const second = new Notes();
      notes.set(`${name} `, second);
      const { url: where2, retryable, ...options2 } = target(second, url);
      const client = tenants.run(
        { name: `${name} ` },
        () => new Client(where2, { ...options2, logger: second.logger() }),
      );
      const events = tenants.run({ name: `${name} ` }, () => persist(client, { ...WAITS, retryable }));
      const loop = async () => {
        let count = 0;
        for await (const _ of connections) if (++count === 4) break;
        for await (const { type } of events) if (type === "ready" && ++count === 8) break;
      };
      loops.push(tenants.run({ name: "reader" }, loop));
    });
    await Promise.all(loops);
    for (const [name, own] of notes) {
      own.assertAll(name, ["url", "headers", "subprotocols", "lookup", "retryable", "logger"]);
    }
    await server.close();
  });

  test("C19: a custom stream is created in the context of connect()", async () => {
    const server = await serve(() => undefined);
    const notes = new Notes();
    const connection = await tenants.run({ name: "a" }, () =>
      connect(server.url, {
        createConnection: () => {
          notes.note("createConnection");
          return openSocket(server.port, "127.0.0.1");
        },
      }),
    );
    notes.assertAll("a", ["createConnection"]);
    await connection.close();
    await server.close();
  });

  test("C19: a listener runs in the context in which it was added, whatever sent or flushed", async () => {
    const server = await serve(() => undefined, { pingInterval: 10 });
    const notes = new Map<string, Notes>();
    const connections = await Promise.all(
      ["a", "b"].map((name) => tenants.run({ name }, () => connect(server.url, { pingInterval: 10 }))),
    );
    for (const [index, connection] of connections.entries()) {
      const own = new Notes();
      const name = `listener ${index}`;
      notes.set(name, own);
      tenants.run({ name }, () => {
        for (const event of ["ping", "pong"] as const) connection.on(event, () => own.note(event));
        void connection.forEach(() => own.note("message"));
      });
    }
    // Both in one turn, so that the end of the turn flushes both.
    await tenants.run({ name: "sender" }, async () => {
      for (const connection of server.connections) await connection.send("hello");
      for (const connection of connections) void connection.send("hello");
    });
    await eventually(() => [...notes.values()].every(({ seen }) => seen.size === 3), "all have come", 30_000);
    for (const [name, own] of notes) own.assertAll(name, ["ping", "pong", "message"]);
    await server.close();
  });
});

describe("async contexts of servers", () => {
  test("C19: a handler runs in the context of serve(), and enters one for itself only", async () => {
    const seen: (string | undefined)[] = [];
    const server = await tenants.run({ name: "server" }, () =>
      serve((_, { target: path }) => {
        seen.push(tenants.getStore()?.name);
        tenants.enterWith({ name: path });
      }),
    );
    for (const name of ["a", "b"]) {
      await tenants.run({ name }, async () => (await connect(`${server.url}/${name}`)).close());
    }
    assert.deepEqual(seen, ["server", "server"]);
    await server.close();
  });

  test("C19: with attach(), onRequest and the handler run in the context of the upgrade request", async () => {
    const seen: (string | undefined)[] = [];
    const httpServer = createServer();
    // Like an instrumentation of the HTTP server.
    const emit = httpServer.emit.bind(httpServer) as (...args: unknown[]) => boolean;
    httpServer.emit = ((event: string, ...args: unknown[]) =>
      event === "upgrade"
        ? tenants.run({ name: (args[0] as IncomingMessage).url ?? "" }, () => emit(event, ...args))
        : emit(event, ...args)) as typeof httpServer.emit;
    const note = () => void seen.push(tenants.getStore()?.name);
    const server = attach(httpServer, note, { onRequest: async () => note() });
    await new Promise<void>((resolve) => httpServer.listen(0, "127.0.0.1", resolve));
    for (const path of ["/a", "/b"]) await (await connect(server.url + path)).close();
    assert.deepEqual(seen, ["/a", "/a", "/b", "/b"]);
    await server.close();
    httpServer.close();
  });
});

test("C19: nothing keeps the store of a connection that has ended", async () => {
  const server = await serve(() => undefined);
  const other = await connect(server.url, { pingInterval: 20 });
  const stores: WeakRef<object>[] = [];
  const open = async () => {
    const connection = await connect(server.url, { pingInterval: 10, logger: new Notes().logger() });
    connection.on("pong", () => undefined);
    void connection.forEach(() => undefined);
    await connection.send("hello");
    await connection.ping();
    await connection.close();
  };
  for (let count = 0; count < 10; count++) {
    const store = { name: `tenant ${count}` };
    stores.push(new WeakRef(store));
    await tenants.run(store, open);
  }
  await eventually(
    () => {
      collectGarbage();
      return stores.filter((store) => store.deref() !== undefined).length <= 1; // The last one may still be on the stack.
    },
    "the stores are collected",
    20_000,
  );
  await other.close();
  await server.close();
});
