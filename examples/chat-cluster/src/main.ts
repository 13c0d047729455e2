// A chat on three server processes and a Redis, with a page to look at. Kill the processes, and see what is lost: nothing.
//
//   npm run example -- chat-cluster
//   npm run example -- chat-cluster --port 8080 --processes 3 --redis redis://localhost
//   npm run example -- chat-cluster --servers chat-1:8081,chat-2:8081     (servers that run elsewhere)

import { parseArgs } from "node:util";
import { fixedBackends, type Backends } from "./backends.js";
import { Front } from "./front.js";
import { startProcesses } from "./processes.js";
import { checkRedis, startRedis, type RedisServer } from "./redis-server.js";
import { startRobots } from "./robots.js";

const closing: (() => Promise<unknown>)[] = [];
let isClosing = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void close());

try {
  await start();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
  await close();
}

async function start(): Promise<void> {
  const { values } = parseArgs({
    options: {
      host: { type: "string", default: "127.0.0.1" },
      port: { type: "string", default: "8080" },
      processes: { type: "string", default: "3" },
      redis: { type: "string" },
      servers: { type: "string" },
    },
  });
  const port = numberOf("--port", values.port, 0, 65_535);
  const count = numberOf("--processes", values.processes, 1, 16);
  let onChange = (): void => undefined;
  const open = { servers: values.servers, redis: values.redis, count, onChange: () => onChange() };
  const backends = await openBackends(open);
  const front = await Front.start({ host: values.host, port, backends: () => backends });
  onChange = () => front.report();
  closing.push(() => front.close());
  closing.push(startRobots(`ws://127.0.0.1:${front.port}/`));
  console.log(`Open http://127.0.0.1:${front.port}/ in a browser, or in several. Ctrl-C ends it.`);
}

interface BackendOptions {
  readonly servers: string | undefined;
  readonly redis: string | undefined;
  readonly count: number;
  readonly onChange: () => void;
}

async function openBackends({ servers, redis, count, onChange }: BackendOptions): Promise<Backends> {
  if (servers !== undefined) return fixedBackends(servers);
  let redisUrl = redis;
  if (redisUrl === undefined) {
    const server: RedisServer = await startRedis();
    closing.push(() => server.close());
    redisUrl = server.url;
  } else {
    await checkRedis(redisUrl);
  }
  const backends = await startProcesses({ count, redisUrl, onChange });
  closing.push(() => backends.close());
  for (const { status } of backends.all) console.log(`${status.name}: process ${status.pid ?? "?"}`);
  return backends;
}

function numberOf(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new RangeError(
    `Expected ${option} to be a number from ${least} to ${most}, got ${JSON.stringify(text)}.`,
  );
}

async function close(): Promise<void> {
  if (isClosing) return;
  isClosing = true;
  for (const end of closing.reverse()) await end();
}
