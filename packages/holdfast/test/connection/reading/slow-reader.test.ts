// Tests readers that are slower than the peer, while the connection is open and while it closes.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Connection } from "../../../build/connection/connection.js";
import { coreOf } from "../../../build/connection/core-of.js";
import type { Message } from "../../../build/connection/reading/inbox.js";
import { Alarm } from "../../../build/connection/timer-queue.js";
import { toNodeStream } from "../../../build/streams/node-stream.js";
import { toWebStreams } from "../../../build/streams/web-streams.js";
import { follow, Harness, ROLES, type Setup } from "../harness.js";

const COUNT = 300;
/** A message of the size takes 1,032 bytes of memory, of at most 64 KiB. */
const SIZE = 1_000;
const MOST = 64;

function slow(setup: Setup = {}): Harness {
  return new Harness({ maxQueue: { messages: 4, bytes: 8_000 }, ...setup });
}

const numbered = (index: number): string => String(index).padEnd(SIZE, ".");
const numberOf = (message: Message): number => parseInt(String(message), 10);
const upTo = (end: number): number[] => Array.from({ length: end }, (_, index) => index);

function arrive(h: Harness, count = COUNT): void {
  for (let index = 0; index < count; index++) h.transport.arrive(h.text(numbered(index)));
}

function sleep(h: Harness, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    h.runtime.timers.set(new Alarm({ onAlarm: () => resolve() }), h.clock.now() + milliseconds);
  });
}

type Take = (message: Message) => Promise<void>;

async function callEach(source: AsyncIterable<Message>, take: Take): Promise<void> {
  for await (const message of source) await take(message);
}

const READERS: Readonly<Record<string, (connection: Connection, take: Take) => Promise<unknown>>> = {
  "forEach()": (connection, take) => connection.forEach(take),
  "for await": callEach,
  "recv()": async (connection, take) => {
    for (;;) {
      const message = await connection.recv().catch(() => null);
      if (message === null) return;
      await take(message);
    }
  },
  "toNodeStream()": (connection, take) =>
    callEach(toNodeStream(connection, { objectMode: true, highWaterMark: 1 }), take),
  "toWebStreams()": (connection, take) => callEach(toWebStreams(connection).readable, take),
};

