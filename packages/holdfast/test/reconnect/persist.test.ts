// persist(), on the fake clock: when it waits, how long, and what ends it.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { backoffDelay, DEFAULT_BACKOFF } from "../../build/reconnect/retry/backoff.js";
import { persist } from "../../build/reconnect/persist.js";
import type { PersistOptions } from "../../build/reconnect/retry/persist-options.js";
import type { BackOffEvent, ClientEvent } from "../../build/reconnect/events.js";
import { HandshakeError, InvalidStatusError } from "../../build/shared/errors.js";
import { Consumer } from "./consumer.js";
import { assertAttempts } from "./grammar.js";
import {
  close,
  ScriptedClient,
  ScriptedConnector,
  text,
  type ScriptedAttempt,
} from "./scripted-connector.js";

const refused = () => new HandshakeError("refused", { failure: "refused" });
const status = (code: number, retryAfter: number | null = null) =>
  new InvalidStatusError(`got ${code}`, {
    status: code,
    headers: new Headers(),
    body: new Uint8Array(),
    retryAfter,
  });

interface Scene {
  readonly connector: ScriptedConnector;
  readonly clock: ScriptedConnector["clock"];
  readonly client: ScriptedClient;
  readonly consumer: Consumer;
}

function begin(
  onAttempt: (attempt: ScriptedAttempt) => void,
  options: PersistOptions = {},
  { body, seed }: { body?: (event: ClientEvent, client: ScriptedClient) => unknown; seed?: number } = {},
): Scene {
  const connector = new ScriptedConnector(onAttempt, seed);
  const client = new ScriptedClient(connector);
  const consumer = new Consumer(persist(client, options), client, (event) => body?.(event, client));
  return { connector, clock: connector.clock, client, consumer };
}

function backOffs(consumer: Consumer): readonly BackOffEvent[] {
  return consumer.seen.flatMap(({ event }) => (event.type === "backOff" ? [event] : []));
}

/** These random delays use at least half of the range. */
function assertSpread(delays: readonly number[], least: number, most: number): void {
  const spread = Math.max(...delays) - Math.min(...delays);
  assert(spread >= (most - least) / 2 - 1, `${spread} of ${least} to ${most}`);
}

async function stop({ client, clock, consumer, connector }: Scene): Promise<void> {
  client.terminate();
  await clock.settle();
  await consumer.finished;
  connector.assertNothingLeft();
}

