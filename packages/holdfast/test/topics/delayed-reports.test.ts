// Receivers that join, fall behind and return while the engine's reports are late, repeated, lost or out of order.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { MessageListener, NewestListener } from "../../build/topics/engine/engine.js";
import { MemoryEngine } from "../../build/topics/memory/memory-engine.js";
import type { Position } from "../../build/topics/position.js";
import type { TopicMessage } from "../../build/topics/topic-event.js";
import { openTopics } from "../../build/topics/topics.js";
import { overLinkProtocol } from "../../build/transport/link/link-protocol.js";
import { Harness, sharedRuntime } from "../connection/harness.js";

/** Its history is the truth at once; its reports come when the test lets them. */
class DelayingEngine extends MemoryEngine {
  readonly #reports: { readonly message: TopicMessage; readonly to: MessageListener }[] = [];
  readonly #newest: NewestListener[] = [];

  override listen(
    topic: string,
    onMessage: MessageListener,
    onNewest: NewestListener,
  ): Promise<Position | null> {
    this.#newest.push(onNewest);
    return super.listen(topic, (message) => this.#reports.push({ message, to: onMessage }), onNewest);
  }

  report(place: number, becomes: "lost" | "passed" | "repeated"): void {
    const [report] = this.#reports.splice(place % Math.max(1, this.#reports.length), 1);
    if (report === undefined || becomes === "lost") return;
    report.to(report.message);
    if (becomes === "repeated") report.to(report.message);
  }

  /** Passes on all reports, and what the newest position is. */
  async settle(newest: Position | null): Promise<void> {
    while (this.#reports.length > 0) this.report(0, "passed");
    for (const each of this.#newest) each(newest);
    await Promise.resolve();
  }
}

type Step =
  | { readonly type: "drain"; readonly room: number }
  | { readonly type: "join"; readonly back: number }
  | { readonly type: "publish"; readonly size: number }
  | { readonly type: "report"; readonly place: number; readonly becomes: "lost" | "passed" | "repeated" }
  | { readonly type: "wait" };

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant("publish" as const), size: fc.constantFrom(1, 400) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("report" as const),
      place: fc.nat(2),
      becomes: fc.constantFrom("lost" as const, "passed" as const, "passed" as const, "repeated" as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("join" as const), back: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("drain" as const), room: fc.nat(1_000) }) },
  { weight: 2, arbitrary: fc.constant({ type: "wait" as const }) },
);

test("M2, M6: each receiver with catch-up gets every message after its position once and in order", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { maxLength: 40 }), async (taken) => {
      const shared = sharedRuntime();
      const { clock } = shared;
      const engine = new DelayingEngine(shared.runtime);
      const topics = openTopics(shared.runtime, { engine, history: true });
      const receivers: { readonly h: Harness; readonly since: number; readonly offsets: number[] }[] = [];
      const settle = async (): Promise<void> => {
        for (let round = 0; round < 3; round++) {
          clock.turn();
          for (let tick = 0; tick < 15; tick++) await Promise.resolve();
        }
      };
      let epoch = "";
      let published = 0;
      const publish = (size: number): void => {
        published++;
        void topics.publish("t", "x".repeat(size)).then((result) => (epoch = result.epoch ?? ""));
      };
      const join = (back: number): void => {
        const h = new Harness({
          role: "server",
          shared,
          capacity: 0,
          writeLimit: 300,
          layer: (below) => overLinkProtocol(below, "frames"),
        });
        const since = Math.max(0, published - back);
        receivers.push({ h, since, offsets: [] });
        void topics.subscribe(h.connection, "t", {
          since: { epoch, offset: since },
          slow: "catch-up",
          limit: 500,
        });
      };
      const drain = (room: number): void => {
        for (const { h, offsets } of receivers) {
          h.transport.setCapacity(room);
          h.transport.drain();
          for (const { payload } of h.sentFrames()) {
            const [, offset] = /^.m t ([0-9]+)\n/.exec(Buffer.from(payload).toString()) ?? [];
            if (offset !== undefined) offsets.push(Number(offset));
            assert.ok(!Buffer.from(payload).toString().startsWith("\u0016gap"), "no gap");
          }
        }
      };

      publish(1);
      await settle();
      join(0);
      for (const step of taken) {
        if (step.type === "publish") publish(step.size);
        else if (step.type === "report") engine.report(step.place, step.becomes);
        else if (step.type === "join") {
          await settle(); // So that the position exists.
          join(step.back);
        } else if (step.type === "drain") drain(step.room);
        else await settle();
      }
      await settle();
      for (let round = 0; round < 60; round++) {
        await engine.settle({ epoch, offset: published });
        await settle();
        clock.advance(100);
        drain(100_000);
      }
      for (const { since, offsets } of receivers) {
        assert.deepEqual(
          offsets,
          Array.from({ length: published - since }, (_, index) => since + index + 1),
        );
      }
    }),
    { numRuns: 150 },
  );
});
