// Redis that refuses, answers slowly, speaks TLS, or is watched by sentinels.

import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync, mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, mock, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import tls from "node:tls";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { assertWithin, FaultProxy, freePort, inAttempts, testCertificates } from "holdfast-testkit";
import type { Engine, EngineUnavailableError, Position } from "holdfast/topics";
import type { RedisClient } from "../dist/index.js";
import { openClient, type OpenedClient } from "./backends.js";
import { aRecord } from "../../holdfast/test-dist/session/store-contract.js";
import { failureWithin, ignore, publishingWith } from "../../holdfast/test-dist/topics/engine-calls.js";
import { eventually } from "../../holdfast/test-dist/topics/eventually.js";
import { missing, quiet } from "./redis-server.js";
import { useResources } from "./resources.js";
import { MASTER_NAME, Sentinel } from "./sentinel.js";

const HISTORY = { messages: 100, age: 300_000 };
/** The promise is 2 s; timers of a busy machine are late. */
const MAX_ANSWER = 3_000;
const publish = publishingWith(HISTORY);
const failureOf = failureWithin(MAX_ANSWER);

const { add, start, open, engineOf } = useResources();

// A TLS socket may report a second error after the certificate was rejected, and ioredis listens to one only. An engine connects
// again and again until it is closed, which is after its test.
const { connect } = tls;
mock.method(tls, "connect", (options: tls.ConnectionOptions) => connect(options).on("error", ignore));

