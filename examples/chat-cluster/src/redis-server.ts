// A Redis of this example's own: on a free port of the loopback interface, in a temporary folder.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { freePort } from "./free-port.js";

export interface RedisServer {
  readonly url: string;
  close(): Promise<void>;
}

/** @throws Error with advice if it cannot be started */
export async function startRedis(): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-chat-"));
  const port = await freePort();
  const address = ["--bind", "127.0.0.1", "--port", String(port)];
  const child = spawn("redis-server", [...address, "--dir", folder, "--save", "", "--appendonly", "yes"], {
    stdio: ["ignore", "pipe", "inherit"],
    detached: true, // Ctrl-C reaches the chat servers first, and then close().
  });
  const exited = once(child, "exit").catch((error: unknown) => error);
  const close = async (): Promise<void> => {
    child.kill();
    await exited;
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    let output = "";
    for await (const chunk of child.stdout.setEncoding("utf8") as AsyncIterable<string>) {
      output += chunk;
      if (output.includes("Ready to accept connections")) {
        child.stdout.resume();
        return { url: `redis://127.0.0.1:${port}`, close };
      }
    }
    const failure = await exited;
    if (failure instanceof Error) throw failure;
    throw new Error(`redis-server ended:\n${output}`);
  } catch (error) {
    await close();
    throw new Error(adviceFor(error), { cause: error });
  }
}

/** @throws Error if no Redis answers at this address */
export async function checkRedis(url: string): Promise<void> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: null, connectTimeout: 5_000 });
  let failure: unknown;
  client.on("error", (error) => (failure = error)); // connect() only rejects with "Connection is closed."
  try {
    await client.connect();
    await client.ping();
  } catch (error) {
    const { message } = (failure ?? error) as Error; // From ioredis.
    throw new Error(`Redis cannot be reached at ${url.replace(/\/\/.*@/, "//")}: ${message}`, {
      cause: error,
    });
  } finally {
    client.disconnect();
  }
}

function adviceFor(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException; // From spawn(), or thrown above.
  if (code !== "ENOENT") return `Redis could not be started. ${message}`;
  return [
    "redis-server is not installed. Install it (Debian, Ubuntu: apt install redis-server; macOS: brew install redis),",
    "or pass the address of a Redis 7.0 or later: npm run example -- chat-cluster --redis redis://localhost",
  ].join("\n");
}
