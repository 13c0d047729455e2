// The log lines of reconnecting, on the fake clock: `persist()` and `reconnect()` write the same.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Logger } from "../../build/connection/ports.js";
import { checkConnectionOptions } from "../../build/connection/options.js";
import { checkPersistOptions, type PersistOptions } from "../../build/reconnect/retry/persist-options.js";
import { persist } from "../../build/reconnect/persist.js";
import { Reconnection } from "../../build/reconnect/reconnect.js";
import { HandshakeError, InvalidStatusError } from "../../build/shared/errors.js";
import { close, ScriptedClient, ScriptedConnector, type ScriptedAttempt } from "./scripted-connector.js";

const refused = new HandshakeError("refused", { failure: "refused" });
const status = (code: number, retryAfter: number | null) =>
  new InvalidStatusError(`got ${code}`, {
    status: code,
    headers: new Headers(),
    body: new Uint8Array(),
    retryAfter,
  });
const unavailable = status(503, 20_000);
const forbidden = status(403, null);

const URL = "ws://example.com/";

type Line = readonly [level: string, message: string, details: object | undefined];

/** Records the lines about reconnecting. */
function recorder(lines: Line[]): Logger {
  const level = (name: string) => (message: string, details?: object) => {
    if (/^= attempt|^connection (?:retry|given up)/.test(message)) lines.push([name, message, details]);
  };
  return { debug: level("debug"), info: level("info"), warn: level("warn"), error: level("error") };
}

/** Runs until the loop ends by itself. */
type Run = (connector: ScriptedConnector, logger: Logger | null, options?: PersistOptions) => Promise<void>;

const persisting: Run = async (connector, logger, options) => {
  await exhaust(persist(new ScriptedClient(connector, URL, { logger }), options));
};

const reconnecting: Run = async (connector, logger, options) => {
  const loop = new Reconnection({
    target: { connector, url: URL, options: {}, context: null },
    settings: checkConnectionOptions({ logger }),
    persist: checkPersistOptions(options ?? {}),
  });
  try {
    for await (const connection of loop) await connection.closed;
  } catch (error) {
    assert.equal(error, forbidden);
  }
};

async function exhaust(events: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of events);
}

async function linesOf(
  run: Run,
  fates: readonly ((attempt: ScriptedAttempt) => void)[],
  options: PersistOptions = {},
): Promise<readonly Line[]> {
  const lines: Line[] = [];
  const connector = new ScriptedConnector((attempt) => fates[connector.attempts.length - 1]?.(attempt));
  const over = run(connector, recorder(lines), options);
  for (const _ of fates) await connector.clock.advanceAsync(60_000);
  await over;
  connector.assertNothingLeft();
  return lines;
}

for (const { name, run } of [
  { name: "persist()", run: persisting },
  { name: "reconnect()", run: reconnecting },
]) {
  describe(`The log of ${name}`, () => {
    test("J1: each attempt, each wait with its reason, and why it stopped", async () => {
      const lines = await linesOf(
        run,
        [
          (attempt) => attempt.fail(refused),
          (attempt) => attempt.open(close(1000)),
          (attempt) => attempt.fail(unavailable),
          (attempt) => attempt.fail(forbidden),
        ],
        { minDelay: 1_000, firstDelay: 1_000, maxDelay: 1_000, stableAfter: 60_000 },
      );
      const about = { side: "client", url: URL };
      const asked = lines[5]?.[2] as { readonly delay: number };
      assert.ok(asked.delay >= 20_000 && asked.delay <= 24_000, `${asked.delay} ms`);
      assert.deepEqual(lines, [
        ["debug", "= attempt 1 to connect", { side: "client", attempt: 1 }],
        [
          "info",
          "connection retry",
          { ...about, cause: "refused", attempt: 2, delay: 1_000, requestedByServer: false, error: refused },
        ],
        ["debug", "= attempt 2 to connect", { side: "client", attempt: 2 }],
        // If there was an error, the log line of the connection's end contains it.
        [
          "info",
          "connection retry",
          { ...about, cause: "peer-close", attempt: 3, delay: 1_000, requestedByServer: false },
        ],
        ["debug", "= attempt 3 to connect", { side: "client", attempt: 3 }],
        [
          "info",
          "connection retry",
          {
            ...about,
            cause: "rejected",
            attempt: 4,
            delay: asked.delay,
            requestedByServer: true,
            error: unavailable,
          },
        ],
        ["debug", "= attempt 4 to connect", { side: "client", attempt: 4 }],
        ["warn", "connection given up", { ...about, cause: "rejected", error: forbidden }],
      ]);
    });

    test("J1: a normal end without a further attempt is no warning", async () => {
      const lines = await linesOf(run, [(attempt) => attempt.open(close(1000))], { retryable: () => false });
      assert.deepEqual(lines.at(-1), [
        "info",
        "connection given up",
        { side: "client", url: URL, cause: "peer-close" },
      ]);
    });
  });
}

test("J1: this log does not include an attempt of a client without persist()", async () => {
  const lines: Line[] = [];
  const connector = new ScriptedConnector((attempt) => attempt.fail(refused));
  await exhaust(new ScriptedClient(connector, URL, { logger: recorder(lines) }));
  assert.deepEqual(lines, []);
});
