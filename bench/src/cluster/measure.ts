// Measures processes that share one Redis: starts all of them, and drives them by their clients' commands.

import { setTimeout as sleep } from "node:timers/promises";
import { connect, type Connection } from "holdfast";
import type { Measurement, Timing } from "../generators/generator.js";
import { startRedis, type RunningRedis } from "../machine/redis.js";
import { startServer, type RunningServer } from "../machine/server.js";
import { readUsage } from "../machine/usage.js";
import type { PeerProgram } from "../peers/peer.js";
import { environmentFor, type ClusterLoad } from "../workload.js";
import { payloadOf, sendCommand, targetOf, type Dialect } from "./dialect.js";

/** Messages a second, in all, to measure the latency. */
const RATE = 1_000;
const OPEN_AT_A_TIME = 50;
const PATIENCE = 60_000;

export async function measureCluster(
  load: ClusterLoad,
  program: PeerProgram,
  dialect: Dialect = "plain",
  timing: Timing,
): Promise<Measurement> {
  const redis = await startRedis();
  const servers: RunningServer[] = [];
  const clients: Connection[] = [];
  try {
    for (let place = 0; place < load.processes; place++) {
      const own = { REDIS_PORT: String(redis.port), PLACE: String(place) };
      const environment = { ...program.environment, ...environmentFor(load), ...own };
      servers.push(await startServer({ ...program, environment }, null)); // All of them share the cores.
    }
    const driver = new Driver(load, dialect);
    for (let opened = 0; opened < load.connections; opened += OPEN_AT_A_TIME) {
      const places = Array.from(
        { length: Math.min(OPEN_AT_A_TIME, load.connections - opened) },
        (_, index) => opened + index,
      );
      clients.push(...(await Promise.all(places.map((index) => driver.open(servers, index)))));
    }
    await driver.begin();
    return await runTurn(driver, servers, redis, timing);
  } catch (error) {
    const complaints = servers.map((server) => server.complaints()).join(" ");
    throw new Error(`${String(error)} ${complaints}`.trim(), { cause: error });
  } finally {
    for (const client of clients) client.terminate();
    for (const server of servers) await server.stop();
    await redis.stop();
  }
}

async function runTurn(
  driver: Driver,
  servers: readonly RunningServer[],
  redis: RunningRedis,
  { warmup, duration }: Timing,
): Promise<Measurement> {
  const cpu = async (): Promise<number> => {
    const usages = await Promise.all(servers.map(readUsage));
    const own = usages.reduce((sum, usage) => sum + (usage?.cpuMicroseconds ?? 0), 0);
    return own + (await redis.cpuMicroseconds());
  };
  await sleep(warmup);
  const [cpuBefore, before, from] = [await cpu(), driver.deliveries, performance.now()];
  driver.latencies.length = 0;
  await sleep(duration);
  const [cpuAfter, deliveries] = [await cpu(), driver.deliveries - before];
  const seconds = (performance.now() - from) / 1_000;
  const latencies = driver.latencies.sort((one, other) => one - other);
  await driver.end();
  const at = (share: number): number | null => latencies[Math.floor(latencies.length * share)] ?? null;
  return {
    perSecond: deliveries / driver.load.connections / seconds,
    cost: (cpuAfter - cpuBefore) / deliveries,
    ...{ p50: at(0.5), p99: at(0.99), generatorShare: null, burst: null },
  };
}

/** The clients of all processes. The first one of each process sends it commands to publish. */
class Driver {
  readonly load: ClusterLoad;
  deliveries = 0;
  /** In microseconds, from one process to the clients of another. */
  readonly latencies: number[] = [];
  readonly #dialect: Dialect;
  readonly #first: Connection[] = [];
  /** Deliveries of the messages of each process. */
  readonly #delivered: number[];
  /** Clients that have received a message of each process. */
  readonly #reached: Set<number>[];
  #phase: "opening" | "running" | "ended" = "opening";
  #failure: Error | null = null;

  constructor(load: ClusterLoad, dialect: Dialect) {
    this.load = load;
    this.#dialect = dialect;
    this.#delivered = new Array<number>(load.processes).fill(0);
    this.#reached = this.#delivered.map(() => new Set());
  }

  /** Resolves once the client is subscribed. */
  async open(servers: readonly RunningServer[], index: number): Promise<Connection> {
    const place = index % servers.length;
    const client = await connect(`ws://127.0.0.1:${servers[place]?.port ?? 0}${targetOf(this.#dialect)}`);
    if (index < servers.length) this.#first[place] = client;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("a client was not subscribed in time")), PATIENCE);
      const ended = client.forEach((message) => {
        const payload = payloadOf(client, this.#dialect, message as string);
        if (payload === null) return;
        if (payload.startsWith("ready")) {
          clearTimeout(timer);
          resolve(client);
        } else this.#onMessage(payload, index, place);
      });
      void ended.catch(() => {}).then(() => (this.#failure ??= new Error("a server closed a connection")));
    });
  }

  /** Waits until messages of each process reach all clients: their subscriptions at Redis may come later. */
  async begin(): Promise<void> {
    const deadline = performance.now() + PATIENCE;
    for (const [place, reached] of this.#reached.entries()) {
      while (reached.size < this.load.connections) {
        if (performance.now() > deadline) throw new Error("messages do not reach all clients");
        this.#publish(place, 1);
        await sleep(200);
      }
    }
    await sleep(500); // For the last of them.
    this.#phase = "running";
    if (this.load.work === "latency") void this.#publishEvenly();
    else this.#reached.forEach((_, place) => [1, 2].forEach(() => this.#publish(place, this.load.batch)));
  }

  /** Waits for what is under way. @throws Error if something got lost */
  async end(): Promise<void> {
    this.#phase = "ended";
    await sleep(100);
    if (this.#failure !== null) throw this.#failure;
    if (this.deliveries === 0) throw new Error("nothing was delivered");
  }

  #onMessage(payload: string, index: number, place: number): void {
    const from = payload.charCodeAt(0) - ZERO;
    if (this.#phase === "opening") {
      this.#reached[from]?.add(index);
      return;
    }
    this.deliveries++;
    if (this.load.work === "latency") {
      if (from === place) return;
      const sentAt = BigInt(payload.slice(1, payload.indexOf(" ")));
      this.latencies.push(Number(process.hrtime.bigint() - sentAt) / 1_000);
      return;
    }
    const delivered = (this.#delivered[from] ?? 0) + 1;
    this.#delivered[from] = delivered;
    const isBatch = delivered % (this.load.batch * this.load.connections) === 0;
    if (isBatch && this.#phase === "running") this.#publish(from, this.load.batch);
  }

  async #publishEvenly(): Promise<void> {
    const start = performance.now();
    for (let sent = 0; this.#phase === "running";) {
      while (sent < ((performance.now() - start) * RATE) / 1_000) {
        this.#publish(sent++ % this.load.processes, 1);
      }
      await sleep(1);
    }
  }

  #publish(place: number, count: number): void {
    const client = this.#first[place];
    if (client !== undefined) sendCommand(client, this.#dialect, `publish ${count}`);
  }
}

const ZERO = "0".charCodeAt(0);
