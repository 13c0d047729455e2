import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import {
  Client,
  connect,
  connectInWorker,
  connectPersistent,
  reconnect,
  serve,
  type Connection,
} from "holdfast";
import { publish } from "holdfast/topics";
import { eventually } from "holdfast-testkit";

/** Returns the error of `call`; its stack must name this function. */
async function failing(call: () => Promise<unknown>): Promise<Error> {
  async function theCaller() {
    await call();
  }
  try {
    await theCaller();
  } catch (error) {
    assert.ok(error instanceof Error);
    return error;
  }
  assert.fail("it did not fail");
}

const openPair = async (): Promise<{
  connection: Connection;
  close: () => Promise<void>;
  drop: () => void;
}> => {
  const server = await serve(() => undefined, { autoPong: false, pingInterval: null });
  const connection = await connect(`${server.url}/a?token=secret`, { pingInterval: null });
  const drop = () => {
    for (const other of server.connections) other.terminate();
  };
  return { connection, drop, close: () => server.close() };
};

describe("stacks", () => {
  const calls: [string, (connection: Connection) => Promise<unknown>][] = [
    ["recv()", (connection) => connection.recv()],
    ["recv({ timeout })", (connection) => connection.recv({ timeout: 10 })],
    ["ping()", (connection) => connection.ping()],
    ["ping({ timeout })", (connection) => connection.ping(null, { timeout: 10 })],
    [
      "for await",
      async (connection) => {
        for await (const _ of connection);
      },
    ],
  ];
  for (const [name, call] of calls) {
    test(`J3: the error of ${name} names its caller`, async () => {
      const { connection, drop, close } = await openPair();
      if (!name.includes("timeout")) setImmediate(drop);
      const { stack = "", name: errorName, message } = await failing(() => call(connection));
      assert.match(stack, /at async theCaller/);
      assert.ok(stack.startsWith(`${errorName}: ${message}\n    at async `), stack);
      connection.terminate();
      await close();
    });
  }

  for (const [name, call] of [
    ["ping()", (connection: Connection) => connection.ping()],
    ["send()", (connection: Connection) => connection.send("late")],
  ] as const) {
    test(`J3: the error of ${name} after the end names its caller`, async () => {
      const { connection, close } = await openPair();
      connection.terminate();
      const { stack } = await failing(() => call(connection));
      assert.match(stack ?? "", /at async theCaller/);
      await close();
    });
  }

  test("J3: the error of a send() that waits for the peer names its caller", async () => {
    await using server = await serve((connection) => connection.closed, { maxQueue: 1, pingInterval: null });
    const connection = await connect(server.url, { pingInterval: null, writeLimit: 1024 });
    const flooding = failing(async () => {
      for (;;) await connection.send(new Uint8Array(100_000));
    });
    await eventually(() => connection.bufferedAmount >= 1024, "the peer makes it wait", 30_000);
    setTimeout(() => connection.terminate(), 50);
    const { stack } = await flooding;
    assert.match(stack ?? "", /at async theCaller/);
  });

  test("J3: the error of a recvStream() loop names its caller", async () => {
    const { connection, drop, close } = await openPair();
    setImmediate(drop);
    const { stack } = await failing(async () => {
      for await (const _ of connection.recvStream());
    });
    assert.match(stack ?? "", /at async theCaller/);
    await close();
  });

  test("J3: the error of a reconnect() loop names its caller", async () => {
    const { stack } = await failing(async () => {
      for await (const _ of reconnect("ws://127.0.0.1:1", { retryable: () => false }));
    });
    assert.match(stack ?? "", /at async theCaller/);
  });

  test("J3: the error of a message that expires in the queue names its caller", async () => {
    const link = connectPersistent("ws://127.0.0.1:1", { timeToLive: 10 });
    const { stack, name } = await failing(() => link.send("late"));
    assert.equal(name, "NotSentError");
    assert.match(stack ?? "", /at async theCaller/);
    link.terminate();
  });

  for (const [name, open] of [
    ["connect()", connect],
    ["connectInWorker()", connectInWorker],
  ] as const) {
    test(`J3: the error of ${name} names its caller`, async () => {
      const { stack } = await failing(() => open("ws://127.0.0.1:1"));
      assert.match(stack ?? "", /at async theCaller/);
    });
  }

  test("J3: the error of publish() names its caller", async () => {
    await using server = await serve((connection) => connection.closed);
    const connection = await connect(server.url, { linkProtocol: true });
    setImmediate(() => connection.terminate());
    const { stack } = await failing(() => publish(connection, "topic", "data"));
    assert.match(stack ?? "", /at async theCaller/);
  });

  test("J3: the end of a connection has one error, which names all waiting callers", async () => {
    const { connection, drop, close } = await openPair();
    async function reader() {
      await connection.recv();
    }
    async function pinger() {
      await connection.ping();
    }
    const settled = Promise.allSettled([reader(), pinger()]);
    drop();
    const [read, pinged] = await settled;
    assert.ok(read.status === "rejected" && pinged.status === "rejected");
    assert.equal(read.reason, pinged.reason);
    assert.equal(read.reason, connection.signal.reason);
    assert.match((read.reason as Error).stack ?? "", /at async reader/);
    assert.match((read.reason as Error).stack ?? "", /at async pinger/);
    await close();
  });

  test("J3: the error of an end that a thousand callers wait for names about ten of them, the first one among them", async () => {
    const { connection, drop, close } = await openPair();
    async function theFirst() {
      await connection.ping();
    }
    const first = theFirst();
    const others = Promise.all(Array.from({ length: 1_000 }, () => connection.ping()));
    const settled = Promise.allSettled([first, others]);
    drop();
    await settled;
    const { stack = "", name, message } = connection.signal.reason as Error;
    assert.ok(stack.startsWith(`${name}: ${message}\n    at async theFirst`), stack);
    const lines = stack.split("\n").length;
    assert.ok(lines >= 10 && lines < 30, stack); // A caller has a few lines.
    await close();
  });
});