describe("persist()", () => {
  test("F1: the events of an attempt, backOff, and connecting again", async () => {
    const scene = begin((attempt) => attempt.fail(refused()), { firstDelay: 1000 });
    const { clock, consumer, connector } = scene;
    await clock.settle();
    assert.deepEqual(consumer.types, ["connecting", "connectFail", "disconnected", "backOff"]);
    assert.equal(scene.client.state, "closed");
    const [first] = backOffs(consumer);
    assert.deepEqual(first, {
      type: "backOff",
      at: 0,
      receivedAt: clock.wallNow(),
      delay: first.delay,
      attempt: 1,
      requestedByServer: false,
      reason: "refused",
      retryAt: clock.wallNow() + first.delay,
    });
    await clock.advanceAsync(first.delay - 0.001);
    assert.equal(connector.attempts.length, 1);
    await clock.advanceAsync(0.001);
    assert.equal(connector.attempts.length, 2);
    assert.deepEqual(
      consumer.seen.flatMap(({ event }) => (event.type === "connecting" ? [event.attempt] : [])),
      [1, 2],
    );
    await stop(scene);
    assertAttempts(consumer.types);
  });

  test("F9: the return of the network ends the wait at once, and is watched only during the wait", async () => {
    const scene = begin((attempt) => attempt.fail(refused()), { minDelay: 10_000, firstDelay: 20_000 });
    const { clock, connector } = scene;
    await clock.settle();
    assert.equal(connector.watchers.size, 1);
    for (let count = 2; count <= 4; count++) {
      connector.returnNetwork();
      await clock.settle();
      assert.equal(connector.attempts.length, count);
      assert.equal(connector.watchers.size, 1);
    }
    assert.equal(clock.now(), 0);
    await stop(scene);
    assert.equal(connector.watchers.size, 0);
  });

  test("F4, F9: a wait that the server asked for is kept, whatever the network does", async () => {
    const scene = begin((attempt) => {
      attempt.connected();
      attempt.fail(status(503, 60_000));
    });
    await scene.clock.settle();
    scene.connector.returnNetwork();
    await scene.clock.settle();
    assert.equal(scene.connector.attempts.length, 1);
    await stop(scene);
  });

  test("F2: with default options, the delays follow the policy", async () => {
    const scene = begin((attempt) => attempt.fail(refused()), {}, { seed: 7 });
    await scene.clock.advanceAsync(300_000);
    const delays = backOffs(scene.consumer);
    assert(delays.length >= 10);
    for (const { attempt, delay } of delays) {
      const least = backoffDelay(attempt, DEFAULT_BACKOFF, 0);
      const most = backoffDelay(attempt, DEFAULT_BACKOFF, 1);
      assert(delay >= least && delay < most, `${attempt}: ${least} <= ${delay} < ${most}`);
    }
    assert.deepEqual(
      delays.map(({ attempt }) => attempt),
      delays.map((_, index) => index + 1),
    );
    // Delays are random: another seed gives other delays.
    const other = begin((attempt) => attempt.fail(refused()), {}, { seed: 8 });
    await other.clock.settle();
    assert.notEqual(backOffs(other.consumer)[0].delay, delays[0].delay);
    await stop(other);
    await stop(scene);
  });

  test("F2: the delays follow custom options", async () => {
    const options = { minDelay: 100, firstDelay: 200, maxDelay: 1000, factor: 2 };
    const scene = begin((attempt) => attempt.fail(refused()), options);
    await scene.clock.advanceAsync(10_000);
    for (const { attempt, delay } of backOffs(scene.consumer)) {
      assert(delay >= backoffDelay(attempt, options, 0) && delay < backoffDelay(attempt, options, 1));
    }
    await stop(scene);
  });

  test("F3: a server that accepts and closes at once sees delays grow", async () => {
    const scene = begin((attempt) => {
      attempt.open(close(1000));
      attempt.transport.arriveEof();
    });
    await scene.clock.advanceAsync(120_000);
    const { length } = scene.connector.attempts;
    assert(length >= 5 && length <= 12, `${length} attempts`);
    assert.deepEqual(
      backOffs(scene.consumer).map(({ attempt }) => attempt),
      Array.from({ length }, (_, index) => index + 1),
    );
    await stop(scene);
    assertAttempts(scene.consumer.types);
  });

  test("F3: a connection that stayed up for stableAfter makes the next wait a first one, one that did not does not", async () => {
    const uptimes = [4999, 4999, 5000, 0];
    const scene = begin((attempt) => attempt.open());
    const seen: number[] = [];
    for (const uptime of uptimes) {
      await scene.clock.settle();
      await scene.clock.advanceAsync(uptime);
      scene.connector.attempt.transport.fail();
      await scene.clock.settle();
      const backOff = scene.consumer.find("backOff");
      seen.push(backOff?.attempt ?? 0);
      await scene.clock.advanceAsync(backOff?.delay ?? 0);
    }
    assert.deepEqual(seen, [1, 2, 1, 2]);
    assert.equal(scene.consumer.find("connecting")?.attempt, 3);
    await stop(scene);
  });

  const asked = [
    ["Retry-After: 120", status(503, 120_000), {}, 120_000, 144_000],
    ["Retry-After: 1", status(429, 1000), {}, 1000, 3000],
    ["Retry-After: 0, which is the law's business", status(503, 0), {}, 0, 2000],
    ["290 s, of which maxRetryAfter leaves 10 for the spread", status(503, 290_000), {}, 290_000, 300_001],
    ["a year, up to maxRetryAfter", status(503, 366 * 86_400_000), {}, 240_000, 300_001],
    ["two years, up to maxRetryAfter", status(503, 732 * 86_400_000), {}, 240_000, 300_001],
    ["2 s, up to a maxRetryAfter below the width", status(503, 2000), { maxRetryAfter: 500 }, 0, 501],
    [
      "2 s, where minDelay is maxRetryAfter",
      status(503, 2000),
      { minDelay: 500, maxRetryAfter: 500 },
      500,
      501,
    ],
    [
      "a year, up to a maxRetryAfter of one's own",
      status(503, 366 * 86_400_000),
      { maxRetryAfter: 60_000 },
      48_000,
      60_001,
    ],
    [
      "a year, and no maxRetryAfter: as long as timers can",
      status(503, 366 * 86_400_000),
      { maxRetryAfter: null },
      1.7e9,
      2 ** 31,
    ],
    ["less than minDelay", status(503, 10), { minDelay: 2000 }, 2000, 4000],
    ["less than the law", status(503, 10), { minDelay: 9000, firstDelay: 9000 }, 9000, 18_000],
  ] as const;
  for (const [what, error, options, least, most] of asked) {
    test(`F4: ${what}, is honoured`, async () => {
      const delays: number[] = [];
      for (let seed = 1; seed <= 20; seed++) {
        const scene = begin((attempt) => attempt.fail(error), options, { seed });
        await scene.clock.settle();
        const [{ delay, requestedByServer }] = backOffs(scene.consumer);
        assert(delay >= least && delay < most, `${least} <= ${delay} < ${most}`);
        assert.equal(requestedByServer, true);
        delays.push(delay);
        await stop(scene);
      }
      assertSpread(delays, least, most);
    });
  }

  test("F2: the server's width is that of the first wait, within minDelay and maxDelay", async () => {
    for (const [options, width, least, most] of [
      [{}, 100, 0, 100],
      [{}, 20_000, 0, 20_000],
      [{}, Infinity, 0, 30_000],
      [{}, 1e300, 0, 30_000],
      [{ maxDelay: 700 }, 1e9, 0, 700],
      [{ minDelay: 50 }, 0, 50, 51],
      [{ firstDelay: 9_000 }, 300, 0, 300],
    ] as const) {
      const delays: number[] = [];
      for (let seed = 1; seed <= 20; seed++) {
        const scene = begin((attempt) => attempt.open(), { ...options, stableAfter: 0 }, { seed });
        await scene.clock.settle();
        scene.connector.attempt.spread(5); // The newest counts.
        scene.connector.attempt.spread(width);
        scene.connector.attempt.transport.fail();
        await scene.clock.settle();
        delays.push(backOffs(scene.consumer)[0].delay);
        await stop(scene);
      }
      const seen = `${Math.min(...delays)} to ${Math.max(...delays)} of ${least} to ${most}`;
      assert(
        delays.every((delay) => delay >= least && delay <= most),
        seen,
      );
      assertSpread(delays, least, most);
    }
  });

  test("F2: later waits grow as without that width, and so does the first one after a server that sent none", async () => {
    const scene = begin((attempt) => {
      if (scene.connector.attempts.length === 1) attempt.open();
      else attempt.fail(refused());
    });
    await scene.clock.settle();
    scene.connector.attempt.spread(10);
    await scene.clock.advanceAsync(6_000); // It was up long enough for a first wait.
    scene.connector.attempt.transport.fail();
    await scene.clock.advanceAsync(10_000);
    const [first, second, third] = backOffs(scene.consumer).map(({ delay }) => delay);
    assert(first <= 10, `${first}`);
    assert(second >= 1_618 && second <= 3_236, `${second}`);
    assert(third === undefined || third >= 2_618, `${third}`);
    await stop(scene);
  });

  test("F4: from the second wait on, a small maxRetryAfter does not shorten the backoff", async () => {
    const scene = begin((attempt) => attempt.fail(status(503, 2000)), { maxRetryAfter: 1 });
    await scene.clock.advanceAsync(120_000);
    assert(scene.connector.attempts.length <= 13, `${scene.connector.attempts.length} attempts`);
    await stop(scene);
  });

  test("F4: a server that always answers Retry-After: 0 is retried with the usual backoff", async () => {
    const scene = begin((attempt) => attempt.fail(status(503, 0)));
    await scene.clock.advanceAsync(120_000);
    assert(scene.connector.attempts.length <= 12, `${scene.connector.attempts.length} attempts`);
    await stop(scene);
  });

  test("F4: clients that received the same Retry-After reconnect spread over time", async () => {
    const delays: number[] = [];
    for (let seed = 1; seed <= 200; seed++) {
      const scene = begin((attempt) => attempt.fail(status(503, 120_000)), {}, { seed });
      await scene.clock.settle();
      delays.push(backOffs(scene.consumer)[0].delay);
      await stop(scene);
    }
    delays.sort((one, other) => one - other);
    // None of the 24 seconds has more than a tenth of the attempts.
    for (const [index, delay] of delays.entries()) {
      assert(delays.slice(index).filter((other) => other < delay + 1000).length <= 20);
    }
  });

  for (const code of [1012, 1013]) {
    test(`F4: a Close with ${code} requests 5 to 30 s, within custom options`, async () => {
      for (const [options, least, most] of [
        [{}, 5000, 30_000],
        [{ firstDelay: 10, maxDelay: 40 }, 10, 40],
        [{ firstDelay: 2000, maxDelay: 1000 }, 0, 1000],
        [{ maxRetryAfter: 6000 }, 5000, 6001],
        [{ maxRetryAfter: 3000 }, 0, 3001],
        [{ maxRetryAfter: 40_000, minDelay: 6000 }, 6000, 30_000],
      ] as const) {
        const delays: number[] = [];
        for (let seed = 1; seed <= 20; seed++) {
          const scene = begin((attempt) => attempt.open(close(code)), options, { seed });
          await scene.clock.settle();
          scene.connector.attempt.transport.eof();
          await scene.clock.settle();
          const [{ delay, requestedByServer, reason }] = backOffs(scene.consumer);
          assert(delay >= least && delay < most, `${least} <= ${delay} < ${most}`);
          assert.deepEqual([requestedByServer, reason], [true, "peer-close"]);
          delays.push(delay);
          await stop(scene);
        }
        assertSpread(delays, least, most);
      }
    });
  }

  test("F5: a fatal error ends it quietly, after `disconnected`", async () => {
    const scene = begin((attempt) => attempt.fail(status(401)));
    await scene.consumer.finished;
    assert.deepEqual(scene.consumer.types, ["connecting", "connectFail", "disconnected"]);
    assert.equal(scene.consumer.error, null);
    scene.connector.assertNothingLeft();
  });

  test("F5: an invalid URL ends it without an attempt", async () => {
    const connector = new ScriptedConnector();
    const client = new ScriptedClient(connector, "http:/");
    const consumer = new Consumer(persist(client), client);
    await consumer.finished;
    assert.deepEqual(consumer.types, ["connecting", "connectFail", "disconnected"]);
    assert.deepEqual(connector.attempts, []);
  });

  for (const code of [1000, 1001, 1002, 1003, 1005, 1007, 1008, 1009, 1010, 1011, 4001]) {
    test(`F5: whatever a Close says, here ${code}, the client reconnects`, async () => {
      const scene = begin((attempt) => attempt.open(code === 1005 ? close() : close(code)));
      await scene.clock.settle();
      scene.connector.attempt.transport.eof();
      await scene.clock.settle();
      assert.equal(backOffs(scene.consumer).length, 1);
      await stop(scene);
    });
  }

  test("F5: retryable() receives the error and the default, and decides", async () => {
    const told: unknown[] = [];
    const answers = [true, false];
    const retryable = (error: Error, byDefault: boolean) => {
      told.push([error.message, byDefault]);
      return answers.shift() ?? assert.fail("asked too often");
    };
    let attempts = 0;
    const scene = begin(
      (attempt) => {
        if (++attempts === 1) attempt.fail(status(404));
        else attempt.open(close(4001, "go away"));
      },
      { retryable },
    );
    await scene.clock.advanceAsync(5000);
    scene.connector.attempt.transport.eof();
    await scene.clock.settle();
    await scene.consumer.finished;
    assert.deepEqual(told, [
      ["got 404", false],
      ["received 4001 (private use) go away; then sent 4001 (private use) go away", true],
    ]);
    scene.connector.assertNothingLeft();
  });

  test("F5: the loop throws the error of retryable(), after `disconnected`", async () => {
    const retryable = () => {
      throw new RangeError("mine");
    };
    const scene = begin((attempt) => attempt.fail(refused()), { retryable });
    await scene.consumer.finished;
    assert.deepEqual(scene.consumer.types, ["connecting", "connectFail", "disconnected"]);
    assert.equal((scene.consumer.error as Error).message, "mine");
    scene.connector.assertNothingLeft();
  });

  const moments: readonly (readonly [string, (attempt: ScriptedAttempt) => void, string | null])[] = [
    ["connecting", () => undefined, null],
    ["connected", (attempt) => attempt.connected(), null],
    ["open", (attempt) => attempt.open(text("x")), null],
    ["waiting", (attempt) => attempt.fail(refused()), "backOff"],
  ];
  for (const [moment, onAttempt, last] of moments) {
    for (const how of ["abort", "close()", "terminate()", "leaving the loop"] as const) {
      test(`F6: ${how} while ${moment} ends it in the same turn`, async () => {
        const aborter = new AbortController();
        const connector = new ScriptedConnector(onAttempt);
        const client = new ScriptedClient(connector);
        const events = persist(client, { signal: aborter.signal })[Symbol.asyncIterator]();
        const types: string[] = [];
        const consumer = (async () => {
          for (;;) {
            const result = await events.next();
            if (result.done === true) return;
            types.push(result.value.type);
          }
        })();
        await connector.clock.settle();
        const before = types.length;
        let closed: Promise<unknown> | undefined;
        if (how === "abort") aborter.abort();
        else if (how === "close()") closed = client.close();
        else if (how === "terminate()") client.terminate();
        else closed = events.return?.();
        if (how === "close()" && moment === "open") {
          // The closing handshake needs the peer.
          await connector.clock.settle();
          assert.deepEqual(connector.attempt.sent(), ["CLOSE 1000"]);
          connector.attempt.deliver(close(1000));
          connector.attempt.transport.eof();
        } else {
          assert.equal(connector.attempt.isLive, false);
          assert.equal(connector.runtime.timers.size, 0);
        }
        await connector.clock.settle();
        await closed;
        await consumer;
        if (last !== null) assert.deepEqual(types.slice(before), []);
        else if (how !== "leaving the loop") assert.equal(types.at(-1), "disconnected");
        assert(types.filter((type) => type === "disconnected").length <= 1);
        assert.equal(client.state, "closed");
        await connector.clock.advanceAsync(60_000);
        assert.equal(connector.attempts.length, 1);
        connector.assertNothingLeft();
      });
    }
  }

  test("F6: a signal that aborted before the loop began connects nothing", async () => {
    const scene = begin((attempt) => attempt.open(), { signal: AbortSignal.abort() });
    await scene.consumer.finished;
    assert.deepEqual(scene.consumer.types, []);
    assert.deepEqual(scene.connector.attempts, []);
    scene.connector.assertNothingLeft();
  });

  test("F6: after an abort what was received before can still be consumed", async () => {
    const aborter = new AbortController();
    const scene = begin(
      (attempt) => attempt.open(text("one"), text("two")),
      { signal: aborter.signal },
      {
        body: (event) => {
          if (event.type === "ready") aborter.abort();
        },
      },
    );
    await scene.clock.settle();
    await scene.consumer.finished;
    assert.deepEqual(scene.consumer.types.slice(2), ["ready", "text", "text", "disconnected"]);
    scene.connector.assertNothingLeft();
  });

  test("F6: a wait that ended before the consumer received it is not reported", async () => {
    let release: () => void = () => undefined;
    const busy = new Promise<void>((resolve) => (release = resolve));
    const scene = begin(
      (attempt) => attempt.fail(refused()),
      {},
      { body: (event) => (event.type === "connecting" ? busy : undefined) },
    );
    await scene.clock.settle();
    assert.equal((await scene.client.close())?.cause, "refused");
    release();
    await scene.consumer.finished;
    assert.deepEqual(scene.consumer.types, ["connecting", "connectFail", "disconnected"]);
    scene.connector.assertNothingLeft();
  });

  test("F6: closing only the connection does not end persist(), which opens a new one", async () => {
    const scene = begin(
      (attempt) => attempt.open(),
      {},
      {
        body: (event) => {
          if (event.type === "ready") void event.connection.close(4000, "renew");
        },
      },
    );
    await scene.clock.settle();
    scene.connector.attempt.deliver(close(4000));
    scene.connector.attempt.transport.eof();
    await scene.clock.settle();
    assert.deepEqual(scene.consumer.types.slice(3), ["closed", "disconnected", "backOff"]);
    assert.equal(backOffs(scene.consumer)[0].reason, "local-close");
    await stop(scene);
  });

  test("F7: URL, headers and subprotocols may be functions of the attempt, and promises", async () => {
    const connector = new ScriptedConnector((attempt) => attempt.fail(refused()));
    const client = new ScriptedClient(connector, async (attempt) => `ws://host-${attempt}/`, {
      headers: (attempt: number) => ({ Authorization: `token ${attempt}` }),
      subprotocols: async (attempt) => [`v${attempt}`],
    });
    const consumer = new Consumer(persist(client), client);
    await connector.clock.advanceAsync(20_000);
    const seen = connector.attempts.map(({ url, options }) => [url, options.headers, options.subprotocols]);
    assert.deepEqual(seen.slice(0, 3), [
      ["ws://host-1/", { Authorization: "token 1" }, ["v1"]],
      ["ws://host-2/", { Authorization: "token 2" }, ["v2"]],
      ["ws://host-3/", { Authorization: "token 3" }, ["v3"]],
    ]);
    const urls = consumer.seen.flatMap(({ event }) => (event.type === "connecting" ? [event.url] : []));
    assert.deepEqual(urls.slice(0, 3), ["ws://host-1/", "ws://host-2/", "ws://host-3/"]);
    client.terminate();
    await consumer.finished;
  });

  test("F7: a function that fails is a failed attempt, and the next attempt calls it again", async () => {
    const connector = new ScriptedConnector((attempt) => attempt.open());
    const client = new ScriptedClient(connector, undefined, {
      headers: (attempt: number) => {
        if (attempt === 1) throw new Error("no token");
        return {};
      },
    });
    const consumer = new Consumer(persist(client), client);
    await connector.clock.advanceAsync(5000);
    assert.deepEqual(consumer.types, [
      ...["connecting", "connectFail", "disconnected", "backOff"],
      ...["connecting", "connected", "ready"],
    ]);
    const error = consumer.find("connectFail")?.error;
    assert.deepEqual(
      [error?.code, error?.message, (error?.cause as Error).message],
      [
        "ERR_HOLDFAST_PROVIDER",
        "The function that returns `headers` failed for attempt 1: Error: no token.",
        "no token",
      ],
    );
    client.terminate();
    await connector.clock.settle();
    await consumer.finished;
  });

  test("F7: a function that never answers does not delay an abort, and its signal aborts", async () => {
    const connector = new ScriptedConnector();
    const signals: AbortSignal[] = [];
    const client = new ScriptedClient(connector, (_attempt, signal) => {
      signals.push(signal);
      return new Promise<string>(() => undefined);
    });
    const consumer = new Consumer(persist(client), client);
    await connector.clock.settle();
    assert.deepEqual(consumer.types, []);
    assert.equal(client.state, "connecting");
    const info = await client.close();
    assert.equal(info?.cause, "aborted");
    await consumer.finished;
    assert.deepEqual(consumer.types, ["connecting", "connectFail", "disconnected"]);
    assert.equal(signals[0].aborted, true);
    connector.assertNothingLeft();
  });

  test("F8: two attempts are never alive at the same time, and none begins before the consumer has received the end of the previous one", async () => {
    const live: number[] = [];
    const scene = begin(
      (attempt) => {
        live.push(scene.connector.attempts.filter(({ isLive }) => isLive).length);
        attempt.open(text("hello"));
      },
      { firstDelay: 1 },
    );
    for (let round = 0; round < 50; round++) {
      await scene.clock.settle();
      scene.connector.attempt.transport.fail();
      await scene.clock.settle();
      await scene.clock.advanceAsync(scene.consumer.find("backOff")?.delay ?? 0);
    }
    assert(live.length >= 50);
    assert.deepEqual(new Set(live), new Set([1]));
    await stop(scene);
    assertAttempts(scene.consumer.types);
  });

  test("F8: a consumer that is late gets all of attempt 1 before attempt 2 begins, and then at once", async () => {
    let release: () => void = () => undefined;
    const busy = new Promise<void>((resolve) => (release = resolve));
    const scene = begin(
      (attempt) => attempt.open(text("a"), text("b")),
      {},
      {
        body: (event) => (event.type === "ready" && scene.connector.attempts.length === 1 ? busy : undefined),
      },
    );
    await scene.clock.settle();
    scene.connector.attempt.transport.fail();
    await scene.clock.advanceAsync(60_000);
    assert.equal(scene.connector.attempts.length, 1);
    release();
    await scene.clock.settle();
    assert.deepEqual(scene.consumer.types, [
      ...["connecting", "connected", "ready", "text", "text", "disconnected", "backOff"],
      ...["connecting", "connected", "ready", "text", "text"],
    ]);
    await stop(scene);
  });

  test("F1: invalid options are rejected by name", () => {
    const client = new ScriptedClient(new ScriptedConnector());
    const DELAY = "a number of milliseconds from 0 to 2147483647";
    for (const [options, message] of [
      [{ minDelay: -1 }, `Expected \`minDelay\` to be ${DELAY}, got -1 (number).`],
      [{ firstDelay: NaN }, `Expected \`firstDelay\` to be ${DELAY}, got NaN (number).`],
      [
        { minDelay: 500, maxDelay: 100 },
        "Expected `maxDelay` to be at least `minDelay`, which is 500, got 100 (number).",
      ],
      [{ maxDelay: Infinity }, `Expected \`maxDelay\` to be ${DELAY}, got Infinity (number).`],
      [{ stableAfter: "5s" }, `Expected \`stableAfter\` to be ${DELAY}, got "5s" (string).`],
      [{ factor: 0.5 }, "Expected `factor` to be a number of 1 or more, got 0.5 (number)."],
      [{ factor: null }, "Expected `factor` to be a number of 1 or more, got null."],
      [
        { maxRetryAfter: 0 },
        "Expected `maxRetryAfter` to be a positive number of milliseconds (at most 2147483647) or null, got 0 (number).",
      ],
      [{ retryable: true }, "Expected `retryable` to be a function, got true (boolean)."],
      [{ signal: "x" }, 'Expected `signal` to be an AbortSignal, got "x" (string).'],
    ] as const) {
      assert.throws(() => persist(client, options as never), { name: "InvalidArgumentError", message });
    }
  });
});
