// The global WebSocket of runtimes as a client of our server.

import { after, describe } from "node:test";
import { noteVersion } from "./matrix/test-cell.js";
import { PeerPool } from "./peers/peer-pool.js";
import { findRuntime } from "./peers/runtimes.js";
import { testStandardWebSocket } from "./scenes/standard-websocket-tests.js";

const ABILITIES = {
  "Node.js 22": { compresses: true, echoesReason: false },
  "Node.js 24": { compresses: true, echoesReason: false },
  Bun: { compresses: true, echoesReason: true },
  Deno: { compresses: false, echoesReason: true },
} as const;

for (const name of ["Node.js 22", "Node.js 24", "Bun", "Deno"] as const) {
  const runtime = findRuntime(name);
  const pool = new PeerPool(runtime.program("global-websocket"));
  const row = `WebSocket of ${name}` as const;
  noteVersion(row, runtime.version);

  describe(row, () => {
    after(() => pool[Symbol.asyncDispose]());
    testStandardWebSocket({ name: row, row, pool, skip: runtime.skip }, ABILITIES[name]);
  });
}