for (const name of ["ioredis", "redis"] as const) {
  describe(`Redis refuses, with ${name}`, { skip: missing, concurrency: 3 }, () => {
    test("M8: a Redis before 7.0 is named as the reason, and nothing was sent", async () => {
      const port = await startOldRedis();
      const { client, close } = await openOldClient(name, port);
      const engine = engineOf(client, close);
      for (const call of [
        (): Promise<unknown> => publish(engine, "a", "text"),
        (): Promise<unknown> => engine.listen("a", ignore, ignore),
        (): Promise<unknown> => engine.read("a", { epoch: "e", offset: 0 }, 1),
      ]) {
        const { outcome } = await refusal(call, /has to be Redis 7\.0 or later/);
        assert.equal(outcome, "unsent");
      }
    });

    test("M8: a wrong password is named as the reason, and nothing was sent", async () => {
      const server = await start();
      const { client, close } = await openClient(name, server.port);
      await server.admin.call("CONFIG", "SET", "requirepass", "secret");
      const engine = engineOf(client, close);
      for (const call of [
        (): Promise<unknown> => publish(engine, "a", "text"),
        (): Promise<unknown> => engine.listen("a", ignore, ignore),
        (): Promise<unknown> => engine.presence.list("a"),
      ]) {
        // A busy machine may need several calls until Redis has refused one.
        await eventually(async () => {
          const { message, outcome, cause } = await failureOf(call);
          assert.match(message, /^There is no connection to Redis: NOAUTH /);
          assert.match((cause as Error).message, /^NOAUTH /);
          assert.equal(outcome, "unsent");
        });
      }
    });

    test("M8: a user without permission learns the name of the channel or the command", async () => {
      const server = await start();
      const engine = await open(server, name);
      await server.admin.call("ACL", "SETUSER", "default", "resetchannels");
      const listened = await refusal(
        (): Promise<unknown> => engine.listen("news", ignore, ignore),
        /^Redis denies .* \(channel holdfast:\S*:c:news\)/,
      );
      assert.equal(listened.outcome, "unsent");
      const published = await refusal(
        () => publish(engine, "news", "text"),
        /^Redis denies .*\(channel holdfast:\S*:c:news\)/,
      );
      // It is in the history, but was not announced.
      assert.equal(published.outcome, "unknown");
      const plain = await failureOf(() => publish(engine, "news", "text", { history: null }));
      assert.equal(plain.outcome, "unsent");
      await server.admin.call("ACL", "SETUSER", "default", "allchannels", "-ssubscribe");
      await refusal((): Promise<unknown> => engine.listen("other", ignore, ignore), /'ssubscribe' command/);
      await server.admin.call("ACL", "SETUSER", "default", "+@all");
      await eventually((): Promise<unknown> => engine.listen("news", ignore, ignore));
    });

    test("M8: the commands in the README are all that is needed; without one of a script, the outcome is unknown", async () => {
      const server = await start();
      const [, rules = ""] = /^ACL SETUSER holdfast (.*)$/m.exec(await readFile(README, "utf8")) ?? [];
      await server.admin.call("ACL", "SETUSER", "holdfast", ...rules.split(" "));
      const { client, close } = await openClientAs(name, server.port);
      const engine = engineOf(client, close);
      const listening = await open(server, name);
      const received: unknown[] = [];
      await eventually(() => listening.listen("a", ({ data }) => void received.push(data), ignore));
      await eventually(() => publish(engine, "a", "first", { id: "1" }));
      await engine.listen("a", ignore, ignore);
      await engine.read("a", { epoch: "e", offset: 0 }, 1);
      await engine.presence.watch("a", ignore);
      await engine.presence.join("a", { id: "1", data: null });
      await engine.presence.leave("a", "1");
      const { sessions } = engine;
      assert.ok(sessions !== undefined);
      await sessions.save(aRecord());
      await sessions.append(aRecord().id, 1, [{ type: "deadline", deadline: 1, attempt: 1 }]);
      await sessions.remove(aRecord().id, 1, null, 1);
      await sessions.sweep(2);
      assert.deepEqual(await server.admin.call("ACL", "LOG"), []);

      await server.admin.call("ACL", "SETUSER", "holdfast", "-pexpire");
      // Other limits, which need it after the message was sent.
      const { outcome } = await refusal(
        () => publish(engine, "a", "second", { history: { ...HISTORY, messages: 5 } }),
        /^Redis denies a command.* \(command PEXPIRE\)\./,
      );
      assert.equal(outcome, "unknown");
      await eventually(() => assert.deepEqual(received.slice(0, 2), ["first", "second"]));
    });

    test("M8: a Redis that has too few replicas is an error with that reason, and nothing was sent", async () => {
      const server = await start();
      const engine = await open(server, name);
      await server.admin.call("CONFIG", "SET", "min-replicas-to-write", "1");
      const { outcome } = await refusal(() => publish(engine, "a", "text"), /^Redis refused: NOREPLICAS /);
      assert.equal(outcome, "unsent");
    });

    test("M5: a full Redis still renews the leases of members", async () => {
      const server = await start();
      const engine = await open(server, name);
      await eventually(() => engine.presence.join("a", { id: "1", data: null }));
      await server.admin.call("CONFIG", "SET", "maxmemory", "1b");
      const [key = ""] = await server.admin.keys("*:l");
      const leaseEnd = async (): Promise<number> =>
        Number((await server.admin.zrange(key, "0", "0", "WITHSCORES"))[1]);
      const before = await leaseEnd();
      await eventually(async () => assert.ok((await leaseEnd()) > before), 30_000);
      const { outcome } = await refusal(() => publish(engine, "a", "text"), /^Redis has reached its memory/);
      assert.equal(outcome, "unsent");
    });

    test("M1: engines in different databases of one Redis do not hear each other", async () => {
      const server = await start();
      const received: string[] = [];
      const engines: Engine[] = [];
      for (const database of [0, 3]) {
        const client = await openClientAs(name, server.port, { database });
        const engine = engineOf(client.client, client.close);
        engines.push(engine);
        await eventually(() =>
          engine.listen("a", ({ data }) => void received.push(`${database} ${String(data)}`), ignore),
        );
      }
      for (const [index, engine] of engines.entries()) await publish(engine, "a", String(index));
      await eventually(() => assert.deepEqual(received.sort(), ["0 0", "3 1"]));
    });

    test("M8: listen() answers within 2 s also if Redis answers its first command late, and the second not at all", () =>
      assertWithin(2_800, async () => {
        const server = await start();
        const engine = await open(server, name);
        const openedAt = performance.now();
        await publish(engine, "a", "text");
        await eventually((): Promise<unknown> => engine.listen("a", ignore, ignore));
        // Just after a sign of life, which would end the connection sooner if it is not answered.
        await sleep(2_200 - ((performance.now() - openedAt) % 2_000));
        // Scripts wait for that, subscriptions do not.
        await server.admin.call("CLIENT", "PAUSE", "8000", "WRITE");
        await server.pause();
        const answering = sleep(1_700).then(() => server.resume());
        const calledAt = performance.now();
        // In the partition of "a", whose connection is open.
        await failureOf((): Promise<unknown> => engine.listen("a63", ignore, ignore));
        const took = performance.now() - calledAt;
        await answering;
        return took;
      }));

    test("M8: a Redis that is busy for 4 s is an error within 2 s, with an unknown outcome; then it recovers", async () => {
      const server = await start();
      const engine = await open(server, name);
      const { offset } = await publish(engine, "a", "before");
      assert.equal(offset, 1);
      await server.pause();
      const sleeping = sleep(4_000).then(() => server.resume());
      const [published, listened] = await Promise.all([
        failureOf(() => publish(engine, "a", "busy", { id: "id 1" })),
        failureOf((): Promise<unknown> => engine.listen("b", ignore, ignore)),
      ]);
      assert.equal(published.outcome, "unknown");
      // The advice fits calls that publish nothing, too.
      assert.match(
        published.message,
        /^Redis did not reply\. It may have been carried out\. Try again; a mess/,
      );
      assert.ok(["unknown", "unsent"].includes(listened.outcome));
      await sleeping;
      // Again with the same id: it is there once, whether or not Redis has carried out the first attempt.
      const again = await eventually(() => publish(engine, "a", "busy", { id: "id 1" }));
      assert.equal(again.offset, 2);
      const page = await engine.read("a", { epoch: again.epoch ?? "", offset: 0 }, 10);
      assert.deepEqual(
        page.messages.map(({ data }) => data),
        ["before", "busy"],
      );
    });

    test("M8: a call waits as long as it may while the script of another client holds Redis up", async () => {
      const server = await start("--busy-reply-threshold", "10");
      const engine = await open(server, name);
      const other = server.admin.duplicate();
      // A busy machine may end the script too late.
      await inAttempts(async () => {
        await eventually(() => publish(engine, "a", "before"));
        const script = other.call("EVAL", "while true do end", "0").catch(ignore);
        await sleep(200);
        const published = publish(engine, "a", "waits");
        const killed = sleep(1_200).then(() => server.admin.call("SCRIPT", "KILL"));
        const [answer] = await Promise.allSettled([published, killed, script]);
        return answer.status === "fulfilled";
      }, "a call that waited for the end of the script");
      other.disconnect();
    });

    test("M8: a member joins within 2 s or not, also where its lease has ended and each answer takes 1.6 s", async () => {
      const server = await start();
      const proxy = await FaultProxy.start({ target: { port: server.port } });
      add(() => proxy.close());
      const { client, close } = await openClient(name, proxy.port);
      const engine = engineOf(client, close);
      const joinAs = (id: string): Promise<void> => engine.presence.join("a", { id, data: null });
      await eventually(() => joinAs("1"));
      // Three answers take 4.8 s; a busy machine can only add to the time.
      let took = Infinity;
      for (let attempt = 0; attempt < 3 && took >= 4_000; attempt++) {
        await server.admin.flushall();
        proxy.delay(800);
        const calledAt = performance.now();
        await joinAs("2").catch((error: unknown) => assert.match(String(error), /EngineUnavailableError/));
        took = performance.now() - calledAt;
        proxy.delay(0);
        await eventually(() => joinAs("1"));
      }
      assert.ok(took < 4_000, `${took} ms`);
      const members = async (): Promise<readonly string[]> =>
        (await engine.presence.list("a")).members.map(({ id }) => id).sort();
      await eventually(() => joinAs("2"));
      await eventually(async () => assert.deepEqual(await members(), ["1", "2"]), 30_000);
    });

    test("M8: a hundred calls that fail at once on one connection cause no warning of Node.js", async () => {
      const server = await start();
      const engine = await open(server, name);
      await eventually(() => publish(engine, "a", "before", { id: "before" }));
      const warnings: string[] = [];
      const onWarning = ({ message }: Error): void => void warnings.push(message);
      process.on("warning", onWarning);
      await server.pause();
      try {
        const calls = Array.from({ length: 100 }, (_, index) =>
          failureOf(() => publish(engine, `${index}`, "hangs")),
        );
        await Promise.all(calls);
      } finally {
        server.resume();
      }
      await eventually(() => publish(engine, "a", "after", { id: "after" }));
      process.off("warning", onWarning);
      assert.deepEqual(warnings, []);
    });

    test("M1: rediss:// with a certificate authority of its own; without it, the error has the reason", async () => {
      const { ca, server: certificate } = await testCertificates();
      const folder = mkdtempSync(join(tmpdir(), "holdfast-redis-tls-"));
      add(() => rmSync(folder, { recursive: true }));
      const files = { ca, cert: certificate.cert, key: certificate.key };
      for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, `${file}.pem`), text);
      const port = await freePort();
      await start(
        ...[
          "--tls-port",
          String(port),
          "--tls-auth-clients",
          "no",
          "--tls-ca-cert-file",
          join(folder, "ca.pem"),
        ],
        ...["--tls-cert-file", join(folder, "cert.pem"), "--tls-key-file", join(folder, "key.pem")],
      );
      const url = `rediss://localhost:${port}`;
      const engine = await overTLS(name, url, ca);
      const received: unknown[] = [];
      await eventually(() => engine.listen("a", ({ data }) => void received.push(data), ignore));
      await publish(engine, "a", "over TLS");
      await eventually(() => assert.deepEqual(received, ["over TLS"]));
      if (name === "ioredis") {
        const untrusting = engineOf(...overIoRedis(url, undefined));
        const { outcome, cause } = await failureOf(() => publish(untrusting, "a", "text"));
        assert.equal(outcome, "unsent");
        assert.ok(cause !== undefined);
      }
    });
  });
}

