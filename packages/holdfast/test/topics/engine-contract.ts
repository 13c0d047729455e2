// The contract of every engine of topics, as tests. The packages of the engines run them as well: `testEngine("on
// Redis", ["processes", "cuts", "restarts"], openBackend)`.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Engine, HistoryLimits, Publication, Published } from "../../build/topics/engine/engine.js";
import type { Member, PresenceChange } from "../../build/topics/engine/presence-store.js";
import type { Position } from "../../build/topics/position.js";
import type { TopicMessage } from "../../build/topics/topic-event.js";
import { BUSY, ignore, publication, publishAll } from "./engine-calls.js";

/**
 * The backend that the engines of several processes share: a memory engine, or a Redis server. One for all tests of a
 * suite.
 */
export interface EngineBackend {
  /** The engine of one more process, or the one that all share. */
  open(): Engine | Promise<Engine>;
  /** Lets this many milliseconds pass for the engines, of a fake clock; absent if only real time would do. */
  advance?(milliseconds: number): Promise<void> | void;
  /** Cuts all subscriptions without the engines' doing. */
  cutSubscriptions?(): Promise<void>;
  /** Stops what the engines talk to. */
  stop?(): Promise<void>;
  /** Starts it again, without what it held. */
  startEmpty?(): Promise<void>;
  /** Ends the process of this engine without any farewell, as SIGKILL does. */
  kill?(engine: Engine): Promise<void>;
  close(): Promise<void> | void;
}

/**
 * The abilities of a backend beyond `open` and `close`. `"processes"`: each engine is a separate one, and `kill` ends
 * its process. `"cuts"`: `cutSubscriptions`. `"restarts"`: `stop` and `startEmpty`. `"beginnings"`: `listen` begins a
 * history without messages.
 */
export type BackendAbility = "beginnings" | "cuts" | "processes" | "restarts";

const HISTORY: HistoryLimits = { messages: 1_000, age: 300_000 };
/** Characters that mean something to Redis, NATS, JavaScript or the link protocol, and names that differ in one of them. */
const ODD_NAMES = [
  ...[
    "a",
    "A",
    " a",
    "a ",
    "a b",
    "a%20b",
    "%20",
    "a\tb",
    "a\nb",
    "line\nfeed",
    "a\r\nb",
    "\0",
    "a\0",
    "a\0b",
    "\u0016",
  ],
  ...["*", "?", "a*", "a?", "[a]", "[^b]", "a:b:*?[c]\\", "{braces}", "{a", "a}", "{}a", "{a}{b}"],
  ...[
    ">",
    "a.b",
    "a.*",
    "a.>",
    ".",
    "..",
    "a.",
    "$SYS.>",
    "_INBOX.a",
    "é",
    "e\u0301",
    "é😀",
    "\u202e",
    "\ufeff",
  ],
  ...[
    "__proto__",
    "constructor",
    "toString",
    "1",
    "01",
    "-1",
    "'",
    '"',
    '{"a":1}',
    "x".repeat(255),
    "x".repeat(256),
  ],
];

/** Suites that run side by side change the clock of this process and set it right. */
const trueTime = Date.now.bind(Date);

/** Milliseconds within which a message has to arrive: generous, since machines differ. */
const PATIENCE = 30_000;

