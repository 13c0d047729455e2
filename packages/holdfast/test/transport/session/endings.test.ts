import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connectPersistent, NotSentError, type CloseInfo, type Connection } from "../../../build/index.js";
import { eventually, RawServer, withTimeout, type RawServerPeer } from "holdfast-testkit";
import { hear, next, receive, say, SessionPair } from "./session-pair.js";

/** Fails the test if either end reports a loss. */
function forbidLoss(pair: SessionPair): string[] {
  const losses: string[] = [];
  pair.client.on("lost", ({ reason }) => losses.push(`client ${reason}`));
  pair.connection.on("lost", ({ reason }) => losses.push(`server ${reason}`));
  return losses;
}

/** Ways to wait for the peer's ack, with a message of that many characters. */
const AWAITED: readonly [string, (size: number) => string | string[]][] = [
  ["an iterable is sent", (size) => ["a", "b".repeat(size)]],
  ["a message is delivered", (size) => "b".repeat(size)],
];
const TOO_BIG = 2_000;

/** Half of it is how long a reader may hold back the answer to a Close. */
const UNHURRIED = { closeTimeout: 120_000 };

/** The outcome of a message that was not sent. */
async function awaited(connection: Connection, data: string | string[]): Promise<string> {
  const sent =
    typeof data === "string" ? connection.send(data, { until: "delivered" }) : connection.send(data);
  return sent.then(
    () => "sent",
    (error: unknown) => (error instanceof NotSentError ? `${error.reason} ${error.outcome}` : String(error)),
  );
}

function endOfSocket({ client }: SessionPair): Promise<CloseInfo> {
  return new Promise((resolve) => client.on("disconnected", ({ info }) => resolve(info)));
}