describe("Redis with sentinels, with ioredis", { skip: missing }, () => {
  test("M3: after a failover, the engine publishes to the new master in a new epoch, and listeners learn of it", async () => {
    const master = await start();
    const replica = await start("--replicaof", "127.0.0.1", String(master.port));
    await eventually(async () =>
      assert.match(await replica.admin.info("replication"), /master_link_status:up/),
    );
    const sentinel = await Sentinel.start(master);
    add(() => sentinel.close());
    const client = quiet(
      new Redis({ sentinels: [{ host: "127.0.0.1", port: sentinel.port }], name: MASTER_NAME }),
    );
    const engine = engineOf(client, () => client.disconnect());
    const received: unknown[] = [];
    const reported: (Position | null)[] = [];
    await eventually(() =>
      engine.listen(
        "a",
        ({ data }) => void received.push(data),
        (newest) => void reported.push(newest),
      ),
    );
    const before = await eventually(() => publish(engine, "a", "before", { id: "before" }));
    await master.stop("SIGKILL");
    const next = await eventually(() => publish(engine, "a", "after", { id: "after" }), 40_000);
    assert.notEqual(next.epoch, before.epoch, "The replica may have missed messages of the master.");
    await eventually(() => assert.ok(reported.some((newest) => newest?.epoch === next.epoch)), 30_000);
    await publish(engine, "a", "last");
    await eventually(() => assert.equal(received.at(-1), "last"));
  });
});