export function testEngine(
  name: string,
  abilities: readonly BackendAbility[],
  openBackend: () => EngineBackend | Promise<EngineBackend>,
): void {
  const testIf = (ability: BackendAbility, title: string, body: () => Promise<void>): void => {
    if (abilities.includes(ability)) test(title, body);
  };

  describe(`The engine ${name}`, () => {
    let backend: EngineBackend;
    const opened = new Set<Engine>();
    let topics = 0;
    before(async () => {
      backend = await openBackend();
    });
    after(async () => {
      for (const engine of opened) await engine[Symbol.asyncDispose]();
      await backend.close();
    });
    const open = async (): Promise<Engine> => {
      const engine = await backend.open();
      opened.add(engine);
      return engine;
    };
    const newTopic = (): string => `topic ${process.pid} ${++topics}`;

    test("M1: messages with and without history, and with and without an id, arrive in the order of their calls", async () => {
      const [publisher, receiver] = [await open(), await open()];
      const topic = newTopic();
      const follower = await follow(receiver, topic);
      const texts = Array.from({ length: 60 }, (_, index) => String(index));
      const publications = texts.map((text, index) =>
        publication(topic, text, {
          history: index % 3 === 0 ? HISTORY : null,
          id: index % 4 < 2 ? `mixed ${topic} ${text}` : null,
        }),
      );
      await Promise.all([
        publishAll(publisher, publications.slice(0, 30)),
        ...publications.slice(30).map((one) => publishAll(publisher, [one])),
      ]);
      await follower.until(texts.length);
      assert.deepEqual(
        follower.messages.map(({ data }) => data),
        texts,
      );
    });

    test("M1: text and bytes reach the listeners of a topic in each process, and no others", async () => {
      const [first, second] = [await open(), await open()];
      const topic = newTopic();
      const followers = [await follow(first, topic), await follow(second, topic)];
      const other = await follow(second, `${topic}!`);
      const messages = [
        "",
        "text é😀\0\n",
        Uint8Array.of(0, 255, 10),
        new Uint8Array(0),
        "x".repeat(100_000),
      ];
      await publishAll(
        first,
        messages.map((data) => publication(topic, data)),
      );
      await publishAll(second, [publication(topic, "last", { compress: false })]);
      for (const follower of followers) {
        await follower.until(6);
        assert.deepEqual(
          follower.messages.map(({ data }) => plain(data)),
          [...messages, "last"].map(plain),
        );
        assert.deepEqual(
          follower.messages.map(({ type, topic: of, offset, epoch, compress }) => [
            type,
            of,
            offset,
            epoch,
            compress,
          ]),
          [true, true, true, true, true, false].map((compress) => ["message", topic, null, null, compress]),
        );
      }
      assert.deepEqual(other.messages, []);
    });

    test("M1: names of topics may hold any characters, and no message or member reaches another topic", async () => {
      const [publisher, receiver] = [await open(), await open()];
      const prefix = newTopic();
      const names = [...ODD_NAMES, ...ODD_NAMES.map((odd) => `${prefix} ${odd}`)];
      assert.equal(new Set(names).size, names.length);
      const followers = await fewAtOnce(names, (odd) => follow(receiver, odd));
      const published = await fewAtOnce(names, (odd) =>
        publish(publisher, publication(odd, `to ${odd}`, { history: HISTORY, id: "same" })),
      );
      await fewAtOnce(names, (odd) => publisher.presence.join(odd, { id: "same", data: odd }));
      await Promise.all(followers.map((follower) => follower.until(1)));
      for (const [index, odd] of names.entries()) {
        const { epoch, isDuplicate } = published[index];
        assert.ok(epoch !== null && !isDuplicate, odd);
        const page = await receiver.read(odd, { epoch, offset: 0 }, 10);
        for (const messages of [page.messages, followers[index].inOrder()]) {
          assert.deepEqual(
            messages.map(({ topic, data }) => ({ topic, data })),
            [{ topic: odd, data: `to ${odd}` }],
          );
        }
        const { members } = await receiver.presence.list(odd);
        assert.deepEqual(members, [{ id: "same", data: odd }]);
        followers[index].stop();
      }
    });

    test("M1: a listener that stops and starts again before it has begun hears each message once", async () => {
      const [publisher, receiver] = [await open(), await open()];
      const topic = newTopic();
      const heard: unknown[] = [];
      const onMessage = ({ data }: TopicMessage): void => void heard.push(data);
      const listening: Promise<unknown>[] = [];
      for (let turn = 0; turn < 4; turn++) {
        listening.push(receiver.listen(topic, onMessage, ignore));
        await sleep(turn % 2);
        receiver.ignore(topic, onMessage);
      }
      // A call that no longer matters fails no sooner than the others.
      assert.deepEqual(await Promise.all(listening), [null, null, null, null]);
      await receiver.listen(topic, onMessage, ignore);
      await publishAll(publisher, [publication(topic, "1"), publication(topic, "2")]);
      await eventually(() => heard.length >= 2, PATIENCE);
      receiver.ignore(topic, onMessage);
      await publish(publisher, publication(topic, "3"));
      assert.deepEqual(heard, ["1", "2"]);
    });

    test("M2: processes with different limits, and clocks a year apart, share one history, and each page is true", async () => {
      const [small, large] = [await open(), await open()];
      const topic = newTopic();
      const limits = { small: { messages: 3, age: 300_000 }, large: HISTORY };
      let count = 0;
      let epoch = "";
      const publishOn = async (engine: Engine, history: HistoryLimits): Promise<void> => {
        const published = await publish(engine, publication(topic, String(++count), { history }));
        assert.equal(published.offset, count);
        epoch = published.epoch ?? "";
      };
      try {
        for (const years of [0, 1, -2]) {
          Date.now = () => trueTime() + years * 31_536_000_000;
          for (let turn = 0; turn < 5; turn++) {
            await publishOn(large, limits.large);
            await publishOn(small, limits.small);
          }
          for (let offset = 0; offset <= count; offset++) {
            const page = await large.read(topic, { epoch, offset }, 100);
            const expected = range(count - offset).map((index) => String(offset + index + 1));
            const data = page.messages.map((message) => message.data);
            assert.deepEqual(page.newest, { epoch, offset: count });
            assert.deepEqual(data, expected.slice(expected.length - data.length));
            assert.equal(page.isComplete, data.length === expected.length);
          }
        }
      } finally {
        Date.now = trueTime;
      }
      // The limits of the newest message apply.
      const newest = await open();
      await publishOn(newest, limits.small);
      const page = await newest.read(topic, { epoch, offset: 0 }, 100);
      assert.deepEqual(
        page.messages.map(({ data }) => data),
        [count - 2, count - 1, count].map(String),
      );
    });

    test("M1: a function that no longer listens hears nothing more, and others still do", async () => {
      const engine = await open();
      const topic = newTopic();
      const [leaves, stays] = [await follow(engine, topic), await follow(engine, topic)];
      await publish(engine, publication(topic, "both"));
      await Promise.all([leaves.until(1), stays.until(1)]);
      leaves.stop();
      leaves.stop();
      await publish(engine, publication(topic, "one"));
      await stays.until(2);
      stays.stop();
      await publish(engine, publication(topic, "none"));
      const again = await follow(engine, topic);
      await publish(engine, publication(topic, "again"));
      await again.until(1);
      assert.deepEqual(
        [leaves, stays, again].map(({ messages }) => messages.map(({ data }) => data)),
        [["both"], ["both", "one"], ["again"]],
      );
    });

    test("M1: a listener of messages only needs no other function, and one call ends all listeners of a topic", async () => {
      const engine = await open();
      const topic = newTopic();
      const heard: unknown[][] = [[], []];
      for (const texts of heard) await engine.listen(topic, ({ data }) => void texts.push(plain(data)));
      const other = await follow(engine, newTopic());
      await publish(engine, publication(topic, "a"));
      await eventually(() => heard.every((texts) => texts.length === 1), BUSY);
      engine.ignore(topic);
      engine.ignore(topic);
      await publish(engine, publication(topic, "none"));
      const again = await follow(engine, topic);
      await publish(engine, publication(topic, "again"));
      await again.until(1);
      assert.deepEqual(heard, [["a"], ["a"]]);
      assert.deepEqual(other.messages, []);
    });

    test("M2: without history, messages have no position and keep the order of their publisher", async () => {
      const [publisher, receiver] = [await open(), await open()];
      const topic = newTopic();
      const follower = await follow(receiver, topic);
      assert.equal(follower.newest, null);
      const publishing: Promise<readonly Published[]>[] = [];
      for (let first = 0; first < 500; first += 50) {
        publishing.push(
          publishAll(
            publisher,
            range(50).map((index) => publication(topic, `${first + index}`)),
          ),
        );
      }
      const published = (await Promise.all(publishing)).flat();
      assert.deepEqual(
        published,
        range(500).map(() => ({ offset: null, epoch: null, isDuplicate: false })),
      );
      await follower.until(500);
      assert.deepEqual(
        follower.messages.map(({ data }) => data),
        range(500).map(String),
      );
      const page = await receiver.read(topic, { epoch: "any", offset: 0 }, 10);
      assert.deepEqual(page, { messages: [], isComplete: false, newest: null });
    });

    test("M2: with history, offsets count from 1 without holes in one epoch, and pages read them", async () => {
      const [publisher, reader] = [await open(), await open()];
      const topic = newTopic();
      const messages = range(7).map((index) => (index % 2 === 0 ? `${index}` : Uint8Array.of(index)));
      const published = await publishAll(
        publisher,
        messages.map((data) => publication(topic, data, { history: HISTORY, compress: false })),
      );
      const { epoch } = published[0];
      assert.ok(epoch !== null && /^[!-~]{1,64}$/.test(epoch));
      assert.deepEqual(
        published,
        range(7).map((index) => ({ offset: index + 1, epoch, isDuplicate: false })),
      );
      const newest = { epoch, offset: 7 };
      const expected = messages.map((data, index) => [index + 1, epoch, plain(data), false]);
      const readAfter = async (offset: number, limit: number): Promise<unknown> => {
        const page = await reader.read(topic, { epoch, offset }, limit);
        const read = page.messages.map((message) => [
          message.offset,
          message.epoch,
          plain(message.data),
          message.compress,
        ]);
        return { ...page, messages: read };
      };
      assert.deepEqual(await readAfter(0, 100), { messages: expected, isComplete: true, newest });
      assert.deepEqual(await readAfter(2, 3), { messages: expected.slice(2, 5), isComplete: true, newest });
      assert.deepEqual(await readAfter(7, 3), { messages: [], isComplete: true, newest });
      const follower = await follow(reader, topic);
      assert.deepEqual(follower.newest, newest);
    });

    testIf(
      "beginnings",
      "M2: who listens to a topic before its first message can continue from there",
      async () => {
        const [publisher, listener] = [await open(), await open()];
        const topic = newTopic();
        const [one, other] = await Promise.all([publisher, listener].map((e) => follow(e, topic, true)));
        const { newest } = one;
        assert.ok(newest?.offset === 0);
        assert.deepEqual(other.newest, newest, "One history has begun, not two.");
        assert.deepEqual(await listener.read(topic, newest, 10), { messages: [], isComplete: true, newest });
        for (const follower of [one, other]) follower.stop();
        await publishAll(publisher, [publication(topic, "first", { history: HISTORY })]);
        const page = await listener.read(topic, newest, 10);
        assert.deepEqual(page.newest, { ...newest, offset: 1 });
        assert.deepEqual([page.isComplete, page.messages.map(({ data }) => data)], [true, ["first"]]);
      },
    );

    test("M2: publishers in three processes number their messages without holes, each in its own order", async () => {
      const engines = [await open(), await open(), await open()];
      const topic = newTopic();
      const follower = await follow(engines[2], topic);
      assert.equal(follower.newest, null);
      const publishing = engines.flatMap((engine, index) =>
        range(20).map((batch) =>
          publishAll(
            engine,
            range(5).map((place) =>
              publication(topic, `${index} ${batch * 5 + place}`, { history: HISTORY }),
            ),
          ),
        ),
      );
      await Promise.all(publishing);
      await follower.until(300);
      const { epoch } = follower.messages[0];
      assert.ok(epoch !== null);
      const page = await engines[0].read(topic, { epoch, offset: 0 }, 1_000);
      assert.deepEqual(
        page.messages.map(({ offset }) => offset),
        range(300).map((index) => index + 1),
      );
      for (const messages of [page.messages, follower.inOrder()]) {
        for (const index of engines.keys()) {
          assert.deepEqual(
            messages.map(({ data }) => data as string).filter((data) => data.startsWith(`${index} `)),
            range(100).map((place) => `${index} ${place}`),
          );
        }
      }
    });

    test("M2: messages with and without history share a topic: only the former are numbered and kept", async () => {
      const engine = await open();
      const topic = newTopic();
      const follower = await follow(engine, topic);
      const batch = [
        publication(topic, "kept 1", { history: HISTORY }),
        publication(topic, "fleeting"),
        publication(topic, "kept 2", { history: HISTORY }),
      ];
      const published = await publishAll(engine, batch);
      assert.deepEqual(
        published.map(({ offset }) => offset),
        [1, null, 2],
      );
      await follower.until(3);
      const page = await engine.read(topic, { epoch: published[0].epoch ?? "", offset: 0 }, 10);
      assert.deepEqual(
        page.messages.map(({ data }) => data),
        ["kept 1", "kept 2"],
      );
    });

    test("M2: a page says whether messages are missing: trimmed by number, or of another epoch", async () => {
      const engine = await open();
      const topic = newTopic();
      const history = { messages: 3, age: 300_000 };
      const published = await publishAll(
        engine,
        range(10).map((index) => publication(topic, `${index}`, { history })),
      );
      const epoch = published[0].epoch ?? "";
      const newest = { epoch, offset: 10 };
      const read = async (position: Position): Promise<unknown> => {
        const page = await engine.read(topic, position, 10);
        return { ...page, messages: page.messages.map(({ offset }) => offset) };
      };
      assert.deepEqual(await read({ epoch, offset: 0 }), { messages: [8, 9, 10], isComplete: false, newest });
      assert.deepEqual(await read({ epoch, offset: 6 }), { messages: [8, 9, 10], isComplete: false, newest });
      assert.deepEqual(await read({ epoch, offset: 7 }), { messages: [8, 9, 10], isComplete: true, newest });
      assert.deepEqual(await read({ epoch, offset: 10 }), { messages: [], isComplete: true, newest });
      assert.deepEqual(await read({ epoch: "other", offset: 9 }), {
        messages: [8, 9, 10],
        isComplete: false,
        newest,
      });
      assert.deepEqual(await read({ epoch, offset: 11 }), {
        messages: [8, 9, 10],
        isComplete: false,
        newest,
      });
    });

    test("M2: messages leave the history at their age, and the newest position stays", async (t) => {
      const engine = await open();
      const topic = newTopic();
      const history = { messages: 1_000, age: backend.advance === undefined ? 1_000 : 300_000 };
      const { epoch } = await publish(engine, publication(topic, "old", { history }));
      assert.ok(epoch !== null);
      if (backend.advance === undefined) {
        t.diagnostic("in real time");
        await eventually(
          async () => (await engine.read(topic, { epoch, offset: 0 }, 10)).messages.length === 0,
          PATIENCE,
        );
      } else {
        await backend.advance(299_999);
        assert.equal((await engine.read(topic, { epoch, offset: 0 }, 10)).messages.length, 1);
        await backend.advance(1);
      }
      const newest = { epoch, offset: 1 };
      assert.deepEqual(await engine.read(topic, { epoch, offset: 0 }, 10), {
        messages: [],
        isComplete: false,
        newest,
      });
      assert.deepEqual(await engine.read(topic, newest, 10), { messages: [], isComplete: true, newest });
      const next = await publish(engine, publication(topic, "new", { history }));
      assert.deepEqual(next, { epoch, offset: 2, isDuplicate: false });
    });

    test("M4: the same id ten times from three processes is one delivery, and each publisher learns its position", async () => {
      const engines = [await open(), await open(), await open()];
      for (const history of [null, HISTORY]) {
        const topic = newTopic();
        const follower = await follow(engines[0], topic);
        const publishing = range(10).map((index) =>
          publish(engines[index % 3], publication(topic, "once", { id: "order 1", history })),
        );
        const published = await Promise.all(publishing);
        assert.equal(published.filter(({ isDuplicate }) => isDuplicate).length, 9);
        assert.deepEqual(
          new Set(published.map(({ offset }) => offset)),
          new Set([history === null ? null : 1]),
        );
        assert.equal(new Set(published.map(({ epoch }) => epoch)).size, 1);
        await publish(engines[1], publication(topic, "other", { id: "order 2", history }));
        await publish(engines[1], publication(`${topic}!`, "elsewhere", { id: "order 1", history }));
        await follower.until(2);
        assert.deepEqual(
          follower.inOrder().map(({ data }) => data),
          ["once", "other"],
        );
      }
    });

    test("M4: an id twice in one batch is one delivery; it is remembered for two minutes", async () => {
      const engine = await open();
      const topic = newTopic();
      const twice = publication(topic, "twice", { id: "a", history: HISTORY });
      const published = await publishAll(engine, [twice, twice]);
      assert.deepEqual(
        published.map(({ offset, isDuplicate }) => [offset, isDuplicate]),
        [
          [1, false],
          [1, true],
        ],
      );
      if (backend.advance === undefined) return;
      await backend.advance(119_999);
      assert.equal((await publish(engine, twice)).isDuplicate, true);
      await backend.advance(1);
      const { offset, isDuplicate } = await publish(engine, twice);
      assert.deepEqual({ offset, isDuplicate }, { offset: 2, isDuplicate: false });
    });

    test("M5: members of all processes, with versioned changes", async () => {
      const [first, second] = [await open(), await open()];
      const topic = newTopic();
      const ann: Member = { id: "1", data: { name: "Ann" } };
      const bob: Member = { id: "2", data: null };
      await first.presence.join(topic, ann);
      const changes: (PresenceChange | null)[] = [];
      const onChange = (change: PresenceChange | null): void => void changes.push(change);
      const snapshot = await second.presence.watch(topic, onChange);
      assert.deepEqual(snapshot.members, [ann]);
      await second.presence.join(topic, bob);
      await first.presence.join(topic, { ...ann, data: "busy" });
      await first.presence.leave(topic, ann.id);
      await first.presence.leave(topic, "nobody");
      await eventually(() => changes.length >= 3, PATIENCE);
      const { epoch, offset } = snapshot.version;
      assert.deepEqual(changes, [
        { version: { epoch, offset: offset + 1 }, joined: [bob], left: [] },
        { version: { epoch, offset: offset + 2 }, joined: [{ ...ann, data: "busy" }], left: [] },
        { version: { epoch, offset: offset + 3 }, joined: [], left: [{ ...ann, data: "busy" }] },
      ]);
      const last = { version: { epoch, offset: offset + 3 }, members: [bob] };
      assert.deepEqual(await first.presence.list(topic), last);
      second.presence.unwatch(topic, onChange);
      await first.presence.join(topic, ann);
      await first.presence.leave(topic, ann.id);
      assert.equal(changes.length, 3);
      await second.presence.leave(topic, bob.id);
      assert.deepEqual((await first.presence.list(topic)).members, []);
    });

    testIf(
      "processes",
      "M5: the members of a process that was killed are gone within 12 s, and reported once",
      async () => {
        const [killed, watcher] = [await open(), await open()];
        const topic = newTopic();
        const ghost: Member = { id: "ghost", data: 1 };
        await killed.presence.join(topic, ghost);
        const left: Member[] = [];
        await watcher.presence.watch(topic, (change) => void left.push(...(change?.left ?? [])));
        opened.delete(killed);
        await backend.kill?.(killed);
        await eventually(
          async () => (await watcher.presence.list(topic)).members.length === 0,
          12_000 + BUSY,
        );
        await eventually(() => left.length > 0, 12_000 + BUSY);
        assert.deepEqual(left, [ghost]);
      },
    );

    test("M1: a request reaches the process that it names, which answers", async () => {
      const [asking, answering] = [await open(), await open()];
      answering.answer((body) => Uint8Array.of(...body, 3));
      assert.deepEqual([...(await asking.request(answering.node, Uint8Array.of(1, 2), 5_000))], [1, 2, 3]);
      answering.answer(() => Promise.reject(new Error("no")));
      await assert.rejects(
        asking.request(answering.node, new Uint8Array(0), 5_000),
        isUnavailable("unknown"),
      );
      answering.answer(null);
      await assert.rejects(asking.request(answering.node, new Uint8Array(0), 500), isUnavailable());
      await assert.rejects(asking.request("nobody", new Uint8Array(0), 500), isUnavailable());
    });

    testIf(
      "cuts",
      "M3: after a lost subscription, an engine reports what it missed as a newest position",
      async () => {
        const [publisher, receiver] = [await open(), await open()];
        const [topic, fleeting] = [newTopic(), newTopic()];
        const follower = await follow(receiver, topic);
        const withoutHistory = await follow(receiver, fleeting);
        await backend.cutSubscriptions?.();
        await untilPublished(publisher, topic, "missed");
        await eventually(() => follower.messages.length > 0 || follower.newestReports.length > 0, PATIENCE);
        await eventually(() => withoutHistory.newestReports.includes(null), PATIENCE);
        assert.equal((await untilPublished(publisher, topic, "last")).offset, 2);
        await eventually(() => follower.messages.some(({ data }) => data === "last"), PATIENCE);
      },
    );

    testIf("restarts", "M3: an engine that lost its data begins a new epoch", async () => {
      const engine = await open();
      const topic = newTopic();
      const follower = await follow(engine, topic);
      const first = await publish(engine, publication(topic, "before", { history: HISTORY }));
      await follower.until(1);
      await backend.stop?.();
      await assert.rejects(engine.publish([publication(topic, "down")]), isUnavailable());
      await backend.startEmpty?.();
      const second = await untilPublished(engine, topic, "after");
      assert.notEqual(second.epoch, first.epoch);
      assert.equal(second.offset, 1);
      // The message itself is a hint: it may have come before the subscription was there again.
      const isReported = (): boolean =>
        follower.messages.some(({ data }) => data === "after") ||
        follower.newestReports.some((position) => position?.epoch === second.epoch);
      await eventually(isReported, PATIENCE);
    });

    testIf(
      "processes",
      "M8: an engine that is disposed rejects each call, and nothing was sent",
      async () => {
        const engine = await backend.open();
        await engine[Symbol.asyncDispose]();
        await assertClosed(engine);
      },
    );
  });
}

