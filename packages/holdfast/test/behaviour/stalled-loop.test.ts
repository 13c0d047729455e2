import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, serve, type Connection } from "holdfast";
import { blockEventLoop, eventually, slowness } from "holdfast-testkit";
import { startClientWorker, startServerWorker } from "./peer-worker.js";

const options = { pingInterval: 150, pingTimeout: 400 * slowness() };

/** Blocks the loop for three pingTimeouts, several times, each time with a ping in flight. */
async function survive(connection: Connection) {
  const gaps: number[] = [];
  connection.on("suspended", ({ gap }) => gaps.push(Math.round(gap)));
  await connection.ping();
  for (let round = 0; round < 2; round++) {
    const ping = connection.ping();
    setImmediate(() => blockEventLoop(3 * options.pingTimeout)); // After the write, so that the pong reaches the kernel during the block.
    await ping;
    await sleep(50);
  }
  await sleep(600); // Pings of the grid are still judged.
  return gaps;
}

describe("A blocked event loop", () => {
  test("C8: a client whose loop was blocked for three pingTimeouts keeps the connection to its healthy server", async (t) => {
    const { url, worker } = await startServerWorker();
    const connection = await connect(url, options);
    const gaps = await survive(connection);
    t.diagnostic(
      `told of gaps of ${gaps.join(", ")} ms; slowest ping ${connection.latencyStats.max?.toFixed(1)} ms`,
    );
    assert.equal(connection.state, "open");
    assert(gaps.length >= 2 && gaps.some((gap) => gap > 200), gaps.join(", "));
    const { evidence } = await connection.close();
    assert(evidence.longestStall > 200);
    await worker.terminate();
  });

  test("C8, D9: with default options a stall between two pings is measured and reported", async () => {
    const { url, worker } = await startServerWorker();
    const connection = await connect(url);
    const gaps: number[] = [];
    connection.on("suspended", ({ gap }) => gaps.push(gap));
    await connection.ping(); // It answers the first ping as well, so the next deadline is that of the next ping.
    blockEventLoop(3000);
    await eventually(() => gaps.length > 0, "the stall is reported", 30_000);
    const { evidence } = await connection.close();
    // A timer of the process, due every 500 ms, was that late.
    assert(evidence.longestStall >= 2500, `${evidence.longestStall} ms`);
    assert.equal(Math.max(...gaps), evidence.longestStall);
    await worker.terminate();
  });

  test("C8: a server whose loop was blocked keeps the connection to its healthy client", async (t) => {
    let take: (connection: Connection) => void = () => undefined;
    const accepted = new Promise<Connection>((resolve) => (take = resolve));
    const server = await serve((connection) => take(connection), { host: "127.0.0.1", ...options });
    const worker = startClientWorker(server.url);
    const connection = await accepted;
    const gaps = await survive(connection);
    t.diagnostic(
      `told of gaps of ${gaps.join(", ")} ms; slowest ping ${connection.latencyStats.max?.toFixed(1)} ms`,
    );
    assert.equal(connection.state, "open");
    assert(gaps.length >= 2 && gaps.some((gap) => gap > 200), gaps.join(", "));
    await server.close();
    await worker.terminate();
  });
});
