import assert from "node:assert/strict";
import { test } from "node:test";
import { serve, type Connection } from "../../../build/index.js";
import { eventually, RawClient } from "holdfast-testkit";
import { hearWords, keepOpen, say, upgradeToSessions } from "./session-pair.js";

test(
  "L6: full sessions without a socket stay within `memory`: the longest-detached are evicted first",
  { timeout: 60_000 },
  async () => {
    const memory = 1024 * 1024;
    const connections: Connection[] = [];
    const server = await serve(
      async (connection) => {
        connections.push(connection);
        await keepOpen(connection);
      },
      { host: "127.0.0.1", sessions: { memory } },
    );
    const tickets: string[][] = [];
    for (let index = 0; index < 12; index++) {
      const peer = await RawClient.connect({ port: server.port });
      await upgradeToSessions(peer);
      say(peer, "open");
      tickets.push((await hearWords(peer)).slice(1, 3));
      await eventually(() => connections.length === index + 1, "the session");
      await peer.close();
      await eventually(() => connections[index].session?.isAttached === false, "the end of the socket");
    }
    const losses: string[] = [];
    connections.forEach((connection, index) =>
      connection.on("lost", ({ reason, unsent }) => losses.push(`${index} ${reason} ${unsent}`)),
    );
    const broadcast = new Uint8Array(10_000);
    server.broadcast(broadcast); // Counted once.
    for (const connection of connections) {
      if (connection.state === "open")
        for (let count = 0; count < 10; count++) await connection.send("m".repeat(20_000));
    }
    // Each keeps 200 kB, and is charged 8 KiB for itself: four of them fit.
    assert.deepEqual(
      losses,
      ["0", "1", "2", "3", "4", "5", "6", "7"].map((index) => `${index} evicted 11`),
    );
    assert.equal(server.connections.size, 4);
    const late = await RawClient.connect({ port: server.port });
    await upgradeToSessions(late);
    say(late, `resume ${tickets[0].join(" ")} 0 1`);
    assert.deepEqual((await hearWords(late)).slice(0, 2), ["lost", "evicted"]);
    await late.close();
    for (const connection of connections) connection.terminate();
    await server.close();
  },
);

test(
  "L6: messages that wait for room in the window count towards `memory`, each until it is sent, withdrawn or lost",
  { timeout: 60_000 },
  async () => {
    const connections: Connection[] = [];
    const server = await serve(
      async (connection) => {
        connections.push(connection);
        await keepOpen(connection);
      },
      { host: "127.0.0.1", sessions: { memory: 1024 * 1024 }, pingInterval: null },
    );
    const open = async (): Promise<RawClient> => {
      const peer = await RawClient.connect({ port: server.port });
      await upgradeToSessions(peer);
      say(peer, "open");
      await hearWords(peer);
      return peer;
    };
    const losses: string[] = [];
    const leave = async (name: string): Promise<void> => {
      const peer = await open();
      const connection = connections.at(-1);
      connection?.on("lost", ({ reason }) => losses.push(`${name} ${reason}`));
      await peer.close();
      await eventually(() => connection?.session?.isAttached === false, `the end of ${name}`);
    };
    await leave("absent");
    const silent = await open(); // Confirms nothing: 256 KiB fill its window.
    const [, connection] = connections;
    const aborter = new AbortController();
    const text = "m".repeat(10_000);
    const sends = Array.from({ length: 90 }, () => connection.send(text, { signal: aborter.signal }));
    assert.deepEqual(losses, []);
    sends.push(...Array.from({ length: 20 }, () => connection.send(text, { signal: aborter.signal })));
    assert.deepEqual(losses, ["absent evicted"]);
    aborter.abort();
    await Promise.allSettled(sends);
    await leave("withdrawn");
    assert.deepEqual(losses.splice(0), ["absent evicted"]);
    connection.send(text.repeat(24)).catch(() => undefined); // The window is full again.
    server.broadcast(new Uint8Array(1_100_000));
    assert.deepEqual(losses.splice(0), ["withdrawn evicted"]);
    connection.terminate();
    await connection.closed;
    await leave("after the end");
    assert.deepEqual(losses, []);
    await silent.close();
    for (const each of connections) each.terminate();
    await server.close();
  },
);