/** Tries again while the server cannot be reached. With an id, a message whose reply was lost is not published twice. */
async function untilPublished(engine: Engine, topic: string, data: string): Promise<Published> {
  const one = publication(topic, data, { id: data, history: HISTORY });
  let published = null as Published | null;
  await eventually(async () => {
    published ??= await publish(engine, one).catch(() => null);
    return published !== null;
  }, PATIENCE);
  assert.ok(published !== null);
  return published;
}

/** All calls of an engine that is disposed. */
export async function assertClosed(engine: Engine): Promise<void> {
  await engine[Symbol.asyncDispose]();
  const calls: readonly Promise<unknown>[] = [
    engine.publish([publication("topic", "data")]),
    engine.listen("topic", ignore, ignore),
    engine.read("topic", { epoch: "a", offset: 0 }, 1),
    engine.request(engine.node, new Uint8Array(0), 100),
    engine.presence.join("topic", { id: "1", data: null }),
    engine.presence.list("topic"),
    engine.presence.watch("topic", ignore),
  ];
  for (const call of calls) await assert.rejects(call, isUnavailable("unsent"));
  engine.ignore("topic", ignore);
}

/** By its name: an engine of another package has the class of the bundle. */
function isUnavailable(outcome?: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof Error && error.name === "EngineUnavailableError", String(error));
    assert.ok("code" in error && error.code === "ERR_HOLDFAST_ENGINE_UNAVAILABLE");
    assert.ok("outcome" in error && (outcome === undefined || error.outcome === outcome), String(error));
    return true;
  };
}

