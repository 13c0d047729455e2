// Servers in processes of their own, behind a balancer, restarted and killed while clients exchange counted messages.

import assert from "node:assert/strict";
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect as connectTcp, createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { connectPersistent, type PersistentConnection } from "../../../build/index.js";
import { eventually, withTimeout } from "holdfast-testkit";

const PROGRAM = fileURLToPath(new URL("echo-program.js", import.meta.url));

interface Backend {
  readonly child: ChildProcess;
  readonly port: number;
}

/** Passes each new connection to the next server that accepts it. */
class Balancer implements AsyncDisposable {
  readonly backends: Backend[] = [];
  readonly #server = createServer((socket) => this.#pass(socket, this.backends.length));
  #turn = 0;

  async listen(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    // The address of a TCP server has this type.
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #pass(socket: Socket, attempts: number): void {
    socket.on("error", () => undefined);
    const backend = this.backends[this.#turn++ % Math.max(1, this.backends.length)];
    if (backend === undefined || attempts === 0) {
      socket.destroy();
      return;
    }
    const upstream = connectTcp(backend.port, "127.0.0.1");
    upstream.once("error", () => {
      if (upstream.connecting || upstream.bytesRead === 0) this.#pass(socket, attempts - 1);
    });
    upstream.once("connect", () => {
      upstream.removeAllListeners("error").on("error", () => socket.destroy());
      socket.pipe(upstream).pipe(socket);
      socket.once("close", () => upstream.destroy());
      upstream.once("close", () => socket.destroy());
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const { child } of this.backends) child.kill("SIGKILL");
    await Promise.resolve();
  }
}

async function start(directory: string, durability: string): Promise<Backend> {
  const child = fork(PROGRAM, [directory, durability]);
  const [port] = (await withTimeout(once(child, "message"), 30_000, "a server process")) as [number];
  return { child, port };
}

async function stop({ child }: Backend, how: "close" | "kill"): Promise<void> {
  const exit = once(child, "exit");
  if (how === "close") child.send("close");
  else child.kill("SIGKILL");
  await withTimeout(exit, 40_000, "a server process to end");
}

/** A client that sends numbers and collects the answers. */
class Counter {
  readonly connection: PersistentConnection;
  readonly answers: string[] = [];
  readonly losses: string[] = [];
  sent = 0;
  #isSending = true;
  readonly #sending: Promise<void>;

  constructor(url: string) {
    this.connection = connectPersistent(url, { session: true, firstDelay: 20, maxDelay: 200 });
    this.connection.on("lost", ({ reason }) => this.losses.push(reason));
    void this.connection.forEach((message) => void this.answers.push(String(message)));
    this.#sending = this.#send();
  }

  async #send(): Promise<void> {
    while (this.#isSending) {
      await this.connection.send(String(this.sent++)).catch(() => undefined);
      if (this.sent % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async finish(): Promise<void> {
    this.#isSending = false;
    await this.#sending;
  }

  get expected(): readonly string[] {
    return Array.from({ length: this.sent }, (_, index) => `re:${index}`);
  }
}

const CLIENTS = 12;

async function underLoad(
  durability: string,
  use: (balancer: Balancer, counters: readonly Counter[], directory: string) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-restarts-"));
  const balancer = new Balancer();
  const counters: Counter[] = [];
  try {
    const url = await balancer.listen();
    balancer.backends.push(
      ...(await Promise.all([1, 2, 3].map(() => start(join(directory, "sessions"), durability)))),
    );
    for (let index = 0; index < CLIENTS; index++) counters.push(new Counter(url));
    await eventually(() => counters.every(({ answers }) => answers.length > 20), "the first answers");
    await use(balancer, counters, join(directory, "sessions"));
  } finally {
    for (const { connection } of counters) connection.terminate();
    await balancer[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function assertNothingLostOrRepeated(counters: readonly Counter[]): Promise<void> {
  await Promise.all(counters.map((counter) => counter.finish()));
  await eventually(
    () => counters.every(({ answers, sent }) => answers.length >= sent),
    "the answers to everything that was sent",
    30_000,
  );
  for (const { answers, expected, losses } of counters) {
    assert.deepEqual(losses, []);
    assert.deepEqual(answers, expected);
  }
}

/** Lets every client get some more answers. */
async function progress(counters: readonly Counter[]): Promise<void> {
  const before = counters.map(({ answers }) => answers.length);
  await eventually(
    () => counters.every(({ answers }, index) => answers.length > before[index] + 20),
    "progress of every client",
    30_000,
  );
}

for (const durability of ["shutdown", "message"]) {
  test(`L7: a rolling restart of three processes under load loses and repeats nothing (${durability})`, () =>
    underLoad(durability, async (balancer, counters, directory) => {
      for (let turn = 0; turn < 3; turn++) {
        const [old] = balancer.backends.splice(0, 1);
        balancer.backends.push(await start(directory, durability));
        await stop(old, "close");
        await progress(counters);
      }
      await assertNothingLostOrRepeated(counters);
    }));
}

test("L7: kill -9 of a process with durability message loses nothing, and repeats nothing at the clients", () =>
  underLoad("message", async (balancer, counters) => {
    const [victim] = balancer.backends.splice(0, 1);
    await stop(victim, "kill");
    await progress(counters);
    await assertNothingLostOrRepeated(counters);
  }));

test("L7: kill -9 of a process with durability shutdown: each of its sessions is lost exactly once", () =>
  underLoad("shutdown", async (balancer, counters) => {
    const [victim] = balancer.backends.splice(0, 1);
    await stop(victim, "kill");
    await progress(counters);
    await Promise.all(counters.map((counter) => counter.finish()));
    const affected = counters.filter(({ losses }) => losses.length > 0);
    assert.equal(affected.length, CLIENTS / 3);
    for (const { losses } of affected) assert.deepEqual(losses, ["unknown"]);
    // The others went on as if nothing had happened.
    await assertNothingLostOrRepeated(counters.filter(({ losses }) => losses.length === 0));
  }));
