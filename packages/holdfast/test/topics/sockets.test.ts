// Topics over real sockets: servers in this process stand for several processes, which share one engine.

import assert from "node:assert/strict";
import { createServer, type AddressInfo } from "node:net";
import { afterEach, describe, test } from "node:test";
import {
  connect,
  connectPersistent,
  serve,
  type Connection,
  type PersistentConnection,
  type Server,
} from "../../build/index.js";
import {
  createTopics,
  memoryEngine,
  publish,
  subscribe,
  TopicError,
  type Engine,
  type OpenOptions,
  type TopicEvent,
  type Topics,
  type TopicsOptions,
} from "../../build/topics.js";
import { eventually, FaultProxy } from "holdfast-testkit";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Process {
  readonly server: Server;
  readonly topics: Topics;
}

/** A server with topics, as one process has them. */
async function startProcess(
  options: TopicsOptions & { engine: Engine },
  handler: (connection: Connection, topics: Topics) => unknown = () => undefined,
): Promise<Process> {
  const topics = createTopics(options);
  const server = await serve(async (connection) => {
    await handler(connection, topics);
    await connection.closed;
  });
  cleanups.push(async () => {
    await server.close({ timeout: 1 });
    await topics.close();
  });
  return { server, topics };
}

async function open(server: Server, options: object = { linkProtocol: true }): Promise<Connection> {
  const connection = await connect(server.url, options);
  cleanups.push(() => connection.terminate());
  return connection;
}

function newEngine(): Engine {
  const engine = memoryEngine();
  cleanups.push(() => engine[Symbol.asyncDispose]());
  return engine;
}

const allowAll: OpenOptions = { authorize: () => true, publish: () => true };

/** Events as short texts. */
function collect(
  link: Connection | PersistentConnection,
  topic: string,
  since?: { epoch: string; offset: number },
) {
  const events: string[] = [];
  const raw: TopicEvent[] = [];
  const ended = (async () => {
    for await (const event of subscribe(link, topic, { since })) {
      raw.push(event);
      events.push(describeEvent(event));
    }
  })();
  ended.catch(() => undefined);
  return { events, raw, ended };
}

function describeEvent(event: TopicEvent): string {
  if (event.type === "gap") return `gap ${event.after?.offset ?? "-"} ${event.position?.offset ?? "-"}`;
  const data = typeof event.data === "string" ? event.data : `[${event.data.join()}]`;
  return `${event.offset ?? "-"} ${data}`;
}