interface Follower {
  /** As they were reported. */
  readonly messages: readonly TopicMessage[];
  readonly newestReports: readonly (Position | null)[];
  /** The result of `listen`. */
  readonly newest: Position | null;
  /** Resolves once so many different messages were reported. */
  until(count: number): Promise<void>;
  /** Once each, those with an offset in its order: reports may be repeated, and out of order. */
  inOrder(): readonly TopicMessage[];
  stop(): void;
}

async function follow(engine: Engine, topic: string, begins = false): Promise<Follower> {
  const messages: TopicMessage[] = [];
  const newestReports: (Position | null)[] = [];
  const onMessage = (message: TopicMessage): void => void messages.push(message);
  const onNewest = (position: Position | null): void => void newestReports.push(position);
  const newest = await engine.listen(topic, onMessage, onNewest, begins);
  const inOrder = (): readonly TopicMessage[] => {
    const numbered = new Map(messages.filter(({ offset }) => offset !== null).map((m) => [m.offset, m]));
    const sorted = [...numbered.values()].sort((a, b) => (a.offset ?? 0) - (b.offset ?? 0));
    return [...sorted, ...messages.filter(({ offset }) => offset === null)];
  };
  return {
    messages,
    newestReports,
    newest,
    until: (count) => eventually(() => inOrder().length >= count, PATIENCE),
    inOrder,
    stop: () => engine.ignore(topic, onMessage),
  };
}

/**
 * Calls `act` for each of the items. An engine rejects what its server has not answered within two seconds, which on a busy
 * machine is too little for a hundred calls at once.
 */
async function fewAtOnce<Item, Result>(
  items: readonly Item[],
  act: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  while (results.length < items.length)
    results.push(...(await Promise.all(items.slice(results.length, results.length + 8).map(act))));
  return results;
}

async function publish(engine: Engine, one: Publication): Promise<Published> {
  return (await publishAll(engine, [one]))[0];
}

/** Comparable whatever class of bytes it is. */
function plain(data: string | Uint8Array): string | readonly number[] {
  return typeof data === "string" ? data : [...data];
}

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}

async function eventually(isTrue: () => Promise<boolean> | boolean, milliseconds: number): Promise<void> {
  const deadline = performance.now() + milliseconds;
  while (!(await isTrue())) {
    if (performance.now() >= deadline) throw new Error(`Waited ${milliseconds} ms in vain`);
    await sleep(5);
  }
}
