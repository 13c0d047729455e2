import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Program } from "./program.js";

const TOTAL = 200;

test("L7: session-server books every order of session-client once and in order, across two restarts", async () => {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-orders-"));
  try {
    const first = new Program("session-server", "0", folder);
    const [, port = ""] = await first.prints(/Listening on ws:\/\/\S+:(\d+)/);
    // It gives orders for 12 s, so that some are left at the second restart, also on a busy machine.
    await using client = new Program("session-client", `ws://127.0.0.1:${port}`, String(TOTAL), "60");
    let server = first;
    for (let restart = 1; restart <= 2; restart++) {
      await server.prints(/connected/);
      server.signal("SIGINT");
      const { status, errors } = await server.ended;
      assert.deepEqual([status, errors], [0, ""]);
      server = new Program("session-server", port, folder);
      await client.prints(new RegExp(`(?:resumed after[^]*){${restart}}`));
    }
    await using last = server;
    const { status, output, errors } = await client.ended;
    assert.deepEqual([status, errors], [0, ""], output);
    assert.match(output, new RegExp(`^${TOTAL} delivered, 0 unsent, 0 unknown$`, "m"));
    assert.match(output, new RegExp(`^The server has booked ${TOTAL} orders\\.$`, "m"));
    assert.doesNotMatch(output, /lost/);
    last.signal("SIGTERM");
    assert.equal((await last.ended).status, 0);

    const lines = (await readFile(join(folder, "orders.ndjson"), "utf8")).trim().split("\n");
    const bookings = lines.map(
      (line) => JSON.parse(line) as { readonly session: string; readonly order: string },
    );
    const expected = Array.from({ length: TOTAL }, (_, index) => `order ${index + 1}`);
    assert.deepEqual(
      bookings.map(({ order }) => order),
      expected,
    );
    assert.equal(new Set(bookings.map(({ session }) => session)).size, 1, "One session");
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});
