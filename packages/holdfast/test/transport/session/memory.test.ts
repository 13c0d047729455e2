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
    // Each keeps 200 kB and takes 8 KiB itself: with the broadcast, four of them fit, and a fifth one until its last message.
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
