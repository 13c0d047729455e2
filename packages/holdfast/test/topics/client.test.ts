// The client's half of topics on a fake clock, against a scripted server.

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, test } from "node:test";
import { publish, subscribe } from "../../build/topics/client/subscribe.js";
import { TopicError } from "../../build/topics/client/topic-error.js";
import { EngineUnavailableError } from "../../build/shared/engine-unavailable-error.js";
import { InvalidArgumentError } from "../../build/shared/errors.js";
import type { TopicEvent } from "../../build/topics/topic-event.js";
import { overLinkProtocol } from "../../build/transport/link/link-protocol.js";
import { Harness, type Setup } from "../connection/harness.js";

const MARK = "\u0016";

class Client {
  readonly h: Harness;

  constructor(setup: Setup = {}) {
    this.h = new Harness({ role: "client", layer: (below) => overLinkProtocol(below, "frames"), ...setup });
  }

  /** Words of the server; bytes are an announced message. */
  async server(...words: readonly (string | Uint8Array)[]): Promise<void> {
    for (const word of words)
      this.h.deliver(typeof word === "string" ? this.h.text(MARK + word) : this.h.binary(word));
    await this.h.clock.settle();
  }

  sent(): readonly string[] {
    this.h.clock.turn();
    return this.h.sentFrames().map(({ payload }) => Buffer.from(payload).toString().replace(MARK, ""));
  }

  read(topic: string, since?: { epoch: string; offset: number }) {
    const events: string[] = [];
    const aborter = new AbortController();
    const ended = (async () => {
      for await (const event of subscribe(this.h.connection, topic, { since, signal: aborter.signal })) {
        events.push(show(event));
      }
      return "ended";
    })();
    ended.catch(() => undefined);
    return { events, ended, aborter };
  }
}

function show(event: TopicEvent): string {
  if (event.type === "message") {
    const data = typeof event.data === "string" ? event.data : `[${event.data.join()}]`;
    return `${event.epoch ?? "-"}:${event.offset ?? "-"} ${data}`;
  }
  return `gap ${JSON.stringify(event.after)} ${JSON.stringify(event.position)}`;
}

