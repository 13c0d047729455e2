import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Connection } from "../../../build/index.js";
import { assertLinear } from "holdfast-testkit";
import { Harness } from "../harness.js";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

async function heapAfterGarbage(): Promise<number> {
  for (let turn = 0; turn < 3; turn++) {
    await new Promise(setImmediate);
    collectGarbage();
  }
  return process.memoryUsage().heapUsed;
}

type Wait = (connection: Connection, signal: AbortSignal) => Promise<unknown>;

const LARGE = new Uint8Array(64 * 1024 + 1);

/** Calls that wait, each with the condition that makes it wait. */
const WAITS: Readonly<Record<string, { readonly wait: Wait; readonly isBehindPieces?: boolean }>> = {
  "sends that wait for the socket": {
    wait: (connection, signal) => connection.send("x".repeat(100), { signal }),
  },
  "large sends": { wait: (connection, signal) => connection.send(LARGE, { signal }) },
  "sends that wait for pieces": {
    wait: (connection, signal) => connection.send("x", { signal }),
    isBehindPieces: true,
  },
};

describe("Many calls that wait", () => {
  for (const [name, { wait, isBehindPieces = false }] of Object.entries(WAITS)) {
    for (const isShared of [true, false]) {
      const signals = isShared ? "with one signal" : "each with its signal";
      test(`E5: aborting ${name}, ${signals}, takes time proportional to their number`, async () => {
        const sendAndAbort = async (count: number): Promise<void> => {
          const h = new Harness({ role: "server", capacity: 0, closeTimeout: null });
          const pieces = isBehindPieces ? h.connection.send(never()) : null;
          if (pieces === null) void h.connection.send("x".repeat(100_000));
          const shared = new AbortController();
          const aborters: AbortController[] = [];
          const waiting: Promise<unknown>[] = [];
          for (let index = 0; index < count; index++) {
            const aborter = isShared ? shared : new AbortController();
            aborters.push(aborter);
            waiting.push(wait(h.connection, aborter.signal));
          }
          const outcomes = Promise.allSettled(waiting);
          for (const aborter of aborters) aborter.abort(new Error("enough"));
          assert.ok((await outcomes).every(({ status }) => status === "rejected"));
          h.connection.terminate();
        };
        await assertLinear(4_800, sendAndAbort, `Aborting ${name}`);
      });
    }
  }

  test("E5: aborting a queued send keeps the order of the others", async () => {
    const h = new Harness({ capacity: 0, pingInterval: null });
    const aborter = new AbortController();
    void h.connection.send("first".padEnd(100_000));
    const fates = Array.from({ length: 1000 }, (_, index) =>
      h.connection
        .send(`${index}`.padEnd(100), index % 3 === 0 ? {} : { signal: aborter.signal })
        .then(() => index)
        .catch(() => -1),
    );
    aborter.abort();
    h.transport.drain(10_000_000);
    h.clock.advance(0);
    const kept = (await Promise.all(fates)).filter((index) => index >= 0);
    const arrived = h.sentFrames().map(({ payload }) => Buffer.from(payload).toString().trim());
    assert.deepEqual(arrived, ["first", ...kept.map(String)]);
    assert.equal(kept.length, 334);
  });
});

describe("Many pings", () => {
  for (const [name, end] of [
    ["aborting pings that are not yet written", (_: Harness, aborter: AbortController) => aborter.abort()],
    ["ending a connection with many pings in flight", (h: Harness) => h.connection.terminate()],
  ] as const) {
    test(`C4: ${name} takes time proportional to their number`, async () => {
      const pingAndEnd = async (count: number): Promise<void> => {
        const h = new Harness();
        const aborter = new AbortController();
        const pings = Array.from({ length: count }, () =>
          h.connection.ping(null, { signal: aborter.signal }),
        );
        end(h, aborter);
        h.clock.advance(0);
        await Promise.allSettled(pings);
        await assert.rejects(Promise.all(pings));
        h.connection.terminate();
      };
      await assertLinear(16_000, pingAndEnd, name);
    });
  }
});

describe("Calls that have settled", () => {
  const CALLS: Readonly<Record<string, (h: Harness, signal: AbortSignal) => Promise<unknown>>> = {
    "send() of an iterable": (h, signal) => h.connection.send(["a", "b"], { signal }),
    "send() after an iterable": (h, signal) => {
      void h.connection.send(["a", "b"]);
      return h.connection.send("c", { signal });
    },
    "recv()": (h, signal) => {
      const receiving = h.connection.recv({ signal });
      h.deliver(h.text("x"));
      return receiving;
    },
    "recv() that is aborted": (h) => {
      const aborter = new AbortController();
      const receiving = h.connection.recv({ signal: aborter.signal }).catch(() => undefined);
      aborter.abort();
      return receiving;
    },
    "ping()": (h, signal) => {
      const pinging = h.connection.ping("x", { signal, timeout: 1000 });
      h.clock.advance(0);
      h.deliver(h.pong("x"));
      return pinging;
    },
    "forEach() that is aborted": (h) => {
      const aborter = new AbortController();
      const reading = h.connection
        .forEach(() => undefined, { signal: aborter.signal })
        .catch(() => undefined);
      aborter.abort();
      return reading;
    },
  };

  for (const [name, call] of Object.entries(CALLS)) {
    test(`E5: ${name}: five thousand leave nothing behind, neither in the connection nor on the signal`, async () => {
      const h = new Harness({ pingInterval: null });
      void h.connection.closed;
      const { signal } = new AbortController();
      const run = async (count: number): Promise<void> => {
        for (let index = 0; index < count; index++) {
          await call(h, signal);
          if (index % 50 === 0) {
            h.clock.advance(0);
            h.transport.drain(1_000_000);
            h.sentFrames();
          }
        }
      };
      await run(1000);
      const before = await heapAfterGarbage();
      await run(5000);
      const grown = (await heapAfterGarbage()) - before;
      // The harness's peer keeps the frames that it received.
      assert.ok(grown < 5000 * 900, `${Math.round(grown / 5000)} bytes each`);
      assert.equal(getEventListeners(signal, "abort").length, 0);
      h.connection.terminate();
    });
  }

  test("E6: a message of many pieces keeps no sent piece in memory", async () => {
    const h = new Harness({ pingInterval: null });
    let before = 0;
    let after = 0;
    await h.connection.send(
      (async function* () {
        for (let index = 0; index < 22_000; index++) {
          yield "x";
          if (index === 2000) before = await heapAfterGarbage();
        }
        after = await heapAfterGarbage();
      })(),
    );
    assert.ok(after - before < 20_000 * 200, `${Math.round((after - before) / 20_000)} bytes each`);
  });
});

async function* never(): AsyncGenerator<string> {
  await new Promise(() => undefined);
  yield "";
}
