// `connection.data`: who the client is, from `onRequest` to the handler, also in sessions and topics.

import assert from "node:assert/strict";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { test } from "node:test";
import {
  attach,
  connect,
  connectPersistent,
  serve,
  type ServeOptions,
  type ServerConnection,
} from "../../../build/index.js";
import { createTopics, subscribe, TopicError } from "../../../build/topics.js";
import { eventually, FaultProxy } from "holdfast-testkit";

interface User {
  readonly name: string;
  readonly visits: number;
}

/** Code that the compiler must accept or reject; nothing of it runs. */
export async function typesOfData(
  upgrade: [request: IncomingMessage, socket: Duplex, head: Buffer],
): Promise<void> {
  const user: User = { name: "ada", visits: 1 };

  // Named.
  const server = await serve<User>((connection) => connection.send(connection.data.name), {
    onRequest: async ({ headers }) =>
      headers.has("Cookie")
        ? { data: user, headers: { "X-Room": "7" } }
        : new Response(null, { status: 401 }),
  });
  for (const { data } of server.connections) data.name satisfies string;
  server.handleUpgrade(...upgrade, { data: user });
  // @ts-expect-error -- other data
  server.handleUpgrade(...upgrade, { data: 5 });

  // From the handler's parameter.
  attach(createServer(), ({ data }: ServerConnection<User>) => data.visits, {
    onRequest: () => ({ data: user }),
  });
  // From onRequest, if its parameter has a type or if it has none.
  await serve(({ data }) => data.visits.toFixed(), { onRequest: () => ({ data: user }) });

  // A handler may refer to its own server.
  const own = await serve(
    (connection) =>
      connection.forEach((message) => own.broadcast(`${connection.data.name}: ${String(message)}`)),
    { onRequest: () => ({ data: user }) },
  );
  const attached = attach(createServer(), (connection) => attached.broadcast(connection.id));

  // Without a type, it is unknown, and optional.
  // @ts-expect-error -- not known
  await serve(({ data }) => data satisfies User);
  await serve(() => undefined, {
    onRequest: ({ isUpgrade }) => (isUpgrade ? undefined : new Response("ok")),
  });
  await serve<User | undefined>(({ data }) => data?.name, { onRequest: () => undefined });

  // @ts-expect-error -- the handler relies on data
  await serve<User>(({ data }) => data.name, { onRequest: () => undefined });
  // @ts-expect-error -- the handler relies on data
  await serve<User>(({ data }) => data.name, { onRequest: () => ({ headers: {} }) });
  // @ts-expect-error -- other data
  await serve<User>(({ data }) => data.name, { onRequest: () => ({ data: { name: "ada" } }) });
  // @ts-expect-error -- two types
  await serve(({ data }: ServerConnection<User>) => data, { onRequest: () => ({ data: "ada" }) });

  const topics = createTopics();
  await serve<User>((connection) =>
    topics.open(connection, { authorize: ({ data }, topic) => topic === data.name }),
  );
}

test("G2: data of any kind reaches the handler as the same object, with serve() and with attach()", async () => {
  const user: User = { name: "ada", visits: 1 };
  const seen: User[] = [];
  const onRequest = async (): Promise<{ data: User }> => ({ data: user });
  const handler = ({ data }: ServerConnection<User>): void => void seen.push(data);
  const httpServer = createServer();
  await new Promise<void>((resolve) => httpServer.listen(0, "127.0.0.1", resolve));
  await using attached = attach(httpServer, handler, { onRequest });
  await using server = await serve(handler, { host: "127.0.0.1", onRequest });
  const { port } = httpServer.address() as AddressInfo;
  for (const url of [`ws://127.0.0.1:${port}`, server.url]) await (await connect(url)).close();
  assert.deepEqual([seen.length, seen[0] === user, seen[1] === user], [2, true, true]);
  await attached.close();
  httpServer.close();
});

const sessions: ServeOptions["sessions"] = { retain: 60_000 };

test("L5: onRequest runs for each socket of a session, and `data` is that of the newest one", async () => {
  let visits = 0;
  const handled: ServerConnection<User>[] = [];
  await using server = await serve<User>((connection) => void handled.push(connection), {
    host: "127.0.0.1",
    sessions,
    onRequest: () => ({ data: { name: "ada", visits: ++visits } }),
  });
  await using proxy = await FaultProxy.start({ target: { port: server.port } });
  await using link = connectPersistent(proxy.url("ws"), { session: true, firstDelay: 0 });
  await link.send("one");
  const [connection] = handled;
  assert.equal(await connection.recv(), "one");
  assert.deepEqual(connection.data, { name: "ada", visits: 1 });
  for (const expected of [2, 3]) {
    proxy.cut({ kind: "rst" });
    await link.send(`again`);
    assert.equal(await connection.recv(), "again");
    assert.deepEqual(connection.data, { name: "ada", visits: expected });
  }
  assert.equal(handled.length, 1);
  await link.close();
});

test("L5: a socket that onRequest refuses changes no data, and one accepted without data leaves none", async () => {
  const answers = [{ data: "first" }, new Response("no", { status: 503 }), undefined];
  const handled: ServerConnection[] = [];
  await using server = await serve<string | undefined>((connection) => void handled.push(connection), {
    host: "127.0.0.1",
    sessions,
    onRequest: () => answers.shift(),
  });
  await using proxy = await FaultProxy.start({ target: { port: server.port } });
  await using link = connectPersistent(proxy.url("ws"), { session: true, firstDelay: 0, minDelay: 0 });
  await link.send("one");
  const [connection] = handled;
  await connection.recv();
  const seen: unknown[] = [];
  connection.on("detached", () => seen.push(connection.data));
  connection.on("resumed", () => seen.push(connection.data));
  proxy.cut({ kind: "rst" });
  await link.send("two");
  assert.equal(await connection.recv(), "two");
  await eventually(() => seen.length === 2, "the session to resume");
  assert.deepEqual(seen, ["first", undefined]);
  await link.close();
});

test("M7: `authorize` sees the connection with its data, and with a session that of the newest socket", async () => {
  const rights = [["news"], ["news", "sport"]];
  const topics = createTopics();
  await using server = await serve<readonly string[]>(
    (connection) => topics.open(connection, { authorize: ({ data }, topic) => data.includes(topic) }),
    { host: "127.0.0.1", sessions, onRequest: () => ({ data: rights.shift() ?? [] }) },
  );
  await using proxy = await FaultProxy.start({ target: { port: server.port } });
  await using link = connectPersistent(proxy.url("ws"), { session: true, firstDelay: 0 });
  /** Receives the first message of the topic, or is refused. */
  const follow = async (topic: string): Promise<unknown> => {
    const events = subscribe(link, topic);
    const first = events.next();
    let isDecided = false;
    const decided = first.finally(() => (isDecided = true));
    decided.catch(() => undefined);
    while (!isDecided) {
      await topics.publish(topic, "hello");
      await new Promise((resolve) => setImmediate(resolve));
    }
    try {
      return (await decided).value?.type;
    } catch (error) {
      return error instanceof TopicError ? error.reason : error;
    } finally {
      await events.return?.();
    }
  };
  assert.deepEqual([await follow("news"), await follow("sport")], ["message", "forbidden"]);
  proxy.cut({ kind: "rst" });
  await link.send("anything", { until: "delivered" }); // On the next socket.
  assert.equal(await follow("sport"), "message");
  await link.close();
  await topics.close();
});