describe("subscribe() at a client", () => {
  test("M7: asks once the server takes requests, also where that was said before", async () => {
    for (const isEarly of [true, false]) {
      const client = new Client();
      if (isEarly) await client.server("topics");
      client.read("a b");
      client.read("b", { epoch: "E", offset: 7 });
      if (!isEarly) {
        assert.deepEqual(client.sent(), []);
        await client.server("topics");
      }
      assert.deepEqual(client.sent(), ["sub 1 a%20b", "sub 2 b E 7"]);
    }
  });

  test("M7, M2: events come in order; what belongs to an earlier subscription is ignored", async () => {
    const client = new Client();
    await client.server("topics");
    const { events } = client.read("t", { epoch: "E", offset: 7 });
    await client.server("m t 3\nold", "gap t E 5", "at t E 5", "ended t", "b t 4", Uint8Array.of(4));
    await client.server("done 1 1 E 7", "m t 8\nnext\nline", "b t 9", Uint8Array.of(1), "m t -\nfleeting");
    await client.server("m t 9\ndouble", "m t 12\nhole", "gap t F 2", "m t 3\nnew", "m other 4\nnot mine");
    assert.deepEqual(events, [
      "E:8 next\nline",
      "E:9 [1]",
      "-:- fleeting",
      'gap {"epoch":"E","offset":9} {"epoch":"E","offset":11}',
      "E:12 hole",
      'gap {"epoch":"E","offset":12} {"epoch":"F","offset":2}',
      "F:3 new",
    ]);
  });

  test("M7, M2: an answer that is not recovered is a gap, unless the client had no position", async () => {
    const client = new Client();
    await client.server("topics");
    const [fresh, back, empty] = [
      client.read("a"),
      client.read("b", { epoch: "E", offset: 1 }),
      client.read("c"),
    ];
    await client.server("done 1 0 E 5", "done 2 0 F 9", "done 3 0 - -", "at c G 0", "m c 1\nfirst");
    assert.deepEqual(fresh.events, []);
    assert.deepEqual(back.events, ['gap {"epoch":"E","offset":1} {"epoch":"F","offset":9}']);
    assert.deepEqual(empty.events, ["G:1 first"]);
  });

  test("M7: a server that begins anew is asked again, from the position reached", async () => {
    const client = new Client();
    await client.server("topics");
    const { events } = client.read("t");
    await client.server("done 1 0 E 5", "m t 6\nsix", "topics", "m t 7\nlost with the session");
    assert.deepEqual(client.sent(), ["sub 1 t", "sub 2 t E 6"]);
    await client.server("done 2 1 E 6", "m t 7\nseven");
    assert.deepEqual(events, ["E:6 six", "E:7 seven"]);
  });

  test("M7, H: a server that begins anew all the time and does not read is asked again once it has read", async () => {
    const client = new Client({ capacity: 0, writeLimit: 4_096 });
    await client.server("topics");
    const { events } = client.read("t");
    for (let time = 0; time < 5_000; time++)
      await client.server("topics", `failed ${time} unavailable-unsent x`);
    const { bufferedAmount } = client.h.connection;
    assert.ok(bufferedAmount < 3 * 4_096, `${bufferedAmount} bytes wait`);
    let last = "";
    for (let turn = 0; turn < 10; turn++) {
      client.h.transport.drain();
      await client.h.clock.settle();
      last = client.sent().at(-1) ?? last;
    }
    client.h.clock.advance(10_000);
    assert.deepEqual(client.sent(), [], "a retry of an earlier request was left");
    await client.server(`done ${last.split(" ")[1]} 0 E 5`, "m t 6\nsix");
    assert.deepEqual(events, ["E:6 six"]);
  });

  test("M7: an offset that no request can carry is rejected by the call", () => {
    const { connection } = new Client().h;
    for (const offset of [-1, 0.5, 1e15, Number.MAX_SAFE_INTEGER]) {
      assert.throws(
        () => subscribe(connection, "t", { since: { epoch: "E", offset } }),
        InvalidArgumentError,
      );
    }
    subscribe(connection, "t", { since: { epoch: "E", offset: 1e15 - 1 } });
  });

  test("M7: leaving the loop unsubscribes; two loops share one subscription", async () => {
    const client = new Client();
    await client.server("topics");
    const iterators = [1, 2].map(() => subscribe(client.h.connection, "t"));
    const reads = iterators.map((iterator) => iterator.next());
    await client.server("done 1 0 E 0", "m t 1\none");
    for (const { value } of await Promise.all(reads))
      assert.equal(value?.type === "message" && value.data, "one");
    assert.throws(
      () => subscribe(client.h.connection, "t", { since: { epoch: "E", offset: 0 } })[Symbol.asyncIterator](),
      InvalidArgumentError,
    );
    await iterators[0]?.return?.();
    assert.deepEqual(client.sent(), ["sub 1 t"]);
    await iterators[1]?.return?.();
    assert.deepEqual(client.sent(), ["unsub 2 t"]);
    assert.deepEqual(await iterators[1]?.next(), { value: undefined, done: true });
    client.read("t");
    assert.deepEqual(client.sent(), ["sub 3 t"]);
  });

  test("M7: a refusal, an end by the server, an abort and a lost connection end the loop, each in its way", async () => {
    const client = new Client();
    await client.server("topics");
    const [refused, ended, aborted, lost] = ["a", "b", "c", "d"].map((topic) => client.read(topic));
    await client.server("failed 1 forbidden not allowed", "done 2 0 - -", "done 3 0 - -", "ended b");
    await assert.rejects(
      refused.ended,
      (error) => error instanceof TopicError && error.reason === "forbidden",
    );
    assert.equal(await ended.ended, "ended");
    aborted.aborter.abort(new Error("enough"));
    await assert.rejects(aborted.ended, /enough/);
    client.h.connection.terminate();
    await client.h.end();
    await assert.rejects(lost.ended, { code: "ERR_HOLDFAST_CLOSED_ERROR" });
  });

  test("M8: where the server's engine is down, the client asks again, and the loop goes on", async () => {
    const client = new Client();
    await client.server("topics");
    const { events } = client.read("t", { epoch: "E", offset: 1 });
    assert.deepEqual(client.sent(), ["sub 1 t E 1"]);
    await client.server("failed 1 unavailable-unsent the engine is unavailable");
    client.h.clock.advance(999);
    assert.deepEqual(client.sent(), []);
    client.h.clock.advance(1);
    assert.deepEqual(client.sent(), ["sub 2 t E 1"]);
    await client.server("done 2 1 E 1", "m t 2\ntwo");
    assert.deepEqual(events, ["E:2 two"]);
  });

  test("M6: unread events pause reading at 1,024 of them or 1 MiB, and resume it at half", async () => {
    for (const [size, limit] of [
      [10, 1_024],
      [10_000, 105],
    ] as const) {
      const client = new Client();
      await client.server("topics");
      const iterator = subscribe(client.h.connection, "t")[Symbol.asyncIterator]();
      await client.server("done 1 0 E 0");
      let offset = 0;
      while (!client.h.transport.isPaused && offset < 2_000) {
        await client.server(`m t ${++offset}\n${"x".repeat(size)}`);
      }
      assert.equal(offset, limit);
      let read = 0;
      for (; client.h.transport.isPaused; read++) await iterator.next();
      assert.ok(read > limit / 2 - 2 && read < limit / 2 + 2, `${read} of ${limit}`);
    }
  });

  test("M7: a persistent connection that is not open is refused, with what to do", async () => {
    const { signal } = new AbortController();
    const link = { connection: null, signal, on: () => () => undefined };
    await assert.rejects(publish(link, "t", "x"), {
      name: "InvalidStateError",
      message:
        'Expected an open connection, got one that is connecting or closed. Publish after its event "open".',
    });
  });

  test("M7: an abort ends publish(), and withdraws a request that still waits for topics.open()", async () => {
    const client = new Client();
    const { connection } = client.h;
    const reason = new Error("enough");
    const aborter = new AbortController();
    const { signal } = aborter;
    const withdrawn = publish(connection, "t", "held", { signal });
    const kept = publish(connection, "t", "kept");
    aborter.abort(reason);
    await assert.rejects(withdrawn, reason);
    await assert.rejects(publish(connection, "t", "x", { signal }), reason);
    await client.server("topics");
    const later = new AbortController();
    const sent = publish(connection, "t", "sent", { signal: later.signal });
    await client.h.clock.settle();
    later.abort(reason);
    await assert.rejects(sent, reason);
    assert.deepEqual(client.sent(), ["pub 2 t\nkept", "pub 3 t\nsent"]);
    await client.server("done 2 - - 0", "done 3 - - 0");
    assert.equal((await kept).offset, null);
    assert.equal(getEventListeners(later.signal, "abort").length, 0);
  });

  test("M7: publish() sends text and bytes, and settles with the answer", async () => {
    const client = new Client();
    await client.server("topics");
    const { connection } = client.h;
    const calls = [
      publish(connection, "a b", "line\nfeed"),
      publish(connection, "t", Uint8Array.of(65), { id: "x y" }),
      publish(connection, "t", ""),
      publish(connection, "t", "x"),
    ];
    for (const call of calls) call.catch(() => undefined); // They settle before they are looked at.
    await client.h.clock.settle();
    assert.deepEqual(client.sent(), [
      "pub 1 a%20b\nline\nfeed",
      "pubb 2 t x%20y",
      "A",
      "pub 3 t\n",
      "pub 4 t\nx",
    ]);
    await client.server(
      "done 1 - - 0",
      "done 2 7 E 1",
      "failed 3 unavailable-unknown down",
      "failed 4 forbidden no",
    );
    assert.deepEqual(await calls[0], { offset: null, epoch: null, isDuplicate: false });
    assert.deepEqual(await calls[1], { offset: 7, epoch: "E", isDuplicate: true });
    await assert.rejects(
      calls[2],
      (error) => error instanceof EngineUnavailableError && error.outcome === "unknown",
    );
    await assert.rejects(calls[3], TopicError);
    await assert.rejects(publish(connection, "", "x"), InvalidArgumentError);
    await assert.rejects(publish(connection, "t", 1 as never), InvalidArgumentError);
    const waiting = publish(connection, "t", "x");
    waiting.catch(() => undefined);
    await client.h.clock.settle();
    connection.terminate();
    await client.h.end();
    await assert.rejects(waiting, { code: "ERR_HOLDFAST_CLOSED_ERROR" });
  });

  test("M7: words that are no events of a topic change nothing", async () => {
    const client = new Client();
    await client.server("topics");
    const { events } = client.read("t");
    await client.server(
      "done 1 0 E 0",
      "m",
      "m t",
      "m t 1",
      "m t x\ny",
      "m %zz 1\ny",
      "gap",
      "at",
      "ended",
      "ended %",
    );
    await client.server("done", "done 99", "failed 98", "b", Uint8Array.of(1), "m t 1\nfine");
    assert.deepEqual(events, ["E:1 fine"]);
    assert.equal(client.h.connection.state, "open");
  });
});
