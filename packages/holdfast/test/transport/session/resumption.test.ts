import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { serve, type Connection } from "../../../build/index.js";
import { eventually } from "holdfast-testkit";
import { keepOpen, next, receive, SessionPair } from "./session-pair.js";

describe("A session and its sockets", { timeout: 300_000 }, () => {
  test("L1: both ends see one connection over many sockets: one handler, one `onOpen`, one id", async () => {
    let opened = 0;
    await using pair = await SessionPair.open({ client: { onOpen: () => ++opened } });
    const { id } = pair.client.session ?? {};
    for (let cut = 0; cut < 3; cut++) {
      await pair.cut(cut === 1 ? "fin" : "rst");
      await pair.reconnect();
    }
    assert.equal(pair.connections.length, 1);
    assert.equal(opened, 1);
    assert.deepEqual([pair.client.session?.id, pair.connection.session?.id], [id, id]);
    assert.equal(pair.server.connections.size, 1);
  });

  test("L1: messages sent without a socket, at both ends, arrive in order before later ones", async () => {
    await using pair = await SessionPair.open();
    await pair.client.send("c1");
    assert.deepEqual(await receive(pair.connection, 1), ["c1"]);
    await pair.cut();
    const fromServer = ["s1", new Uint8Array([1, 2]), "s3"];
    for (const message of fromServer) await pair.connection.send(message);
    const sends = ["c2", "c3"].map((text) => pair.client.send(text));
    await pair.reconnect();
    await Promise.all(sends);
    await pair.connection.send("s4");
    await pair.client.send("c4");
    assert.deepEqual(await receive(pair.client, 4), [...fromServer, "s4"]);
    assert.deepEqual(await receive(pair.connection, 3), ["c2", "c3", "c4"]);
  });

  test("L1: bytes are kept as they were when they were sent, and so are those of a broadcast", async () => {
    await using pair = await SessionPair.open();
    await pair.cut();
    const bytes = new Uint8Array([7, 7]);
    await pair.connection.send(bytes);
    pair.server.broadcast(bytes);
    bytes.fill(0);
    await pair.reconnect();
    assert.deepEqual(await receive(pair.client, 2), [new Uint8Array([7, 7]), new Uint8Array([7, 7])]);
  });

  test("L1: messages that were received and not read when the socket died are read afterwards, once", async () => {
    await using pair = await SessionPair.open();
    for (const text of ["c1", "c2", "c3"]) await pair.client.send(text, { until: "delivered" });
    await pair.connection.send("s1", { until: "delivered" });
    await pair.connection.send("s2", { until: "delivered" });
    await pair.cut();
    assert.deepEqual(await receive(pair.connection, 1), ["c1"]);
    await pair.reconnect();
    await pair.client.send("c4");
    await pair.connection.send("s3");
    assert.deepEqual(await receive(pair.connection, 3), ["c2", "c3", "c4"]);
    assert.deepEqual(await receive(pair.client, 3), ["s1", "s2", "s3"]);
  });

  test("L3: both ends report `detached` with the end of the socket, then `resumed` with what is sent again", async () => {
    await using pair = await SessionPair.open();
    const events: string[] = [];
    for (const [who, end] of [
      ["client", pair.client as unknown as Connection],
      ["server", pair.connection],
    ] as const) {
      end.on("detached", ({ info }) => events.push(`${who} detached ${info.cause}`));
      end.on("lost", ({ reason }) => events.push(`${who} lost ${reason}`));
      end.on("resumed", (event) => events.push(`${who} resumed ${"gap" in event}`));
    }
    await pair.cut();
    await eventually(() => events.length === 2, "both events");
    assert.deepEqual(events.splice(0).sort(), ["client detached reset", "server detached reset"]);
    const resumed = [next(pair.client, "resumed"), next(pair.connection, "resumed")];
    await pair.connection.send("s1");
    await pair.connection.send("s2");
    await pair.reconnect();
    const [atClient, atServer] = await Promise.all(resumed);
    assert.deepEqual([atClient["replayedIn"], atClient["replayedOut"]], [2, 0]);
    assert.deepEqual([atServer["replayedIn"], atServer["replayedOut"]], [0, 2]);
    assert.ok((atServer["gap"] as number) >= 0 && atServer["duration"] === atServer["gap"]);
    assert.deepEqual(events.sort(), ["client resumed true", "server resumed true"]);
  });

  test("L3: `session.position` counts what the application took: within forEach(), the message that it handles", async () => {
    const positions: (number | undefined)[] = [];
    await using pair = await SessionPair.open({
      handler: (connection) =>
        connection.forEach(async () => {
          await nextTurn(); // Others arrive meanwhile.
          positions.push(connection.session?.position);
        }),
    });
    for (const text of ["1", "2", "3"]) void pair.client.send(text);
    await eventually(() => positions.length === 3, "the messages");
    await pair.cut();
    await pair.reconnect();
    await pair.client.send("4");
    await eventually(() => positions.length === 4, "the message");
    assert.deepEqual(positions, [1, 2, 3, 4]);
  });

  test("L3: a connection without a socket stays open, and describes the last socket", async () => {
    await using pair = await SessionPair.open();
    const { connection } = pair;
    await connection.ping();
    const { remoteAddress, latency } = connection;
    let isClosed = false;
    void connection.closed.then(() => (isClosed = true));
    await pair.cut();
    assert.deepEqual(connection.remoteAddress, remoteAddress);
    assert.equal(connection.latency, latency);
    assert.equal(connection.state, "open");
    assert.equal(connection.signal.aborted, false);
    assert.equal(isClosed, false);
    await assert.rejects(connection.ping(), { name: "InvalidStateError" });
    await pair.reconnect();
    assert.ok((await connection.ping()) >= 0);
    assert.notDeepEqual(connection.remoteAddress, remoteAddress);
    assert.equal(isClosed, false);
  });

  test("L1 J2: `traffic` counts the messages and the bytes of all sockets", async () => {
    await using pair = await SessionPair.open({
      handler: (connection) => connection.forEach((message) => connection.send(message)),
    });
    const { connection } = pair;
    const text = "x".repeat(10_000);
    for (let socket = 1; socket <= 3; socket++) {
      await pair.client.send(text);
      assert.equal(await pair.client.recv(), text);
      for (const traffic of [connection.traffic, (await cutAndReconnect(pair)).traffic]) {
        const { bytesReceived, bytesSent, ...messages } = traffic;
        assert.deepEqual(messages, { messagesReceived: socket, messagesSent: socket });
        assert.ok(bytesReceived > socket * text.length, `${bytesReceived} bytes received`);
        assert.ok(bytesSent > socket * text.length, `${bytesSent} bytes sent`);
        assert.ok(bytesReceived < (socket + 1) * text.length, `${bytesReceived} bytes received`);
      }
    }
    const before = connection.traffic;
    await pair.client.close();
    const { bytesReceived, bytesSent } = (await connection.closed).evidence;
    assert.ok(bytesReceived >= before.bytesReceived && bytesSent >= before.bytesSent);
  });

  test("L1 E4: messages that a dying socket held back do not overrun a full inbox, and are sent again", async () => {
    await using pair = await SessionPair.open({ server: { maxQueue: { messages: 10, bytes: 100_000 } } });
    const { connection } = pair;
    const isFull = new Promise<void>((resolve) => connection.on("paused", () => resolve()));
    const texts = Array.from({ length: 200 }, (_, index) => `${index} ${"x".repeat(100)}`);
    for (const text of texts) void pair.client.send(text);
    await isFull;
    const { messagesReceived } = connection.traffic;
    // A server that does not read notices a cut when it writes.
    const writing = setInterval(() => void connection.send("s").catch(() => undefined), 20);
    await pair.cut();
    clearInterval(writing);
    assert.equal(connection.traffic.messagesReceived, messagesReceived);
    await pair.reconnect();
    assert.deepEqual(await receive(connection, texts.length), texts);
    await pair.client.send("last");
    assert.deepEqual(await receive(connection, 1), ["last"]);
  });

  test("L6: a session that a client does not resume within `retain` is lost at the server, with SessionLostError", async () => {
    await using pair = await SessionPair.open({ server: { sessions: { retain: 60 } } });
    const lost = next(pair.connection, "lost");
    await pair.connection.send("never confirmed by a socket").catch(() => undefined);
    await pair.cut();
    await pair.connection.send("s2");
    assert.equal((await lost)["reason"], "expired");
    const { error } = await pair.connection.closed;
    assert.equal(error?.name, "SessionLostError");
    const atClient = next(pair.client, "lost");
    await pair.proxy.accept("forward");
    assert.equal((await atClient)["reason"], "expired");
    await eventually(() => pair.connections.length === 2, "a fresh session");
  });

  test("L6: a server that restarted without a store answers `lost unknown`, once, and the client continues", async () => {
    let opened = 0;
    await using pair = await SessionPair.open({ client: { onOpen: () => ++opened } });
    const losses: string[] = [];
    pair.client.on("lost", ({ reason }) => losses.push(reason));
    const { id } = pair.client.session ?? {};
    await pair.cut();
    const send = pair.client.send("waits");
    const { port } = pair.server;
    for (const connection of pair.connections) connection.terminate();
    await pair.server.close();
    const received: unknown[] = [];
    const successor = await serve(
      async (connection) => {
        received.push(await connection.recv());
        await keepOpen(connection);
      },
      { host: "127.0.0.1", port, sessions: true },
    );
    try {
      await pair.proxy.accept("forward");
      await send;
      await eventually(() => received.length === 1, "the message");
      assert.deepEqual([received, losses, opened], [["waits"], ["unknown"], 2]);
      assert.notEqual(pair.client.session?.id, id);
    } finally {
      pair.client.terminate();
      await successor.close();
    }
  });
});

async function cutAndReconnect(pair: SessionPair): Promise<Connection> {
  await pair.cut();
  await pair.reconnect();
  return pair.connection;
}
