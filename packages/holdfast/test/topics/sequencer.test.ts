import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Sequencer } from "../../build/topics/sequencer.js";
import type { Page } from "../../build/topics/engine/engine.js";
import type { Position } from "../../build/topics/position.js";
import type { TopicMessage } from "../../build/topics/topic-event.js";

/** The events: the order in which the engine's reports and pages arrive, and which of them are lost. */
type Step =
  | { readonly type: "publish"; readonly delay: number; readonly copies: number }
  | { readonly type: "new epoch" }
  | { readonly type: "trim"; readonly keep: number }
  | { readonly type: "report" }
  | { readonly type: "read" }
  | { readonly type: "check" };

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant("publish" as const),
      delay: fc.nat(4),
      copies: fc.nat(2), // 0: the report is lost.
    }),
  },
  { weight: 4, arbitrary: fc.constant({ type: "report" as const }) },
  { weight: 3, arbitrary: fc.constant({ type: "read" as const }) },
  { weight: 1, arbitrary: fc.constant({ type: "check" as const }) },
  { weight: 1, arbitrary: fc.constant({ type: "new epoch" as const }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("trim" as const), keep: fc.nat(3) }) },
);

interface Event {
  readonly gap: boolean;
  readonly after: Position | null;
  readonly position: Position | null;
}

/** An engine that drops, repeats and reorders its reports, loses its history, and begins new epochs. */
class ScriptedEngine {
  readonly events: Event[] = [];
  /** All messages that were ever published since listening began, in order. */
  readonly published: Position[] = [];
  readonly #sequencer: Sequencer;
  #epochs = 0;
  #epoch: string | null = null;
  #offset = 0;
  #history: TopicMessage[] = [];
  #reports: TopicMessage[] = [];
  #wanted: Position | null = null;
  #page: Page | null = null;

  constructor(before: number) {
    for (let index = 0; index < before; index++) this.#publish();
    this.published.length = 0;
    this.#sequencer = new Sequencer(
      {
        onMessage: ({ epoch, offset }) => {
          const place = { epoch: epoch ?? "", offset: offset ?? 0 };
          this.events.push({ gap: false, after: null, position: place });
        },
        onGap: (after, position) => this.events.push({ gap: true, after, position }),
        onEpoch: () => undefined,
        onWanted: (after) => {
          assert.equal(this.#wanted, null, "one read at a time");
          this.#wanted = after;
        },
      },
      this.newest,
    );
  }

  get newest(): Position | null {
    return this.#epoch === null ? null : { epoch: this.#epoch, offset: this.#offset };
  }

