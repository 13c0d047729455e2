// `npm run bench -- topics`: topics over Redis: messages a second, and the time that Redis adds to a message; or, with
// `--growth`, how the cost grows with processes, topics and subscribers; or, with `--fan-out`, what a delivery costs beside
// `broadcast()`. Prints a table.

import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { redisEngine, type RedisClient } from "@holdfast/redis";
import type { Engine, HistoryLimits, Publication } from "holdfast/topics";
import { showFanOut } from "./cluster/fan-out.js";
import { showGrowth } from "./cluster/growth.js";
import { endAllAtExit } from "./machine/processes.js";
import { startRedis, type RunningRedis } from "./machine/redis.js";
import { runProgram } from "./program.js";

const HELP = `npm run bench -- topics [options]

  --seconds N    seconds of each measurement (default 5)
  --topics N     number of topics (default 64)
  --batch N      messages published in one turn (default 512)
  --bytes N      bytes of a message (default 100)
  --growth       instead: the cost with 1 to 3 processes, 10 to 10,000 topics, 1 to 10,000 subscribers of a topic
  --fan-out      instead: a topic to 10,000 connections and \`broadcast()\`, in turn in one process
`;

const HISTORY: HistoryLimits = { messages: 1_000, age: 300_000 };

interface Settings {
  readonly milliseconds: number;
  readonly topics: number;
  readonly batch: number;
  readonly data: string;
}

let settings: Settings;

await runProgram(
  HELP,
  { seconds: 5, topics: 64, batch: 512, bytes: 100, growth: false, "fan-out": false },
  async ({ seconds, topics, batch, bytes, growth, "fan-out": fanOut }) => {
    settings = { milliseconds: seconds * 1_000, topics, batch, data: "x".repeat(bytes) };
    if (growth) await showGrowth(settings.milliseconds);
    else if (fanOut) await showFanOut(settings.milliseconds);
    else await main();
  },
);

async function main(): Promise<void> {
  endAllAtExit();
  const server = await startRedis();
  const { port } = server;
  const ioredis = new Redis(port, "127.0.0.1");
  const nodeRedis = createClient({ socket: { host: "127.0.0.1", port } });
  ioredis.on("error", () => {});
  nodeRedis.on("error", () => {});
  await nodeRedis.connect();
  try {
    process.stdout.write(`Node.js ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? "?"}\n\n`);
    process.stdout.write(
      "| client | history | published a second | CPU of Redis | CPU of the publisher | added latency p50 | p99 |\n|---|---|---|---|---|---|---|\n",
    );
    for (const [name, client] of [
      ["ioredis", ioredis],
      ["redis", nodeRedis],
    ] as const) {
      for (const history of [HISTORY, null]) await measure(name, client, history, server);
    }
  } finally {
    ioredis.disconnect();
    nodeRedis.destroy();
    await server.stop();
  }
}

async function measure(
  name: string,
  client: RedisClient,
  history: HistoryLimits | null,
  server: RunningRedis,
): Promise<void> {
  const [publisher, receiver] = [redisEngine({ client }), redisEngine({ client })];
  const redisBefore = await server.cpuMicroseconds();
  const ownBefore = process.cpuUsage();
  const [published, rate] = await throughput(publisher, history);
  const own = process.cpuUsage(ownBefore);
  const redisCpu = ((await server.cpuMicroseconds()) - redisBefore) / published;
  const ownCpu = (own.user + own.system) / published;
  const [p50, p99] = await latency(publisher, receiver, history);
  await publisher[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
  const cells = [name, history === null ? "no" : "yes", Math.round(rate).toLocaleString("en")];
  process.stdout.write(
    `| ${[...cells, `${redisCpu.toFixed(1)} µs`, `${ownCpu.toFixed(1)} µs`, `${p50.toFixed(2)} ms`, `${p99.toFixed(2)} ms`].join(" | ")} |\n`,
  );
}

/** Two batches are under way at any time. */
async function throughput(
  engine: Engine,
  history: HistoryLimits | null,
): Promise<readonly [published: number, rate: number]> {
  let published = 0;
  let turn = 0;
  const start = performance.now();
  const run = async (): Promise<void> => {
    while (performance.now() - start < settings.milliseconds) {
      const batch = Array.from({ length: settings.batch }, (_, index) =>
        publication(`topic ${(turn * 7 + index) % settings.topics}`, settings.data, history),
      );
      turn++;
      const results = await engine.publish(batch);
      const failure = results.find((result) => result instanceof Error);
      if (failure !== undefined) throw failure as Error;
      published += results.length;
    }
  };
  await Promise.all([run(), run()]);
  return [published, published / ((performance.now() - start) / 1_000)];
}

/** 1,000 messages a second, each on its own: from the call to the listener of another engine. */
async function latency(
  publisher: Engine,
  receiver: Engine,
  history: HistoryLimits | null,
): Promise<readonly [p50: number, p99: number]> {
  const times: number[] = [];
  const topics = Array.from({ length: settings.topics }, (_, index) => `latency ${index}`);
  for (const topic of topics) {
    const onMessage = ({ data }: { readonly data: unknown }): void =>
      void times.push(performance.now() - Number(data));
    await receiver.listen(topic, onMessage, () => {});
  }
  const start = performance.now();
  for (let sent = 0; performance.now() - start < settings.milliseconds;) {
    while (sent < performance.now() - start) {
      const topic = topics[sent++ % topics.length] ?? "";
      void publisher.publish([publication(topic, String(performance.now()), history)]);
    }
    await sleep(1);
  }
  await sleep(100);
  times.sort((one, other) => one - other);
  const at = (share: number): number => times[Math.floor(times.length * share)] ?? NaN;
  return [at(0.5), at(0.99)];
}

function publication(topic: string, data: string, history: HistoryLimits | null): Publication {
  return { topic, data, id: null, history, compress: true };
}
