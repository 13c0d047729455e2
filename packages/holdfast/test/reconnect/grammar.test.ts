// A3, property: whatever peers and consumers do, the events follow the grammar, `disconnected` ends every attempt, and no
// timer or socket remains.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { persist } from "../../build/reconnect/persist.js";
import { HandshakeError, InvalidStatusError, InvalidUpgradeError } from "../../build/shared/errors.js";
import { Consumer } from "./consumer.js";
import { assertAttempts } from "./grammar.js";
import {
  binary,
  close,
  ping,
  pong,
  ScriptedClient,
  ScriptedConnector,
  text,
  type ScriptedAttempt,
} from "./scripted-connector.js";

const BREACH = Uint8Array.of(0x83, 0); // A reserved opcode (RFC 6455 section 5.2).
const NOT_UTF8 = Uint8Array.of(0x81, 1, 0xff);
const TOO_BIG = Uint8Array.of(0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0);

/** Actions of a peer, a network or a consumer, by name. */
const STEPS: Readonly<Record<string, (attempt: ScriptedAttempt, client: ScriptedClient) => void>> = {
  connected: (attempt) => attempt.connected(),
  open: (attempt) => attempt.open(),
  "open with glue": (attempt) => attempt.open(text("glued"), ping("glued"), close(1000)),
  refuse: (attempt) => attempt.fail(new HandshakeError("refused", { failure: "refused" })),
  reject: (attempt) =>
    attempt.fail(
      new InvalidStatusError("", {
        status: 503,
        headers: new Headers(),
        body: new Uint8Array(),
        retryAfter: null,
      }),
    ),
  "break the upgrade": (attempt) => attempt.fail(new InvalidUpgradeError("wrong key")),
  text: (attempt) => attempt.deliver(text("x")),
  binary: (attempt) => attempt.deliver(binary(Uint8Array.of(1))),
  ping: (attempt) => attempt.deliver(ping("x")),
  pong: (attempt) => attempt.deliver(pong("x")),
  close: (attempt) => attempt.deliver(close(1001, "x")),
  "close without a code": (attempt) => attempt.deliver(close()),
  breach: (attempt) => attempt.deliver(BREACH),
  "invalid text": (attempt) => attempt.deliver(NOT_UTF8),
  "too big": (attempt) => attempt.deliver(TOO_BIG),
  fin: (attempt) => attempt.transport.eof(),
  rst: (attempt) => attempt.transport.fail(),
  send: (_, client) => void client.send("x").catch(() => undefined),
  "close this connection": (_, client) => void client.connection?.close(),
};

const ENDS: Readonly<Record<string, (client: ScriptedClient, aborter: AbortController) => unknown>> = {
  close: (client) => client.close(),
  terminate: (client) => client.terminate(),
  abort: (_, aborter) => aborter.abort(),
};

const step = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...Object.keys(STEPS)) },
  { weight: 1, arbitrary: fc.nat({ max: 12_000 }) },
);

describe("The grammar of events", () => {
  test("A3, F8: holds for every peer, every consumer and every end", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 30 }),
        fc.constantFrom(...Object.keys(ENDS)),
        fc.nat({ max: 3000 }),
        async (steps, end, slowness) => {
          const aborter = new AbortController();
          const connector = new ScriptedConnector();
          const { clock } = connector;
          const options = { pingInterval: 3000, pingTimeout: 3000, pollInterval: 1000, closeTimeout: 2000 };
          const client = new ScriptedClient(connector, undefined, options);
          const delay = () =>
            slowness < 1000
              ? undefined
              : new Promise<void>((resolve) => clock.setTimer(slowness, () => resolve()));
          const events = persist(client, { firstDelay: 1000, signal: aborter.signal, retryable: () => true });
          const consumer = new Consumer(events, client, delay);
          await clock.settle();
          for (const next of steps) {
            if (typeof next === "number") await clock.advanceAsync(next);
            else if (isPossible(next, connector.attempt)) STEPS[next](connector.attempt, client);
            await clock.settle();
            assert(connector.attempts.filter(({ isLive }) => isLive).length <= 1);
          }
          void ENDS[end](client, aborter);
          await clock.advanceAsync(600_000); // The slowest consumer is through by then.
          assert.equal(consumer.isOver, true);
          assert.equal(consumer.error, null);
          assertAttempts(consumer.types);
          assert.equal(
            consumer.types.filter((type) => type === "disconnected").length,
            consumer.types.filter((type) => type === "connecting").length,
          );
          connector.assertNothingLeft();
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** Opens and fails an attempt once only, and lets a peer speak only on an open transport. */
function isPossible(name: string, attempt: ScriptedAttempt): boolean {
  if (name === "send" || name === "close this connection") return true;
  const isOpening = ["connected", "open", "open with glue", "refuse", "reject", "break the upgrade"].includes(
    name,
  );
  return attempt.isLive && attempt.isOpen !== isOpening;
}
