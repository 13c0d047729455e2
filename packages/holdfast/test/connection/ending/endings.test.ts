import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CloseInfo } from "../../../build/connection/close-info.js";
import { explain } from "../../../build/connection/explain/explain.js";
import { BROKEN_ENDINGS } from "./endings/broken.js";
import { CLEAN_ENDINGS } from "./endings/clean.js";
import type { Ending } from "./endings/ending.js";
import { Harness, summary } from "../harness.js";

const ENDINGS = [...CLEAN_ENDINGS, ...BROKEN_ENDINGS];

async function run({ setup, act }: Ending): Promise<{ h: Harness; info: CloseInfo }> {
  const h = new Harness({ closeTimeout: 5000, ...setup });
  h.clock.turn();
  await act(h);
  return { h, info: await h.end() };
}

describe("Endings", () => {
  for (const ending of ENDINGS) {
    test(`D1, D7: ${ending.name}: ${ending.expected.cause}, ${ending.expected.message}`, async () => {
      const { h, info } = await run(ending);
      assert.deepEqual(summary(info), ending.expected);
      assert(Object.isFrozen(info) && Object.isFrozen(info.evidence));
      assert.deepEqual(JSON.parse(JSON.stringify(info.evidence)), info.evidence);
      assert.equal(await h.connection.closed, info);
      assert.equal((h.connection.signal.reason as { info: CloseInfo }).info, info);
      h.assertGone();
      // Later events must not change anything.
      h.connection.terminate();
      assert.equal(await h.connection.close(4000, "late"), info);
      await h.clock.settle();
      h.assertGone();
    });
  }

  test("D7: all endings differ, every cause of an open connection occurs, and each is explained", async () => {
    const seen = new Map<string, string>();
    const explanations = new Map<string, Set<string>>();
    for (const ending of ENDINGS) {
      const { info } = await run(ending);
      const looks = JSON.stringify({ ...summary(info), error: info.error?.message });
      assert(!seen.has(looks), `"${ending.name}" looks like "${seen.get(looks)}"`);
      seen.set(looks, ending.name);
      const text = explain(info);
      assert(text.includes(info.message), text);
      explanations.set(info.cause, (explanations.get(info.cause) ?? new Set()).add(text));
    }
    assert.deepEqual([...explanations.keys()].sort(), [
      "aborted",
      "close-timeout",
      "eof",
      "handler-failed",
      "heartbeat-timeout",
      "invalid-data",
      "local-close",
      "message-too-big",
      "peer-close",
      "protocol-error",
      "reset",
      "server-shutdown",
      "unreachable",
      "write-failed",
    ]);
    const sentences = [...explanations].map(([, texts]) => [...texts].map((text) => text.split("(")[0]));
    for (const [index, own] of sentences.entries()) {
      const others = new Set(sentences.filter((_, other) => other !== index).flat());
      assert.deepEqual(
        own.filter((sentence) => others.has(sentence)),
        [],
      );
    }
  });

  const states: Readonly<Record<string, (h: Harness) => void>> = {
    "before the first turn": () => undefined,
    open: (h) => h.clock.turn(),
    "open, blocked, with everything waiting": (h) => {
      h.transport.setCapacity(0);
      void h.connection.send("a".repeat(100_000));
      void h.connection.send("b".repeat(100_000));
      void h.connection.ping();
      h.deliver(h.ping("x"));
    },
    paused: (h) => h.deliver(...Array.from({ length: 10 }, () => h.text("x"))),
    "closing by us": (h) => void h.connection.close(),
    "closing by the peer": (h) => h.deliver(h.close()),
    failed: (h) => h.deliver(h.frame({ opcode: 3 })),
    terminated: (h) => h.connection.terminate(),
    "just reset": (h) => h.transport.fail(),
    "just ended": (h) => h.transport.eof(),
    judged: (h) => h.clock.advance(2000),
    closed: (h) => {
      h.connection.terminate();
      h.clock.turn();
    },
  };
  for (const [name, enter] of Object.entries(states)) {
    test(`D7: terminate() ${name} ends it at once and quietly, and determines the outcome of every later call`, async () => {
      for (const role of ["client", "server"] as const) {
        const h = new Harness({ role, pingInterval: 1000, pingTimeout: 1000, maxQueue: 2 });
        enter(h);
        h.connection.terminate();
        h.connection.terminate();
        assert.equal(h.transport.isDestroyed, true);
        void h.connection.send("late");
        void h.connection.ping();
        h.connection.pong();
        void h.connection.close();
        const info = await h.end();
        h.assertGone();
        assert.equal(await h.connection.close(), info);
        await assert.rejects(h.connection.send("late"), { info });
        await assert.rejects(h.connection.ping(), { info });
        h.connection.pong("nothing happens");
        assert.equal(h.connection.bufferedAmount, 0);
      }
    });
  }

  test("D7: a listener or a callback may call terminate() during any event", async () => {
    for (const name of ["ping", "pong", "paused"] as const) {
      const h = new Harness({ maxQueue: 1 });
      h.connection.on(name, () => h.connection.terminate());
      h.deliver(h.ping("a"), h.pong("b"), h.text("c"), h.text("d"), h.text("e"), h.close(1000));
      const info = await h.end();
      assert.deepEqual([name, info.cause, info.received], [name, "aborted", null]);
      h.assertGone();
    }
  });

  test("D6: while closing, `state` says so, and it is closed only when the socket is gone", async () => {
    const h = new Harness();
    const seen: string[] = [h.connection.state];
    const closed = h.connection.close();
    void closed.then(() => seen.push(h.connection.state));
    seen.push(h.connection.state);
    h.clock.turn();
    h.deliver(h.close(1000));
    seen.push(h.connection.state);
    h.transport.eof();
    await h.end();
    assert.deepEqual(seen, ["open", "closing", "closing", "closed"]);
  });

  test("D6: `closed` and `signal` agree before, at and after the end", async () => {
    const h = new Harness();
    const { closed, signal } = h.connection;
    assert.equal(h.connection.closed, closed);
    assert.equal(h.connection.signal, signal);
    assert.equal(signal.aborted, false);
    h.transport.eof();
    const info = await h.end();
    assert.equal(await closed, info);
    assert.equal(signal.aborted, true);
    const late = new Harness();
    late.transport.eof();
    const lateInfo = await late.end();
    assert.equal(late.connection.signal.aborted, true);
    assert.equal(await late.connection.closed, lateInfo);
    assert.equal((late.connection.signal.reason as { info: CloseInfo }).info, lateInfo);
  });
});