const README = new URL("../README.md", import.meta.url);

/** A client in a database, or of the user that the README makes. */
async function openClientAs(
  name: "ioredis" | "redis",
  port: number,
  { database }: { readonly database?: number } = {},
): Promise<OpenedClient> {
  const login = database === undefined ? { username: "holdfast", password: "password" } : {};
  if (name === "ioredis") {
    const client = quiet(new Redis({ port, ...login, db: database ?? 0 }));
    return { client, close: () => client.disconnect() };
  }
  const client = quiet(createClient({ ...login, database: database ?? 0, socket: { port } }));
  await client.connect();
  return { client, close: () => client.destroy() };
}

/** The error of a call, once it is this one: on a busy machine, Redis may not answer the first attempts in time. */
function refusal(call: () => Promise<unknown>, message: RegExp): Promise<EngineUnavailableError> {
  return eventually(async () => {
    const error = await failureOf(call);
    assert.match(error.message, message);
    return error;
  });
}

/** A peer that answers as Redis 5 does: it has scripts, but no sharded channels. */
async function startOldRedis(): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    let unread = "";
    socket.on("data", (chunk) => {
      unread += chunk.toString("latin1");
      for (let end = endOfCommand(unread); end > 0; end = endOfCommand(unread)) {
        const words = unread
          .slice(0, end)
          .split("\r\n")
          .filter((_, index) => index > 0 && index % 2 === 0);
        unread = unread.slice(end);
        socket.write(oldReply((words[0] ?? "").toUpperCase()));
      }
    });
  }).listen(0, "127.0.0.1");
  add(() => server.close());
  await once(server, "listening");
  return (server.address() as AddressInfo).port; // It listens on TCP.
}

