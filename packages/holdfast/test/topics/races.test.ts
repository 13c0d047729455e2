// Subscriptions that begin and end at the same time, and decisions of the application that come late or never.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EngineUnavailableError } from "../../build/shared/engine-unavailable-error.js";
import type { MessageListener } from "../../build/topics/engine/engine.js";
import { Compressed } from "../connection/compressed.js";
import type { Harness } from "../connection/harness.js";
import { MARK, Process, sent } from "./fake-process.js";

interface Decision {
  readonly topic: string;
  readonly resolve: (isAllowed: boolean) => void;
  readonly reject: (error: Error) => void;
}

/** A link whose requests the test decides. */
function undecidedLink(process: Process): { readonly link: Harness; readonly decisions: Decision[] } {
  const link = process.peer({ link: true });
  const decisions: Decision[] = [];
  process.topics.open(link.connection, {
    authorize: (_, topic) =>
      new Promise((resolve, reject) => void decisions.push({ topic, resolve, reject })),
  });
  return { link, decisions };
}

async function request(process: Process, link: Harness, ...words: readonly string[]): Promise<void> {
  for (const word of words) link.deliver(link.text(MARK + word));
  await process.settle();
}

describe("Topics, at the same time or too late", () => {
  for (const outcome of ["allows", "refuses", "rejects"] as const) {
    test(`M7: authorize that ${outcome} after the connection has gone subscribes nobody, and decides nothing else for it`, async () => {
      const process = new Process();
      const listened: string[] = [];
      const listen = process.engine.listen.bind(process.engine);
      process.engine.listen = (topic, ...rest) => {
        listened.push(topic);
        return listen(topic, ...rest);
      };
      const { link, decisions } = undecidedLink(process);
      await request(process, link, "sub 1 a", "sub 2 b", "unsub 3 a");
      link.connection.terminate();
      await process.settle();
      const [decision] = decisions;
      if (outcome === "rejects") decision?.reject(new Error("late"));
      else decision?.resolve(outcome === "allows");
      await process.settle();
      assert.deepEqual(
        decisions.map(({ topic }) => topic),
        ["a"],
      );
      assert.deepEqual(listened, []);
      // An error of the application is reported. A connection that has ended is not an error.
      assert.deepEqual(process.faults, outcome === "rejects" ? ["a function of topics.open() failed"] : []);
    });
  }

  test("M7: authorize that never decides holds back the later requests of its own client only", async () => {
    const process = new Process();
    const { link, decisions } = undecidedLink(process);
    const other = process.peer({ link: true });
    process.topics.open(other.connection, { authorize: () => true });
    await request(process, link, "sub 1 a", "sub 2 b");
    await request(process, other, "sub 1 a");
    assert.deepEqual([sent(link), sent(other)], [["^topics"], ["^topics", "^done 1 0 - -"]]);
    await process.publish("a", "text");
    assert.deepEqual([sent(link), sent(other)], [[], ["^m a -\ntext"]]);
    decisions[0]?.resolve(true);
    await process.settle();
    decisions[1]?.resolve(false);
    await process.settle();
    assert.deepEqual(sent(link), ["^done 1 0 - -", "^failed 2 forbidden not allowed"]);
  });

  for (const refusal of ["refuses", "throws"] as const) {
    test(`M7, M5: authorize that subscribes the client, and then ${refusal}, leaves no subscription and no member`, async () => {
      const process = new Process();
      const link = process.peer({ link: true });
      let calls = 0;
      process.topics.open(link.connection, {
        authorize: async (connection, topic) => {
          calls++;
          await process.topics.subscribe(connection, topic, { presence: "Eve" });
          if (refusal === "throws") throw new Error("not a member");
          return false;
        },
      });
      await request(process, link, "sub 1 a", "sub 2 a");
      await process.publish("a", "secret");
      assert.deepEqual(sent(link), [
        "^topics",
        "^failed 1 forbidden not allowed",
        "^failed 2 forbidden not allowed",
      ]);
      assert.deepEqual([calls, await process.topics.presence("a")], [2, []]);
    });
  }

  test("M7: authorize decides about each request, also for a subscription that it has allowed before", async () => {
    const process = new Process();
    const link = process.peer({ link: true });
    let isAllowed = true;
    process.topics.open(link.connection, { authorize: () => isAllowed });
    await request(process, link, "sub 1 a");
    isAllowed = false;
    await request(process, link, "sub 2 a");
    await process.publish("a", "secret");
    assert.deepEqual(sent(link), ["^topics", "^done 1 0 - -", "^failed 2 forbidden not allowed"]);
  });

  test("M7: a client takes up what the server has subscribed it to on its own, whatever authorize says", async () => {
    const process = new Process();
    const link = process.peer({ link: true });
    process.topics.open(link.connection, { authorize: () => false });
    await process.topics.subscribe(link.connection, "a");
    await request(process, link, "sub 1 a");
    await process.publish("a", "news");
    assert.deepEqual(sent(link), ["^topics", "^done 1 0 - -", "^m a -\nnews"]);
  });

  for (const history of [false, true]) {
    test(`M7: a client that is unsubscribed while it subscribes learns so after the answer, ${history ? "with" : "without"} history`, async () => {
      const process = new Process({ history });
      const link = process.peer({ link: true });
      process.topics.open(link.connection, { authorize: () => true });
      const unsubscribed: Promise<void>[] = [];
      const listen = process.engine.listen.bind(process.engine);
      process.engine.listen = (topic, ...rest) => {
        queueMicrotask(() => unsubscribed.push(process.topics.unsubscribe(link.connection, topic)));
        return listen(topic, ...rest);
      };
      await request(process, link, "sub 1 a");
      await Promise.all(unsubscribed);
      const answers = sent(link).map((text) => text.slice(0, 8));
      assert.deepEqual(answers.slice(-2), ["^done 1 ", "^ended a"]);
    });
  }

  test("M1, M5: unsubscribe and subscribe in one turn: each message once, and one member", async () => {
    const process = new Process({ history: true });
    const [plain, link] = [process.peer(), process.peer({ link: true })];
    const peers = [plain, link];
    const presence = "Ann";
    for (const { connection } of peers) await process.topics.subscribe(connection, "t", { presence });
    const subscribing: Promise<unknown>[] = [];
    for (let round = 0; round < 3; round++) {
      for (const { connection } of peers) {
        void process.topics.unsubscribe(connection, "t");
        subscribing.push(process.topics.subscribe(connection, "t", { presence }));
      }
    }
    await Promise.all(subscribing);
    peers.forEach((peer) => sent(peer));
    await process.publish("t", "one", "two");
    assert.deepEqual(sent(plain), ["one", "two"]);
    assert.deepEqual(sent(link), ["^m t 1\none", "^m t 2\ntwo"]);
    assert.equal((await process.topics.presence("t")).length, 2);
    for (const { connection } of peers) await process.topics.unsubscribe(connection, "t");
    await process.publish("t", "three");
    assert.deepEqual([sent(plain), sent(link)], [[], ["^ended t"]]);
    assert.deepEqual(await process.topics.presence("t"), []);
  });

  test("M1: who unsubscribes while the engine begins to listen gets nothing, and no error", async () => {
    const process = new Process();
    const listeners = new Set<MessageListener>();
    let begin = (): void => undefined;
    const begun = new Promise<null>((resolve) => (begin = () => resolve(null)));
    process.engine.listen = (_, onMessage) => {
      listeners.add(onMessage);
      return begun;
    };
    process.engine.ignore = (_, onMessage) => {
      if (onMessage !== undefined) listeners.delete(onMessage);
    };
    const [leaves, ends] = [process.peer(), process.peer()];
    const subscribing = [leaves, ends].map(({ connection }) => process.topics.subscribe(connection, "t"));
    await process.topics.unsubscribe(leaves.connection, "t");
    ends.connection.terminate();
    await process.settle();
    assert.equal(listeners.size, 0);
    begin();
    const nothing = { recovered: false, position: null };
    assert.deepEqual(await Promise.all(subscribing), [nothing, nothing]);
    assert.deepEqual([sent(leaves), process.faults], [[], []]);
  });

  for (const history of [false, true]) {
    test(`M2, M8: a subscription goes on if the history cannot be read when it is to begin anew, ${history ? "with" : "without"} history`, async () => {
      const process = new Process({ history });
      const peers = [process.peer(), process.peer({ link: true })];
      const since = { epoch: "earlier", offset: 1 };
      for (const { connection } of peers) await process.topics.subscribe(connection, "t");
      peers.forEach((peer) => sent(peer));
      const read = process.engine.read.bind(process.engine);
      let fail = (): void => undefined;
      const failure = new Promise<never>((_, reject) => {
        fail = () => reject(new EngineUnavailableError("The engine is down.", "unsent"));
      });
      process.engine.read = () => failure;
      const failing = Promise.allSettled(
        peers.map(({ connection }) => process.topics.subscribe(connection, "t", { since })),
      );
      await process.publish("t", "meanwhile");
      fail();
      assert.deepEqual(
        (await failing).map(({ status }) => status),
        ["rejected", "rejected"],
      );
      process.engine.read = read;
      await process.publish("t", "later");
      const [plain, link] = peers.map((peer) => sent(peer).filter((text) => !text.startsWith("^at ")));
      assert.deepEqual(plain, ["meanwhile", "later"]);
      assert.deepEqual(
        link,
        history ? ["^m t 1\nmeanwhile", "^m t 2\nlater"] : ["^m t -\nmeanwhile", "^m t -\nlater"],
      );
      assert.deepEqual(process.gaps, []);
    });
  }

  test("M2, M8: who subscribes while an earlier call is under way is subscribed, also if that one fails", async () => {
    const process = new Process({ history: true });
    await process.publish("t", "before");
    const [plain, link] = [process.peer(), process.peer({ link: true })];
    process.topics.open(link.connection, { authorize: () => false });
    const read = process.engine.read.bind(process.engine);
    let fail = (): void => undefined;
    const failure = new Promise<never>((_, reject) => {
      fail = () => reject(new EngineUnavailableError("The engine is down.", "unsent"));
    });
    process.engine.read = () => failure;
    const since = { epoch: "earlier", offset: 1 };
    const failing = Promise.allSettled(
      [plain, link].map(({ connection }) => process.topics.subscribe(connection, "t", { since })),
    );
    const second = process.topics.subscribe(plain.connection, "t");
    await request(process, link, "sub 1 t");
    fail();
    await failing;
    process.engine.read = read;
    assert.equal((await second).position?.offset, 1);
    await process.settle();
    await process.publish("t", "after");
    // The client asks again, and `authorize` decides.
    assert.deepEqual(
      [sent(plain), sent(link)],
      [["after"], ["^topics", "^failed 1 unavailable-unsent the engine is unavailable"]],
    );
  });

  test("M2: a call that fails after the connection has unsubscribed, and subscribed again, ends only its own subscription", async () => {
    const process = new Process({ history: true });
    const peer = process.peer();
    const read = process.engine.read.bind(process.engine);
    let fail = (): void => undefined;
    process.engine.read = () =>
      new Promise((_, reject) => {
        fail = () => reject(new EngineUnavailableError("The engine is down.", "unsent"));
      });
    const since = { epoch: "earlier", offset: 1 };
    const failing = process.topics.subscribe(peer.connection, "t", { since });
    const failed = assert.rejects(failing, EngineUnavailableError);
    await process.settle();
    process.engine.read = read;
    await process.topics.unsubscribe(peer.connection, "t");
    await process.topics.subscribe(peer.connection, "t");
    fail();
    await failed;
    await process.publish("t", "news");
    assert.deepEqual(sent(peer), ["news"]);
  });

  test("M8: subscribe() that fails does not wait until the member is removed, which may take as long again", async () => {
    const process = new Process();
    const peer = process.peer();
    process.engine.presence.join = () =>
      Promise.reject(new EngineUnavailableError("The engine is down.", "unknown"));
    let remove = (): void => undefined;
    process.engine.presence.leave = () => new Promise((resolve) => (remove = resolve));
    await assert.rejects(
      process.topics.subscribe(peer.connection, "t", { presence: "Ann" }),
      EngineUnavailableError,
    );
    let isClosed = false;
    const closed = process.topics.close().then(() => (isClosed = true));
    await process.settle();
    assert.equal(isClosed, false); // The engine may be closed once the member is removed.
    remove();
    await closed;
  });

  test("M5: a connection that leaves and subscribes again while the engine adds its member stays a member", async () => {
    const process = new Process();
    const { connection } = process.peer();
    const join = process.engine.presence.join.bind(process.engine.presence);
    const answers: (() => void)[] = [];
    process.engine.presence.join = async (topic, member) => {
      await join(topic, member);
      await new Promise<void>((resolve) => answers.push(resolve));
    };
    const first = process.topics.subscribe(connection, "t", { presence: 1 });
    await process.settle();
    await process.topics.unsubscribe(connection, "t");
    const second = process.topics.subscribe(connection, "t", { presence: 2 });
    await process.settle();
    for (const answer of answers) answer();
    await Promise.all([first, second]);
    assert.deepEqual(
      (await process.topics.presence("t")).map(({ data }) => data),
      [2],
    );
  });

  test("M1: a message to one receiver, which encodes it itself, has the bytes that several share", async () => {
    const process = new Process({ history: true });
    const kinds: readonly (() => Harness)[] = [() => process.peer(), () => process.peer({ link: true })];
    const messages = [
      "text é😀",
      "",
      Uint8Array.of(1, 2),
      `${MARK}x`,
      "long ".repeat(300),
      new Uint8Array(300),
    ];
    for (const [index, open] of kinds.entries()) {
      const frames: unknown[][] = [];
      for (const count of [1, 3]) {
        const topic = `${index} ${count}`;
        const peers = Array.from({ length: count }, open);
        for (const { connection } of peers) await process.topics.subscribe(connection, topic);
        for (const peer of peers) peer.sentFrames();
        await process.publish(topic, ...messages);
        for (const peer of peers) frames.push(framesOf(peer, topic));
      }
      const [alone, ...others] = frames;
      assert.ok(alone !== undefined && alone.length >= messages.length);
      for (const other of others) assert.deepEqual(other, alone);
    }
  });

  test("M1: a message to one receiver is compressed by its connection", async () => {
    const process = new Process();
    const compressed = new Compressed("server", { shared: process.shared });
    await process.topics.subscribe(compressed.harness.connection, "t");
    const text = "compressible ".repeat(100);
    await process.publish("t", text);
    void process.topics.publish("t", text, { compress: false });
    await process.settle();
    assert.deepEqual(await compressed.sent(), [
      "deflated text compressible (1300 bytes)",
      "text compressible (1300 bytes)",
    ]);
  });
});

/** Without the topic, and without the announcement of its epoch. */
function framesOf(peer: Harness, topic: string): unknown[] {
  peer.clock.turn();
  return peer.sentFrames().flatMap(({ opcode, rsv, payload }) => {
    const text = Buffer.from(payload).toString("latin1").replace(topic.replace(" ", "%20"), "TOPIC");
    if (text.startsWith(`${MARK}at `)) return [];
    return [[opcode, rsv, text]];
  });
}
