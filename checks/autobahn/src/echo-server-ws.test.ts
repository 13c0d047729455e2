// Tests the echo server with a third-party client and the same cases as the driver.

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { activeResources, assertNothingLeft, withTimeout } from "holdfast-testkit";
import { WebSocket } from "ws";
import { startEchoServer } from "./echo-server.js";
import { allCases } from "./stand-in/cases.js";

const COMMAND = { host: "127.0.0.1", port: 0, maxMessageSize: null, isCompressing: true };

test("The echo server passes the cases with ws as the client: fragments, pings, 16 MiB, every window", async (t) => {
  const before = activeResources();
  const server = await startEchoServer(COMMAND);
  const start = performance.now();
  try {
    for (const one of allCases()) {
      const { name, compression } = one;
      const socket = new WebSocket(server.url, { perMessageDeflate: compression });
      await once(socket, "open");
      try {
        await withTimeout(one.run(socket), 30_000, name);
        socket.close(1000);
        assert.equal((await once(socket, "close"))[0], 1000, name);
      } finally {
        socket.terminate();
      }
    }
  } finally {
    await server.close();
  }
  t.diagnostic(`${Math.round(performance.now() - start)} ms`);
  await assertNothingLeft(before);
});
