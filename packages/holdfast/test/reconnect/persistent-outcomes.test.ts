// F9, property: whatever happens to the connections, every message ends as exactly one of sent, unsent and unknown,
// and what the peers received agrees with that.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Connection } from "../../build/connection/connection.js";
import { NotSentError } from "../../build/connection/sending/not-sent-error.js";
import { HandshakeError, InvalidStatusError } from "../../build/shared/errors.js";
import { PersistentHarness, textsIn, type Options } from "./persistent-harness.js";
import { close, text, type ScriptedAttempt } from "./scripted-connector.js";

interface Outgoing {
  readonly id: number;
  readonly aborter: AbortController;
  readonly outcomes: string[];
}

/** Messages above 64 KiB take a separate code path to the socket. */
const sizes = fc.constantFrom(1, 300, 70_000, 70_000);

type Step =
  | { readonly do: "abort"; readonly which: number }
  | { readonly do: "advance"; readonly by: number }
  | { readonly do: "capacity"; readonly bytes: number }
  | { readonly do: "send"; readonly size: number; readonly timeToLive: number | null; readonly count: number }
  | { readonly do: "connect" | "settle" | keyof typeof EVENTS };

const EVENTS = {
  open: (attempt: ScriptedAttempt) => !attempt.isOpen && attempt.open(),
  refuse: (attempt: ScriptedAttempt) =>
    !attempt.isOpen && attempt.fail(new HandshakeError("refused", { failure: "refused" })),
  reject: (attempt: ScriptedAttempt) =>
    !attempt.isOpen &&
    attempt.fail(
      new InvalidStatusError("", {
        status: 503,
        headers: new Headers(),
        body: new Uint8Array(),
        retryAfter: null,
      }),
    ),
  reset: (attempt: ScriptedAttempt) => attempt.isOpen && attempt.transport.fail(),
  fin: (attempt: ScriptedAttempt) => attempt.isOpen && attempt.transport.eof(),
  goodbye: (attempt: ScriptedAttempt) => attempt.isOpen && attempt.deliver(close(1001)),
  text: (attempt: ScriptedAttempt) => attempt.isOpen && attempt.deliver(text("x")),
  drain: (attempt: ScriptedAttempt) => attempt.isOpen && attempt.transport.drain(),
  probe: (_: ScriptedAttempt, { link }: PersistentHarness) => link.probe(),
  terminate: (_: ScriptedAttempt, { link }: PersistentHarness) => link.connection?.terminate(),
} as const;

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("send" as const),
      size: sizes,
      timeToLive: fc.constantFrom(null, 1, 50, 5_000),
      count: fc.integer({ min: 1, max: 5 }),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ do: "connect" as const }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("capacity" as const), bytes: fc.constantFrom(0, 500, Infinity) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom(...(Object.keys(EVENTS) as (keyof typeof EVENTS)[])) }),
  },
  { weight: 2, arbitrary: fc.constant({ do: "settle" as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("abort" as const), which: fc.nat(4) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("advance" as const), by: fc.constantFrom(1, 49, 500, 6_000) }),
  },
);

const options: fc.Arbitrary<Options> = fc.record({
  offline: fc.constantFrom("queue", "queue", "queue", "reject"),
  overflow: fc.constantFrom("fail", "drop-oldest"),
  queue: fc.record({ messages: fc.constantFrom(2, 100), bytes: fc.constantFrom(150_000, null) }),
  writeLimit: fc.constantFrom(1, 200, 65_536),
  timeToLive: fc.constantFrom(null, null, 20),
  onOpen: fc.constantFrom(
    undefined,
    () => Promise.resolve(),
    (connection: Connection) => connection.send("login"),
  ),
});

const ENDS: Readonly<Record<string, (harness: PersistentHarness, aborter: AbortController) => unknown>> = {
  close: ({ link }) => link.close(),
  terminate: ({ link }) => link.terminate(),
  abort: (_, aborter) => aborter.abort(),
};

describe("The outcomes of messages", () => {
  test("F9: each message has exactly one, and the peers got in order, at most once, what was sent, and nothing that was not", async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 10, maxLength: 60, size: "max" }),
        options,
        fc.constantFrom(...Object.keys(ENDS)),
        async (steps, given, end) => {
          const aborter = new AbortController();
          const harness = new PersistentHarness({ ...given, closeTimeout: 2_000, signal: aborter.signal });
          const messages: Outgoing[] = [];
          await harness.clock.settle();
          for (const next of steps) {
            await run(next, harness, messages);
            assert(harness.connector.attempts.filter(({ isLive }) => isLive).length <= 1);
          }
          void ENDS[end]?.(harness, aborter);
          await harness.clock.advanceAsync(60_000);
          harness.assertNothingLeft();
          checkOutcomes(messages, harness.connector.attempts);
          for (const { outcomes } of messages) seen.add(outcomes[0] ?? "");
        },
      ),
      { numRuns: 150 },
    );
    // The runs must have produced every outcome, or the property proves nothing about it.
    const kinds = new Set([...seen].map((outcome) => outcome.replace(/^.* /, "")));
    assert.deepEqual([...kinds].sort(), ["sent", "unknown", "unsent"]);
  });
});

async function run(next: Step, harness: PersistentHarness, messages: Outgoing[]): Promise<void> {
  const { attempt, clock, link } = harness;
  switch (next.do) {
    case "settle":
      await clock.settle();
      break;
    case "connect":
      link.probe(); // Ends a wait.
      await clock.settle();
      if (harness.attempt.isLive) EVENTS.open(harness.attempt);
      break;
    case "advance":
      await clock.advanceAsync(next.by);
      break;
    case "capacity":
      attempt.transport.setCapacity(next.bytes);
      break;
    case "abort":
      messages.at(-1 - next.which)?.aborter.abort();
      break;
    case "send":
      for (let count = 0; count < next.count; count++) {
        const message: Outgoing = { id: messages.length, aborter: new AbortController(), outcomes: [] };
        messages.push(message);
        const { signal } = message.aborter;
        link.send(`${message.id}`.padEnd(next.size), { signal, timeToLive: next.timeToLive }).then(
          () => message.outcomes.push("sent"),
          (error: unknown) =>
            message.outcomes.push(
              error instanceof NotSentError ? `${error.reason} ${error.outcome}` : String(error),
            ),
        );
      }
      break;
    default:
      if (attempt.isLive) EVENTS[next.do](attempt, harness);
  }
}

function checkOutcomes(messages: readonly Outgoing[], attempts: readonly ScriptedAttempt[]): void {
  // In the order of the connections, and within each in the order of its bytes.
  const handedOver = attempts
    .flatMap(({ transport }) => textsIn(transport.written))
    .filter((message) => message !== "login")
    .map(Number);
  assert.deepEqual(
    handedOver,
    [...new Set(handedOver)].sort((one, other) => one - other),
    "in order, and none twice",
  );
  const wasHandedOver = new Set(handedOver);
  for (const { id, outcomes } of messages) {
    assert.equal(outcomes.length, 1, `message ${id} ended as ${outcomes.join(" and ")}`);
    const [outcome = ""] = outcomes;
    assert.equal(wasHandedOver.has(id), !outcome.endsWith("unsent"), `message ${id}: ${outcome}`);
  }
}