describe("inspection", () => {
  test("J3: inspect() shows a connection, a server, a client and an end in one line, without a query", async () => {
    const server = await serve(() => undefined, { pingInterval: null });
    const connection = await connect(`${server.url}/a?token=secret`, { pingInterval: null });
    const link = connectPersistent(`${server.url}/a?token=secret`, { pingInterval: null });
    await eventually(() => link.status.state === "open", "it is open", 30_000);
    const { id } = connection;
    const url = `${server.url}/a?…`;
    assert.equal(
      inspect(connection),
      `Connection { id: "${id}", url: "${url}", state: "open", latency: null }`,
    );
    assert.equal(inspect(server), `Server { url: "${server.url}", connections: 2 }`);
    assert.equal(
      inspect(link),
      `PersistentConnection { state: "open", url: "${url}", queued: {"messages":0,"bytes":0}, latency: null }`,
    );
    assert.equal(inspect(new Client(url)), 'Client { state: "closed", latency: null }');
    const info = await connection.close();
    const line =
      'CloseInfo { code: 1000, cause: "local-close", initiator: "local", ok: true, message: "sent 1000 (OK); then received 1000 (OK)" }';
    assert.equal(inspect(info), line);
    assert.deepEqual({ ...info }, info);
    await link.close();
    await server.close();
  });

  test("J3: inspect() shows a Proxy, and an object that only inherits, whose private fields cannot be read", async () => {
    await using server = await serve(() => undefined);
    const connection = await connect(server.url);
    assert.equal(inspect(new Proxy(connection, {})), "[Connection]");
    assert.equal(inspect(Object.create(connection)), "[Connection]");
    connection.terminate();
  });

  test("J3: inspect() shows the error of an end in a few lines", async () => {
    const { connection, drop, close } = await openPair();
    setImmediate(drop);
    const text = inspect(await failing(() => connection.recv()));
    assert.ok(text.split("\n").length <= 12, text);
    assert.match(text, /info: CloseInfo \{ code: 1006/);
    await close();
  });
});