/** The package `redis` speaks RESP 3 by default, which Redis 5 does not. */
async function openOldClient(name: "ioredis" | "redis", port: number): Promise<OpenedClient> {
  if (name === "ioredis") return openClient(name, port);
  const client = quiet(createClient({ RESP: 2, socket: { host: "127.0.0.1", port } }));
  await client.connect();
  return { client, close: () => client.destroy() };
}

function oldReply(command: string): string {
  const info = "redis_version:5.0.14\r\nrole:master\r\nloading:0\r\n";
  if (command === "INFO") return `$${info.length}\r\n${info}\r\n`;
  if (command === "PING") return "+PONG\r\n";
  if (command === "EVALSHA") return "-NOSCRIPT No matching script. Please use EVAL.\r\n";
  if (command === "EVAL") {
    return "-ERR Error running script (call to f_1): @user_script:1: @user_script: 1: Unknown Redis command called from Lua script\r\n";
  }
  return `-ERR unknown command \`${command}\`, with args beginning with: \r\n`;
}

/** The length of the first command (RESP); 0 if it is not complete. */
function endOfCommand(text: string): number {
  const count = Number(/^\*(\d+)\r\n/.exec(text)?.[1] ?? NaN);
  let end = text.indexOf("\r\n") + 2;
  for (let index = 0; index < count; index++) {
    const length = /^\$(\d+)\r\n/.exec(text.slice(end));
    if (length === null) return 0;
    end += length[0].length + Number(length[1]) + 2;
  }
  return Number.isNaN(count) || end > text.length ? 0 : end;
}

async function overTLS(name: "ioredis" | "redis", url: string, ca: string): Promise<Engine> {
  if (name === "ioredis") return engineOf(...overIoRedis(url, ca));
  const client = quiet(createClient({ url, socket: { tls: true, ca } }));
  await client.connect();
  return engineOf(client, () => client.destroy());
}

/**
 * Connects once. Node.js reports two errors of a TLS socket that rejects a certificate while it is being ended, and ioredis
 * listens for one: the end of a client that tries again and again would meet such a moment now and then.
 */
function overIoRedis(url: string, ca: string | undefined): [client: RedisClient, close: () => void] {
  const client = quiet(new Redis(url, { tls: ca === undefined ? {} : { ca }, retryStrategy: () => null }));
  return [client, () => client.disconnect()];
}
