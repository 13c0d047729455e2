// The inspectors of several processes, here several engines, over Redis.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, inspect, serve, type Server } from "holdfast";
import { createTopics, type Topics } from "holdfast/topics";
import { redisEngine } from "../dist/index.js";
import { openClient } from "./backends.js";
import { missing, RedisServer } from "./redis-server.js";

const QUERY = {
  view: "connections",
  sort: "age",
  descending: true,
  only: "all",
  filter: "",
  offset: 0,
  limit: 100,
};

interface Snapshot {
  readonly type: string;
  readonly text?: string;
  readonly processes: readonly {
    readonly id: string;
    readonly error: string | null;
    readonly totals: { readonly connections: number } | null;
  }[];
  readonly window: { readonly connections: readonly { readonly id: string; readonly path: string }[] };
}

test(
  "P1: over Redis, the inspector shows every process, and acts on the connections of another one",
  { skip: missing, timeout: 60_000 },
  async () => {
    const redis = await RedisServer.start();
    const logged: unknown[] = [];
    const log = (message: string, details?: object): void => void logged.push({ message, ...details });
    const nodes: { server: Server; topics: Topics; close(): Promise<void> }[] = [];
    for (const who of ["ada", "grace"]) {
      const opened = await openClient("ioredis", redis.port);
      const engine = redisEngine({ client: opened.client });
      const topics = createTopics({ engine });
      const logger = { debug: () => {}, info: () => {}, warn: log, error: log };
      const server = await serve((connection) => connection.discard(), { host: "127.0.0.1", logger });
      inspect(server, { authorize: () => ({ who }), actions: true, topics });
      const close = async (): Promise<void> => {
        await server.close();
        await topics.close();
        await engine[Symbol.asyncDispose]();
        opened.close();
      };
      nodes.push({ server, topics, close });
    }
    const [here, there] = nodes;
    assert.ok(here !== undefined && there !== undefined);
    const client = await connect(`${there.server.url}/elsewhere`);
    const viewer = await connect(`${here.server.url}/holdfast/stream`);
    const ask = async (request: object): Promise<Snapshot> => {
      await viewer.send(JSON.stringify({ id: 1, process: null, ...request }));
      return JSON.parse(String(await viewer.recv({ timeout: 30_000 }))) as Snapshot;
    };
    let snapshot = await ask({ type: "look", query: QUERY });
    while (snapshot.processes.length < 2) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      snapshot = await ask({ type: "look", query: QUERY });
    }
    assert.deepEqual(
      snapshot.processes.map(({ error, totals }) => [error, totals?.connections]),
      [
        [null, 0],
        [null, 1],
      ],
    );
    assert.deepEqual(snapshot.window.connections, []);
    const process = snapshot.processes[1]?.id;
    const remote = await ask({ type: "look", process, query: QUERY });
    const [row] = remote.window.connections;
    assert.equal(row?.path, "/elsewhere");
    const acted = await ask({ type: "act", process, action: "close", connection: row.id });
    assert.deepEqual([acted.type, acted.text], ["acted", "Sent a Close with 1000."]);
    assert.equal((await client.closed).reason, "closed by an operator");
    assert.deepEqual(logged, [
      { message: "inspector action", action: "close", id: row.id, who: "ada", address: "127.0.0.1" },
    ]);
    await there.close();
    const alone = await ask({ type: "look", query: QUERY });
    assert.ok(alone.processes.slice(1).every(({ totals, error }) => totals === null && error !== null));
    await viewer.close();
    await here.close();
    await redis.close();
  },
);