describe("The end of a session", { timeout: 300_000 }, () => {
  test("L3: close() of the client ends the session at both ends, after the messages sent before", async () => {
    await using pair = await SessionPair.open();
    const losses = forbidLoss(pair);
    const delivered = pair.client.send("last", { until: "delivered" });
    const closing = pair.client.close();
    assert.equal(await pair.connection.recv(), "last");
    const [atClient, atServer] = await Promise.all([closing, pair.connection.closed]);
    await delivered;
    assert.deepEqual([atClient.code, atClient.ok, atServer.code, atServer.ok], [1000, true, 1000, true]);
    await eventually(() => pair.server.connections.size === 0, "the end at the server");
    assert.deepEqual(losses, []);
  });

  test("L3: close() of the server's connection ends the session at both ends, after the messages sent before", async () => {
    await using pair = await SessionPair.open();
    const losses = forbidLoss(pair);
    const delivered = pair.connection.send("last", { until: "delivered" });
    const disconnected = new Promise<number | null>((resolve) =>
      pair.client.on("disconnected", ({ info }) => resolve(info.code)),
    );
    const { code, ok } = await pair.connection.close();
    assert.deepEqual([code, ok], [1000, true]);
    await delivered;
    assert.equal(await pair.client.recv(), "last");
    assert.equal(await disconnected, 1000);
    assert.deepEqual(losses, []);
  });

  for (const [how, data] of AWAITED)
    for (const isRefused of [false, true]) {
      const why = isRefused ? "that refuses the message" : "that closes meanwhile";

      test(`L3: a handler that waits until ${how} to a client ${why} does not hold back the answer to the Close`, async () => {
        const sends: Promise<string>[] = [];
        const handler = (connection: Connection): Promise<CloseInfo> =>
          connection.forEach(() => {
            const sent = awaited(connection, data(isRefused ? TOO_BIG : 1));
            sends.push(
              sent,
              sent.then(() => awaited(connection, "after that")),
            );
            return Promise.all(sends);
          });
        const limits = { maxMessageSize: 1_000 };
        await using pair = await SessionPair.open({ handler, server: UNHURRIED, client: limits });
        const disconnected = endOfSocket(pair);
        await pair.client.send("go");
        if (!isRefused) void pair.client.close();
        assert.equal((await withTimeout(disconnected, 20_000, "the answer")).code, isRefused ? 1009 : 1000);
        for (const outcome of await Promise.all(sends))
          assert.match(outcome, /^session-lost (unsent|unknown)$/);
      });
    }

  test("L3: an `onOpen` that waits until a refused message is delivered does not hold back the answer to the Close", async () => {
    const sends: Promise<string>[] = [];
    const onOpen = (connection: Connection): Promise<unknown> => {
      sends.push(awaited(connection, "b".repeat(TOO_BIG)));
      return sends[0];
    };
    await using pair = await SessionPair.begin({
      handler: (connection) => connection.forEach(() => undefined),
      server: { maxMessageSize: 1_000, logger: null },
      client: { ...UNHURRIED, onOpen },
    });
    const { code } = await withTimeout(endOfSocket(pair), 20_000, "the answer");
    assert.deepEqual([code, await sends[0]], [1009, "session-lost unknown"]);
  });

  test("L3: close() with a full window sends what waits, and then the Close", async () => {
    await using pair = await SessionPair.open({
      client: { session: { window: { messages: 4, bytes: 1024 * 1024 } } },
    });
    const losses = forbidLoss(pair);
    const texts = Array.from({ length: 30 }, (_, index) => `m${index}`);
    const sends = texts.map((text) => pair.client.send(text));
    const closing = pair.client.close();
    assert.deepEqual(await receive(pair.connection, 30), texts);
    assert.equal((await closing).code, 1000);
    await Promise.all(sends);
    assert.deepEqual(losses, []);
  });

  test("L3: close() of the server's connection with a full window sends what waits, and then the Close", async () => {
    await using pair = await SessionPair.open();
    pair.proxy.freeze("toServer"); // No ack arrives.
    const texts = Array.from({ length: 1_100 }, (_, index) => `m${index}`);
    for (const text of texts) void pair.connection.send(text);
    const closing = pair.connection.close();
    assert.equal((await receive(pair.client, 1_024)).length, 1_024);
    pair.proxy.thaw();
    assert.deepEqual(await receive(pair.client, 76), texts.slice(1_024));
    assert.equal((await closing).code, 1000);
  });

  test("L3: close() without a socket ends this end at once; the other one hears of it when it asks, or expires", async () => {
    await using pair = await SessionPair.open();
    const { connection } = pair;
    await pair.cut();
    const lost = next(pair.client, "lost");
    await withTimeout(connection.close(), 30_000, "the end of the server's connection");
    assert.equal(pair.server.connections.size, 0);
    await pair.proxy.accept("forward");
    assert.equal((await lost)["reason"], "unknown");
    await eventually(() => pair.connections.length === 2, "a fresh session");
    await pair.cut().catch(() => undefined);
    await eventually(() => pair.client.session?.isAttached === false, "the end of the socket");
    await withTimeout(pair.client.close(), 30_000, "the end of the client");
    assert.equal(pair.connections[1].state, "open");
  });

  test("L3: messages without a socket are reported when the client closes: as unsent, or as unknown", async () => {
    await using pair = await SessionPair.open();
    pair.proxy.blackhole("toServer");
    const unknown = pair.client.send("may have arrived", { until: "delivered" });
    await pair.client.send("on its way");
    await pair.cut();
    const unsent = pair.client.send("never sent");
    const lost = next(pair.client, "lost");
    pair.client.terminate();
    const outcomes = [unknown, unsent].map((send) =>
      send.then(
        () => "sent",
        (error: unknown) => (error instanceof NotSentError ? error.outcome : String(error)),
      ),
    );
    assert.deepEqual(await Promise.all(outcomes), ["unknown", "unsent"]);
    const { unsent: unsentCount, unknown: unknownCount } = await lost;
    assert.deepEqual([unsentCount, unknownCount], [0, 2]);
  });

  for (const isAttached of [true, false]) {
    test(`L6: a server that closes without saving its sessions reports each as lost, ${isAttached ? "with" : "without"} a socket`, async () => {
      await using pair = await SessionPair.open();
      const { connection, server } = pair;
      const lost: unknown[] = [];
      connection.on("lost", (event) => lost.push(event));
      pair.proxy.freeze("toServer"); // Nothing is confirmed.
      const sent = connection.send("m", { until: "delivered" });
      const rejected = assert.rejects(sent, { reason: "session-lost", outcome: "unknown" });
      if (!isAttached) await pair.cut();
      await server.close({ timeout: 1_000 });
      await rejected;
      assert.deepEqual(lost, [{ reason: "unknown", unsent: 0, unknown: 1 }]);
      assert.equal((await connection.closed).cause, "server-shutdown");
    });
  }

  test("L6: close() of a server with a code that ends sessions is no loss", async () => {
    await using pair = await SessionPair.open();
    const lost: unknown[] = [];
    pair.connection.on("lost", (event) => lost.push(event));
    await pair.server.close({ code: 1000 });
    assert.deepEqual(lost, []);
  });

  test("L3: terminate() of the server's connection ends the session", async () => {
    await using pair = await SessionPair.open();
    const lost = next(pair.client, "lost");
    pair.connection.terminate();
    assert.equal((await pair.connection.closed).cause, "aborted");
    assert.equal((await lost)["reason"], "unknown");
    assert.ok(pair.server.connections.size <= 1);
  });

  test("L3: a client whose server does not answer `open` can be closed, and fails the attempt after `openTimeout`", async () => {
    await using server = await RawServer.start();
    const client = connectPersistent(`ws://127.0.0.1:${server.port}`, {
      session: true,
      openTimeout: 1_500,
      firstDelay: 5,
      maxDelay: 5,
    });
    const peer = await server.nextPeer();
    await peer.acceptUpgrade({ headers: { "Sec-WebSocket-Protocol": "holdfast.v2" } });
    assert.equal(await hear(peer), "\u0016open");
    const failure = new Promise<string>((resolve) =>
      client.on("disconnected", ({ error }) => resolve(error.message)),
    );
    assert.match(await failure, /answer for the session within 1500 ms/);
    const second = await server.nextPeer();
    await second.acceptUpgrade({ headers: { "Sec-WebSocket-Protocol": "holdfast.v2" } });
    assert.equal(await hear(second), "\u0016open");
    const send = client.send("waits").catch((error: unknown) => error);
    const closing = client.close();
    assert.match(await hear(second), /^Close 1000/);
    second.sendClose(1000);
    second.end();
    await closing;
    assert.ok((await send) instanceof NotSentError);
  });

  test("L4: a client that hears `moved` reports it, and begins a session of its own", async () => {
    await using server = await RawServer.start();
    const client = connectPersistent(`ws://127.0.0.1:${server.port}`, {
      session: true,
      firstDelay: 5,
      maxDelay: 5,
    });
    const peer = await server.nextPeer();
    await peer.acceptUpgrade({ headers: { "Sec-WebSocket-Protocol": "holdfast.v2" } });
    assert.equal(await hear(peer), "\u0016open");
    const lost = next(client, "lost");
    say(peer, "session abcdefghijkl ABCDEFGHIJKLMNOPQRST_0 2klc sg");
    say(peer, "moved");
    peer.sendClose(1008, "moved");
    assert.equal((await lost)["reason"], "moved");
    await hear(peer);
    peer.end();
    client.terminate();
  });

  test("L2: a client fails the socket with 1002 if a message passes the last position, and delivers nothing of it", async () => {
    await using server = await RawServer.start();
    const client = connectPersistent(`ws://127.0.0.1:${server.port}`, { session: true, pingInterval: null });
    const received: unknown[] = [];
    void client.forEach((message) => received.push(message)).catch(() => undefined);
    const peer = await server.nextPeer();
    await peer.acceptUpgrade({ headers: { "Sec-WebSocket-Protocol": "holdfast.v2" } });
    await hear(peer);
    say(peer, "session abcdefghijkl ABCDEFGHIJKLMNOPQRST_0 2klc sg");
    say(peer, `skip ${Number.MAX_SAFE_INTEGER.toString(36)}`);
    peer.sendText("beyond");
    for (let heard = ""; !heard.startsWith("Close 1002 "); heard = await hear(peer))
      assert.notEqual(heard, `\u0016ack ${(2 ** 53).toString(36)}`);
    assert.deepEqual(received, []);
    client.terminate();
  });

  test("L4: a client that hears `moved` in answer to `resume` keeps its session, whenever the Close arrives", async () => {
    await using server = await RawServer.start();
    const client = connectPersistent(`ws://127.0.0.1:${server.port}`, {
      session: true,
      minDelay: 0,
      firstDelay: 5,
      maxDelay: 5,
      pingInterval: null,
    });
    const accept = async (): Promise<[RawServerPeer, string]> => {
      const peer = await server.nextPeer();
      await peer.acceptUpgrade({ headers: { "Sec-WebSocket-Protocol": "holdfast.v2" } });
      return [peer, await hear(peer)];
    };
    const [first] = await accept();
    say(first, "session abcdefghijkl ABCDEFGHIJKLMNOPQRST_0 2klc sg");
    await eventually(() => client.session !== null, "the session");
    const lost: unknown[] = [];
    client.on("lost", (event) => lost.push(event));
    first.end();
    const [second] = await accept();
    say(second, "moved");
    second.sendPing("x");
    assert.equal((await second.readFrame()).opcode, 10); // It has read `moved`, and waits.
    second.sendClose(1008, "moved");
    assert.match(await hear(second), /^Close 1008/);
    second.end();
    const [third, word] = await accept();
    assert.equal(word, "\u0016resume abcdefghijkl ABCDEFGHIJKLMNOPQRST_0 0 1 1");
    const resumed = next(client, "resumed");
    say(third, "resumed 0");
    say(third, "replay 0");
    await resumed;
    assert.deepEqual(lost, []);
    client.terminate();
  });

  for (const end of ["close", "terminate"] as const) {
    for (const event of ["detached", "lost"] as const) {
      test(`L3: ${end}() of the client within "${event}" ends it for good, with one last status`, async () => {
        await using pair = await SessionPair.open();
        const { client } = pair;
        const states: string[] = [];
        client.on("status", ({ state }) => states.push(state));
        client.on(event, () => void client[end]());
        if (event === "detached") pair.proxy.cut({ kind: "rst" });
        else await pair.connection.close(4444);
        await client.closed;
        await new Promise((resolve) => setTimeout(resolve, 20)); // Longer than the delay of an attempt.
        assert.equal(client.status.state, "closed");
        assert.deepEqual(states, ["closed"]);
        assert.equal(pair.connections.length, 1);
      });
    }
  }
});
