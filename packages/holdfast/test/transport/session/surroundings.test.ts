// Sessions within what surrounds them in a program: loggers that throw, async contexts, fake timers.

import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { describe, mock, test, type MockTimersOptions } from "node:test";
import { inspect } from "node:util";
import type { Connection } from "../../../build/index.js";
import { keepOpen, next, receive, SessionPair } from "./session-pair.js";

// The real functions, which later replacements do not affect.
const { setTimeout: wait } = globalThis;

/** Waits in real time, because sockets are real. */
async function until(isTrue: () => boolean, what: string, state = (): unknown => ""): Promise<void> {
  const now = performance.now.bind(performance);
  const end = now() + 20_000;
  while (!isTrue()) {
    if (now() > end) assert.fail(`timed out waiting until ${what} ${inspect(state())}`);
    await new Promise((resolve) => wait(resolve, 2));
  }
}

/** Advances the fake timers in small steps, while real sockets progress. */
async function advanceUntil(
  isTrue: () => boolean,
  what: string,
  step: number,
  state?: () => unknown,
): Promise<void> {
  let ticks = 0;
  await until(
    () => {
      if (isTrue()) return true;
      mock.timers.tick(step);
      ticks++;
      return false;
    },
    what,
    () => [ticks, state?.()],
  );
}

describe("A session and what surrounds it", { timeout: 300_000 }, () => {
  test("L1 J1: loggers and listeners that throw lose nothing", async () => {
    const fail = (): never => {
      throw new Error("The logger is broken.");
    };
    const logger = { debug: fail, info: fail, warn: fail, error: fail };
    await using pair = await SessionPair.open({
      server: { logger, sessions: { retain: 60_000 } },
      client: { logger, onOpen: (connection) => void connection.on("pong", fail) },
    });
    const { id } = pair.client.session ?? {};
    const events: string[] = [];
    for (const end of [pair.client as unknown as Connection, pair.connection]) {
      for (const name of ["detached", "resumed", "lost"] as const) {
        end.on(name, () => {
          events.push(name);
          fail();
        });
      }
    }
    for (let cut = 0; cut < 2; cut++) {
      await pair.cut();
      const resumed = [next(pair.client, "resumed"), next(pair.connection, "resumed")];
      await pair.connection.send(`s${cut}`);
      const sent = pair.client.send(`c${cut}`, { until: "delivered" });
      await pair.reconnect();
      await Promise.all([sent, ...resumed]);
    }
    assert.deepEqual(await receive(pair.client, 2), ["s0", "s1"]);
    assert.deepEqual(await receive(pair.connection, 2), ["c0", "c1"]);
    assert.equal(pair.client.session?.id, id);
    assert.deepEqual(events.sort(), [
      ...Array<string>(4).fill("detached"),
      ...Array<string>(4).fill("resumed"),
    ]);
  });

  test("L1 J1: every callback of a session runs in the async context in which it was passed, on each socket", async () => {
    const context = new AsyncLocalStorage<string>();
    const seen: string[] = [];
    const note = (what: string): void => void seen.push(`${what} in ${context.getStore() ?? "none"}`);
    await using pair = await context.run("setup", () =>
      SessionPair.begin({
        server: { sessions: { owner: () => (note("owner"), null) } },
        client: { onOpen: () => note("onOpen") },
        handler: (connection) => {
          note("handler");
          return keepOpen(connection);
        },
      }),
    );
    await until(() => pair.connections.length === 1 && pair.client.status.state === "open", "open");
    const events = ["detached", "resumed"] as const;
    for (const name of events) {
      context.run("client", () => pair.client.on(name, () => note(`client ${name}`)));
      context.run("server", () => pair.connection.on(name, () => note(`server ${name}`)));
    }
    context.run("reader", () => {
      void pair.client.forEach(() => note("client message")).catch(() => undefined);
      void pair.connection.forEach(() => note("server message")).catch(() => undefined);
    });
    for (let cut = 0; cut < 2; cut++) {
      await context.run("cut", () => pair.cut());
      const resumed = [next(pair.client, "resumed"), next(pair.connection, "resumed")];
      context.run("sender", () => {
        void pair.connection.send("s");
        void pair.client.send("c");
      });
      await context.run("reconnect", () => pair.reconnect());
      await Promise.all(resumed);
      await pair.client.send("last", { until: "delivered" });
      await pair.connection.send("last", { until: "delivered" });
    }
    const expected = [
      "client detached in client",
      "client message in reader",
      "client resumed in client",
      "handler in setup",
      "onOpen in setup",
      "owner in setup",
      "server detached in server",
      "server message in reader",
      "server resumed in server",
    ];
    assert.deepEqual([...new Set(seen)].sort(), expected);
  });

  const FAKES: [string, MockTimersOptions][] = [
    ["setTimeout", { apis: ["setTimeout"] }],
    ["setTimeout and Date", { apis: ["setTimeout", "Date"] }],
    ["everything, in 1970", { apis: ["setInterval", "setTimeout", "setImmediate", "Date"], now: 0 }],
  ];
  for (const [name, options] of FAKES) {
    test(`L1 C20: with fakes of ${name}, a session confirms, resumes and expires when time is advanced`, async () => {
      mock.timers.enable(options);
      try {
        await using pair = await SessionPair.begin({ server: { sessions: { retain: 30_000 } } });
        await until(() => pair.connections.length === 1 && pair.client.session !== null, "the session");
        let isDelivered = false;
        void pair.client.send("c1", { until: "delivered" }).then(() => (isDelivered = true));
        assert.equal(await pair.connection.recv(), "c1");
        await advanceUntil(() => isDelivered, "the confirmation", 100);
        const events: string[] = [];
        pair.client.on("lost", ({ reason }) => events.push(`lost ${reason}`));
        pair.connection.on("lost", ({ reason }) => events.push(`server lost ${reason}`));
        pair.client.on("resumed", ({ replayedIn }) => events.push(`resumed ${replayedIn}`));

        pair.proxy.cut({ kind: "rst" });
        await until(() => !pair.isAttached, "the cut");
        await pair.connection.send("s1");
        await advanceUntil(() => pair.isAttached, "the next socket", 5);
        assert.equal(await pair.client.recv(), "s1");
        await until(() => events.length === 1, "the report");

        await pair.proxy.accept("reset");
        pair.proxy.cut({ kind: "rst" });
        await until(() => !pair.isAttached, "the cut");
        await advanceUntil(
          () => events.length >= 2,
          "the end of the session",
          1_000,
          () => [
            events,
            pair.client.status,
            pair.client.session,
            pair.connection.session,
            pair.connection.state,
          ],
        );
        await pair.proxy.accept("forward");
        await advanceUntil(() => events.length >= 3 && pair.connections.length >= 2, "the next session", 5);
        assert.deepEqual(events, ["resumed 1", "server lost expired", "lost expired"]);
      } finally {
        mock.timers.reset();
      }
    });
  }
});