describe("Topics over sockets", () => {
  test("M1: a message reaches the subscribers in all processes: plain peers as it is, links by subscribe()", async () => {
    const engine = newEngine();
    const handler = (connection: Connection, topics: Topics) => topics.subscribe(connection, "news");
    const processes = [await startProcess({ engine }, handler), await startProcess({ engine }, handler)];
    const [first, second] = processes.map(({ server }) => server);
    assert.ok(first !== undefined && second !== undefined);
    const plain = await open(first, {});
    const link = await open(second);
    const messages: unknown[] = [];
    void plain.forEach((message) => void messages.push(message));
    const unexpected: unknown[] = [];
    void link.forEach((message) => void unexpected.push(message));
    const { events } = collect(link, "news");
    await link.ping();
    await plain.ping();
    await eventually(() => first.connections.size === 1 && second.connections.size === 1, "connections");
    await link.ping();
    const data = ["text", Uint8Array.of(1, 2), "\u0016marked\n", ""];
    for (const each of data) await processes[0]?.topics.publish("news", each);
    await eventually(() => events.length === 4 && messages.length === 4, "all messages");
    assert.deepEqual(events, ["- text", "- [1,2]", "- \u0016marked\n", "- "]);
    assert.deepEqual(messages, data);
    assert.deepEqual(unexpected, []);
  });

  test("M7: clients subscribe by themselves, where they may, and publish where they may", async () => {
    const { server, topics } = await startProcess({ engine: newEngine(), history: true }, (connection, all) =>
      all.open(connection, {
        authorize: (_, topic) => Promise.resolve(topic !== "secret"),
        publish: (_, topic) => topic === "chat room\n{1}",
      }),
    );
    const link = await open(server);
    const chat = collect(link, "chat room\n{1}");
    const secret = collect(link, "secret");
    await assert.rejects(
      secret.ended,
      (error: unknown) => error instanceof TopicError && error.reason === "forbidden",
    );
    await assert.rejects(publish(link, "news", "x"), TopicError);
    const first = await publish(link, "chat room\n{1}", "hello", { id: "a b" });
    const again = await publish(link, "chat room\n{1}", "hello", { id: "a b" });
    const third = await publish(link, "chat room\n{1}", Uint8Array.of(7));
    assert.deepEqual(
      [first, again, third].map(({ offset, isDuplicate }) => [offset, isDuplicate]),
      [
        [1, false],
        [1, true],
        [2, false],
      ],
    );
    await topics.publish("chat room\n{1}", "from the server");
    await eventually(() => chat.events.length === 3, "all messages");
    assert.deepEqual(chat.events, ["1 hello", "2 [7]", "3 from the server"]);
    assert.equal(chat.raw[0]?.type === "message" && chat.raw[0].epoch, first.epoch);
  });

  test("M7, M2: a persistent client continues from its own position, in another process, and reports no gap", async () => {
    const engine = newEngine();
    const handler = (connection: Connection, topics: Topics): void => topics.open(connection, allowAll);
    const processes = [
      await startProcess({ engine, history: true }, handler),
      await startProcess({ engine, history: true }, handler),
    ];
    let attempt = 0;
    const link = connectPersistent(() => processes[attempt++ % 2]?.server.url ?? "", {
      linkProtocol: true,
      firstDelay: 10,
      maxDelay: 20,
    });
    cleanups.push(() => link.terminate());
    const start = await processes[0]?.topics.publish("t", "start");
    const { events } = collect(link, "t", { epoch: start?.epoch ?? "", offset: 1 });
    const expected: string[] = [];
    for (let round = 0; round < 5; round++) {
      await eventually(() => link.status.state === "open", "a connection");
      for (let index = 0; index < 10; index++) {
        expected.push(`${expected.length + 2} ${round}.${index}`);
        await processes[0]?.topics.publish("t", `${round}.${index}`);
        if (index === 5)
          for (const { server } of processes) for (const each of server.connections) each.terminate();
      }
    }
    await eventually(() => events.length >= expected.length, "all messages");
    assert.deepEqual(events, expected);
  });

  test("M2, M7: what is no longer in the history is a gap, and the rest follows", async () => {
    const { server, topics } = await startProcess(
      { engine: newEngine(), history: { messages: 3 } },
      (connection, all) => all.open(connection, allowAll),
    );
    const published = await Promise.all(
      Array.from({ length: 10 }, (_, index) => topics.publish("t", `${index}`)),
    );
    const epoch = published[0]?.epoch ?? "";
    const link = await open(server);
    const old = collect(link, "t", { epoch, offset: 2 });
    await eventually(() => old.events.length === 4, "the rest");
    assert.deepEqual(old.events, ["gap 2 7", "8 7", "9 8", "10 9"]);
    const foreign = collect(await open(server), "t", { epoch: "other", offset: 10 });
    await eventually(() => foreign.events.length === 4, "the rest");
    assert.deepEqual(foreign.events, ["gap 10 7", "8 7", "9 8", "10 9"]);
    const recent = collect(await open(server), "t", { epoch, offset: 8 });
    await eventually(() => recent.events.length === 2, "the rest");
    assert.deepEqual(recent.events, ["9 8", "10 9"]);
  });

  test("M5: members across processes; watch() reports all at first and then each change", async () => {
    const engine = newEngine();
    const handler = (connection: Connection, topics: Topics) =>
      topics.subscribe(connection, "room", { presence: { path: connection.request.target } });
    const processes = [await startProcess({ engine }, handler), await startProcess({ engine }, handler)];
    const [first, second] = processes.map(({ server }) => server);
    const watched: string[] = [];
    const stop = await processes[0]?.topics.watch("room", ({ version, members, joined, left }) => {
      watched.push(`${version}: ${members.length} members, ${joined.length} joined, ${left.length} left`);
    });
    const ann = await connect(`${first?.url}/ann`);
    await eventually(() => watched.length === 2, "Ann");
    const bob = await connect(`${second?.url}/bob`);
    await eventually(() => watched.length === 3, "Bob");
    const members = (await processes[1]?.topics.presence("room")) ?? [];
    assert.deepEqual(
      new Set(members.map(({ data }) => (data as { path: string }).path)),
      new Set(["/ann", "/bob"]),
    );
    ann.terminate();
    await eventually(() => watched.length === 4, "Ann's leaving");
    stop?.();
    await bob.close();
    await eventually(() => second?.connections.size === 0, "Bob's leaving");
    assert.deepEqual(watched, [
      "1: 0 members, 0 joined, 0 left",
      "2: 1 members, 1 joined, 0 left",
      "3: 2 members, 1 joined, 0 left",
      "4: 1 members, 0 joined, 1 left",
    ]);
  });

  test("M7: subscribe() needs the link protocol, and its loop ends with the connection", async () => {
    const { server } = await startProcess({ engine: newEngine() }, (connection, all) =>
      all.open(connection, allowAll),
    );
    const plain = await open(server, {});
    await assert.rejects(collect(plain, "t").ended, { code: "ERR_HOLDFAST_INVALID_STATE" });
    const link = await open(server);
    const closed = collect(link, "t");
    await publish(link, "t", "one");
    await link.close();
    await closed.ended;
    assert.deepEqual(closed.events, ["- one"]);
    const lost = await open(server);
    const { ended } = collect(lost, "t");
    lost.terminate();
    await assert.rejects(ended, { code: "ERR_HOLDFAST_CLOSED_ERROR" });
  });

  for (const [name, refuses] of [
    ["while it connects", false],
    ["between two attempts", true],
  ] as const) {
    test(`M7: a loop ends quietly if the application ends its persistent connection ${name}`, async () => {
      const silent = createServer((socket) => (refuses ? socket.destroy() : socket.resume()));
      await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
      cleanups.push(() => silent.close());
      const { port } = silent.address() as AddressInfo;
      for (const end of ["close", "terminate"] as const) {
        const link = connectPersistent(`ws://127.0.0.1:${port}`, { session: true });
        const begun = subscribe(link, "t").next();
        await eventually(() => link.status.state === (refuses ? "waiting" : "connecting"), "the state");
        void link[end]();
        assert.deepEqual(await begun, { value: undefined, done: true });
        assert.deepEqual(await subscribe(link, "t").next(), { value: undefined, done: true });
      }
    });
  }

  test("M6, M2: a slow link with catch-up gets every message once and in order, whatever the proxy does", async () => {
    const { server, topics } = await startProcess(
      { engine: newEngine(), history: { messages: 5_000 } },
      (connection, all) => all.subscribe(connection, "t", { slow: "catch-up", limit: 16_384 }),
    );
    const proxy = await FaultProxy.start({ target: { port: server.port } });
    cleanups.push(() => proxy.close());
    const link = await connect(`ws://127.0.0.1:${proxy.port}/`, { linkProtocol: true });
    cleanups.push(() => link.terminate());
    const { events } = collect(link, "t");
    await link.ping();
    await eventually(() => server.connections.size === 1, "the connection");
    await link.ping();
    const data = "x".repeat(4_096);
    for (let index = 0; index < 3_000; index++) void topics.publish("t", `${index} ${data}`);
    await eventually(() => events.length >= 3_000, "all messages");
    assert.deepEqual(
      events.map((event) => event.slice(0, event.indexOf(" x"))),
      Array.from({ length: 3_000 }, (_, index) => `${index + 1} ${index}`),
    );
  });
});
