// For suites in which the application's functions fail: none of their promises may be left unhandled.

import assert from "node:assert/strict";
import { afterEach, beforeEach } from "node:test";

/** Fails each test of the suite after which a rejection is unhandled. Call it in `describe()`. */
export function forbidUnhandledRejections(): void {
  const unhandled: unknown[] = [];
  const note = (error: unknown) => void unhandled.push(error);
  beforeEach(() => {
    unhandled.length = 0;
    process.on("unhandledRejection", note);
  });
  afterEach(async () => {
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", note);
    assert.deepEqual(unhandled, []);
  });
}