  run(step: Step): void {
    switch (step.type) {
      case "publish": {
        const message = this.#publish();
        for (let copy = 0; copy < step.copies; copy++) {
          this.#reports.splice(Math.max(0, this.#reports.length - step.delay * copy), 0, message);
        }
        return;
      }
      case "report": {
        const index = this.#reports.length > 2 ? this.#reports.length - 2 : 0;
        const [report] = this.#reports.splice(index, 1);
        if (report !== undefined) this.#sequencer.push(report);
        return;
      }
      case "read": {
        // First the engine reads, and in a later step the page arrives: it may be old by then.
        if (this.#page !== null) {
          const page = this.#page;
          this.#page = null;
          this.#wanted = null;
          this.#sequencer.onPage(page);
        } else if (this.#wanted !== null) this.#page = this.#read(this.#wanted);
        return;
      }
      case "check": {
        if (this.newest !== null) this.#sequencer.onNewest(this.newest);
        return;
      }
      case "new epoch": {
        this.#epoch = null;
        this.#offset = 0;
        this.#history = [];
        // The engine knows that it was interrupted, and finds no history.
        if (this.#sequencer.position === null) this.#sequencer.onNewest(null);
        return;
      }
      case "trim":
        this.#history = this.#history.slice(-step.keep);
    }
  }

  /** Lets everything arrive, and the engine check. */
  settle(): void {
    for (let round = 0; round < 1_000; round++) {
      const isQuiet = this.#reports.length === 0 && this.#wanted === null;
      if (isQuiet) {
        this.run({ type: "check" });
        if (this.#wanted === null) return;
      }
      this.run({ type: "report" });
      this.run({ type: "read" });
    }
    assert.fail("it never comes to rest");
  }

  #publish(): TopicMessage {
    this.#epoch ??= `epoch ${++this.#epochs}`;
    const place = { epoch: this.#epoch, offset: ++this.#offset };
    const message: TopicMessage = { type: "message", topic: "t", data: "", ...place };
    this.#history.push(message);
    this.published.push(place);
    return message;
  }

  #read(after: Position): Page {
    const { newest } = this;
    if (newest === null) return { messages: [], isComplete: false, newest };
    const isSame = after.epoch === newest.epoch && after.offset <= newest.offset;
    const messages = this.#history
      .filter(({ offset }) => !isSame || (offset ?? 0) > after.offset)
      .slice(0, 3);
    const first = messages[0]?.offset ?? newest.offset + 1;
    return { messages, isComplete: isSame && first === after.offset + 1, newest };
  }
}

describe("The order of a topic", () => {
  test("M2, M3: whatever an engine drops, repeats and reorders: each message once and in order, or a gap", () => {
    fc.assert(
      fc.property(fc.nat(3), fc.array(steps, { maxLength: 60 }), (before, taken) => {
        const engine = new ScriptedEngine(before);
        let position = engine.newest;
        for (const each of taken) engine.run(each);
        // The newest epoch needs a message, so that the engine can report its position.
        engine.run({ type: "publish", delay: 0, copies: 1 });
        engine.settle();

        const delivered = new Set<string>();
        const excused: (readonly [after: Position | null, to: Position | null])[] = [];
        for (const event of engine.events) {
          if (event.gap) {
            assert.deepEqual(event.after, position);
            excused.push([event.after, event.position]);
          } else {
            const place = event.position;
            assert.ok(place !== null);
            const expected = position ?? { epoch: place.epoch, offset: 0 };
            assert.deepEqual(place, { epoch: expected.epoch, offset: expected.offset + 1 });
            assert.ok(!delivered.has(key(place)), "once");
            delivered.add(key(place));
          }
          position = event.position;
        }
        assert.deepEqual(position, engine.newest);
        for (const place of engine.published) {
          if (delivered.has(key(place))) continue;
          assert.ok(
            excused.some(([after, to]) => isBetween(place, after, to)),
            `${key(place)} is silently missing`,
          );
        }
      }),
      { numRuns: 5_000 },
    );
  });

  test("M2: reports in order need no read, and a report of a message that was passed on changes nothing", () => {
    const engine = new ScriptedEngine(2);
    for (let index = 0; index < 3; index++) {
      engine.run({ type: "publish", delay: 0, copies: 1 });
      engine.run({ type: "report" });
    }
    assert.deepEqual(
      engine.events.map(({ position }) => position?.offset),
      [3, 4, 5],
    );
  });

  test("M3: a newest position that is found while an older page is on its way is read afterwards", () => {
    const read: Position[] = [];
    const handler = {
      onMessage: () => undefined,
      onGap: () => assert.fail("nothing is missing"),
      onEpoch: () => undefined,
      onWanted: (after: Position) => read.push(after),
    };
    const sequencer = new Sequencer(handler, { epoch: "a", offset: 1 });
    sequencer.onNewest({ epoch: "a", offset: 2 });
    sequencer.onNewest({ epoch: "a", offset: 3 });
    const message: TopicMessage = { type: "message", topic: "t", data: "", epoch: "a", offset: 2 };
    sequencer.onPage({ messages: [message], isComplete: true, newest: { epoch: "a", offset: 2 } });
    assert.deepEqual(
      read.map(({ offset }) => offset),
      [1, 2],
    );
  });

  test("M2: messages that wait for a hole take 1 MiB at most; the rest is read again", () => {
    const read: Position[] = [];
    const passed: (number | null)[] = [];
    const sequencer = new Sequencer(
      {
        onMessage: ({ offset }) => passed.push(offset),
        onGap: () => assert.fail("nothing is missing"),
        onEpoch: () => undefined,
        onWanted: (after) => read.push(after),
      },
      { epoch: "a", offset: 0 },
    );
    const messages = Array.from({ length: 30 }, (_, index): TopicMessage => {
      const data = new Uint8Array(100_000);
      return { type: "message", topic: "t", data, epoch: "a", offset: index + 1 };
    });
    for (const message of messages.slice(1)) sequencer.push(message);
    assert.deepEqual(read, [{ epoch: "a", offset: 0 }]);
    const newest = { epoch: "a", offset: 30 };
    sequencer.onPage({ messages: messages.slice(0, 2), isComplete: true, newest });
    assert.ok(passed.length < 30);
    while (passed.length < 30) {
      const after = read.at(-1)?.offset ?? 0;
      sequencer.onPage({ messages: messages.slice(after, after + 5), isComplete: true, newest });
    }
    assert.deepEqual(
      passed,
      messages.map(({ offset }) => offset),
    );
  });
});

function key({ epoch, offset }: Position): string {
  return `${epoch}:${offset}`;
}

/** Whether a gap from `after` to `to` covers this place. */
function isBetween(place: Position, after: Position | null, to: Position | null): boolean {
  const isAfter = after?.epoch !== place.epoch || place.offset > after.offset;
  const isBefore = to?.epoch !== place.epoch || place.offset <= to.offset;
  return isAfter && isBefore;
}
