// A status listener that ends or restarts the attempt that it was notified of: nothing of that attempt may
// continue.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Logger } from "../../build/connection/ports.js";
import { PersistentHarness } from "./persistent-harness.js";

/** A persistent connection that records the calls of its `headers` function and the attempts in its log. */
function recorded(signal?: AbortSignal) {
  const calls: number[] = [];
  const logged: string[] = [];
  const ignore = (): void => undefined;
  const logger: Logger = {
    debug: (message) => {
      if (message.startsWith("= attempt")) logged.push(message);
    },
    info: ignore,
    warn: ignore,
    error: ignore,
  };
  const harness = new PersistentHarness({
    logger,
    signal,
    headers: (attempt: number) => {
      calls.push(attempt);
      return {};
    },
  });
  return { harness, calls, logged };
}

describe("A status listener that ends an attempt at its beginning", () => {
  const endings: Record<string, (harness: PersistentHarness, aborter: AbortController) => void> = {
    "terminate()": ({ link }) => link.terminate(),
    "close()": ({ link }) => void link.close(),
    "an abort": (_harness, aborter) => aborter.abort(new Error("enough")),
  };
  for (const [name, end] of Object.entries(endings)) {
    test(`F6: ${name} stops it before it calls a function of the application or opens a connection`, async () => {
      const aborter = new AbortController();
      const { harness, calls, logged } = recorded(aborter.signal);
      harness.link.on("status", ({ state, ...status }) => {
        if (state === "connecting" && "attempt" in status && status.attempt === 2) end(harness, aborter);
      });
      await harness.open();
      await harness.cut();
      await harness.clock.advanceAsync(60_000);
      assert.equal(harness.link.status.state, "closed");
      assert.deepEqual(calls, [1]);
      assert.deepEqual(logged, ["= attempt 1 to connect"]);
      assert.equal(harness.connector.attempts.length, 1);
      harness.assertNothingLeft();
    });
  }
});