for (const role of ROLES) {
  describe(`A ${role} that closes while messages arrive`, () => {
    for (const [name, read] of Object.entries(READERS)) {
      test(`D8: a slow reader with ${name} gets every message before the peer's Close, in bounded memory`, async () => {
        const h = slow({ role });
        const seen: number[] = [];
        let most = 0;
        const reading = follow(
          read(h.connection, async (message) => {
            seen.push(numberOf(message));
            if (seen.length === 3) void h.connection.close();
            most = Math.max(most, coreOf(h.connection).inbox.length);
            await sleep(h, 25);
          }),
        );
        arrive(h);
        h.transport.arrive(h.close(1000));
        h.transport.arriveEof();
        await h.clock.advanceAsync(9_000);
        assert.deepEqual(seen, upTo(COUNT));
        assert.equal(reading.outcome.status, "fulfilled");
        assert(most <= MOST, `${most} messages waited`);
        const { cause, clean, evidence } = await h.end();
        assert.deepEqual([cause, clean], ["local-close", true]);
        assert.deepEqual([evidence.messagesReceived, evidence.messagesUnread <= MOST], [COUNT, true]);
        h.assertGone();
      });
    }

    test("D4, D8: a reader that is too slow for closeTimeout gets what was received, in order, before the error", async () => {
      const h = slow({ role });
      const seen: number[] = [];
      const reading = follow(
        callEach(h.connection, async (message) => {
          seen.push(numberOf(message));
          if (seen.length === 3) void h.connection.close();
          await sleep(h, 1_000);
        }),
      );
      arrive(h);
      h.transport.arrive(h.close(1000));
      await h.clock.advanceAsync(13_000);
      const { cause, ok, evidence } = await h.end();
      assert.deepEqual([cause, ok], ["close-timeout", false]);
      await h.clock.advanceAsync(100_000);
      assert.deepEqual(seen, upTo(evidence.messagesReceived));
      assert.equal(
        reading.outcome.status === "rejected" && String(reading.outcome.error),
        `ConnectionClosedError: ${h.ends[0]?.message}`,
      );
      h.assertGone();
    });

    for (const [name, isBusy, patience] of [
      ["nobody reads", false, 1_000],
      ["a callback waits for close()", true, 5_000],
    ] as const) {
      test(`D10: if ${name}, the Close arrives after ${patience} ms, and the reader gets the first messages and how many are missing`, async () => {
        const h = slow({ role });
        const seen: number[] = [];
        const read = () =>
          follow(
            h.connection.forEach((message) => {
              seen.push(numberOf(message));
              return h.connection.close();
            }),
          );
        const early = isBusy ? read() : null;
        arrive(h);
        h.clock.turn();
        void h.connection.close();
        h.transport.arrive(h.close(1000));
        h.transport.arriveEof();
        await h.clock.advanceAsync(patience - 200);
        assert.deepEqual([h.connection.state, seen], ["closing", isBusy ? [0] : []]);
        await h.clock.advanceAsync(400);
        const { clean, evidence } = await h.end();
        const unread = COUNT - (isBusy ? 1 : 0);
        assert.deepEqual([clean, evidence.messagesReceived, evidence.messagesUnread], [true, COUNT, unread]);
        const reading = early ?? read();
        await h.clock.settle();
        const { outcome } = reading;
        assert(seen.length >= MOST - 1 && seen.length <= MOST + 1, `${seen.length} were kept`);
        assert.deepEqual(seen, upTo(seen.length));
        const missing = `so that ${COUNT - seen.length} messages were dropped`;
        assert.match(
          outcome.status === "rejected" ? String(outcome.error) : outcome.status,
          new RegExp(missing),
        );
        h.assertGone();
      });
    }
  });

  describe(`A ${role} with a full inbox`, () => {
    test("C10: a Ping behind more messages than maxQueue is answered after a second, however slow the reader is", async () => {
      const h = slow({ role });
      const events: string[] = [];
      h.connection.on("paused", () => events.push("paused"));
      h.connection.on("resumed", () => events.push("resumed"));
      void h.connection.forEach(() => new Promise(() => undefined));
      for (let index = 0; index < 40; index++) h.transport.arrive(h.text("x"));
      h.transport.arrive(h.ping("alive?"));
      await h.clock.advanceAsync(900);
      const core = coreOf(h.connection);
      assert.deepEqual([h.sent(), core.pauseReasons, events], [[], ["inbox"], ["paused"]]);
      await h.clock.advanceAsync(200);
      assert.deepEqual([h.sent(), core.pauseReasons, events], [["PONG alive?"], [], ["paused"]]);
      h.connection.terminate();
      await h.end();
    });

    for (const bytes of [8_000, null])
      test(`E3, E4: once the memory limit is used up, reading stops, and a slow reader loses nothing (bytes: ${bytes})`, async () => {
        const count = bytes === null ? 3_000 : COUNT;
        const h = slow({ role, maxQueue: { messages: 4, bytes } });
        arrive(h, count);
        const seen: number[] = [];
        let isStuck = true;
        void h.connection.forEach(async (message) => {
          seen.push(numberOf(message));
          while (isStuck) await sleep(h, 1_000);
        });
        await h.clock.advanceAsync(60_500);
        const core = coreOf(h.connection);
        assert.deepEqual([h.transport.isPaused, core.pauseReasons], [true, ["inbox"]]);
        const most = bytes === null ? (2 * 1024 * 1024) / (SIZE + 32) + 1 : MOST;
        assert(
          core.inbox.length <= most && core.inbox.length > most - 3,
          `${core.inbox.length} messages wait`,
        );
        isStuck = false;
        await h.clock.advanceAsync(10_000);
        assert.deepEqual(seen, upTo(count));
        h.connection.terminate();
        await h.end();
      });

    const idle: Readonly<Record<string, (connection: Connection) => AsyncIterable<Message>>> = {
      "an iteration": (connection) => {
        const iterator = connection[Symbol.asyncIterator]();
        return { [Symbol.asyncIterator]: () => iterator };
      },
      "toNodeStream()": (connection) => toNodeStream(connection, { objectMode: true }),
      "toWebStreams()": (connection) => toWebStreams(connection).readable,
    };
    for (const [name, make] of Object.entries(idle))
      test(`E4: ${name} that is made and begun late loses nothing`, async () => {
        const h = slow({ role });
        const source = make(h.connection);
        void h.connection.closed;
        arrive(h);
        await h.clock.advanceAsync(20_000);
        const seen: number[] = [];
        void callEach(source, (message) => {
          seen.push(numberOf(message));
          return Promise.resolve();
        }).catch(() => undefined);
        await h.clock.advanceAsync(10_000);
        assert.deepEqual(seen, upTo(COUNT));
        h.connection.terminate();
        await h.end();
      });

    test("E4: recvStream() that is made and begun late loses nothing", async () => {
      const h = slow({ role });
      const stream = h.connection.recvStream();
      arrive(h);
      await h.clock.advanceAsync(20_000);
      const seen: number[] = [];
      for await (const piece of stream) seen.push(numberOf(piece));
      void h.connection.forEach((message) => void seen.push(numberOf(message)));
      await h.clock.advanceAsync(10_000);
      assert.deepEqual(seen, upTo(COUNT));
      h.connection.terminate();
      await h.end();
    });

    for (const [name, leave] of [
      ["an iteration", (c: Connection) => c[Symbol.asyncIterator]().return?.()],
      ["a recvStream()", (c: Connection) => c.recvStream().return?.()],
    ] as const)
      test(`D10: ${name} that was made and left does not hold the peer's Close back`, async () => {
        const h = slow({ role });
        await leave(h.connection);
        arrive(h);
        h.transport.arrive(h.close(1000));
        await h.clock.advanceAsync(6_500);
        assert.deepEqual(h.sent(), ["CLOSE 1000"]);
        h.transport.eof();
        assert.equal((await h.end()).clean, true);
      });
  });
}
