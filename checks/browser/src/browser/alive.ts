// Checks of the connection that a page keeps as `kept.connection`, for several tests.

import assert from "node:assert/strict";
import type { Connection } from "holdfast/browser";
import type { Page } from "playwright-core";
import "./page-globals.js";

/** The connection is open and carries messages both ways: the server echoes. */
export async function assertAlive(page: Page): Promise<void> {
  const echo = await page.evaluate(async () => {
    const connection = kept["connection"] as Connection;
    await connection.send("still there?");
    return { message: await connection.recv({ timeout: 30_000 }), state: connection.state };
  });
  assert.deepEqual(echo, { message: "still there?", state: "open" });
}
