// An application passes its one signal for shutting down to everything that it opens.

import assert from "node:assert/strict";
import { getEventListeners, once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { connect, connectInWorker, serve } from "holdfast";
import { eventually } from "holdfast-testkit";

// From eleven listeners on, Node warns of a memory leak, and each takes longer to add than the one before.
const COUNT = 12;

describe("Many calls with one signal", () => {
  const sockets = new Set<Socket>();
  const mute = createServer((socket) => void sockets.add(socket.on("error", () => undefined)));
  let url = "";

  before(async () => {
    await once(mute.listen(0, "127.0.0.1"), "listening");
    url = `ws://127.0.0.1:${(mute.address() as AddressInfo).port}/`;
  });

  after(() => {
    for (const socket of sockets) socket.destroy();
    mute.close();
  });

  const CALLS: Readonly<Record<string, (signal: AbortSignal) => Promise<unknown>>> = {
    "connect()": (signal) => connect(url, { signal }),
    "connect() over HTTP/2": (signal) => connect(url, { signal, http2: true }),
    "connect() with a createConnection that hangs": (signal) =>
      connect("ws://a.test/", { signal, createConnection: () => new Promise<never>(() => undefined) }),
    "connectInWorker()": (signal) => connectInWorker(url, { signal }),
  };

  for (const [name, call] of Object.entries(CALLS)) {
    test(`B1: ${name}: one listener on it, and none after the abort, which rejects all with its reason`, async () => {
      const aborter = new AbortController();
      const reason = new Error("shutting down");
      const calls = Array.from({ length: COUNT }, () => call(aborter.signal));
      const settled = Promise.allSettled(calls);
      await eventually(() => getEventListeners(aborter.signal, "abort").length > 0, "the calls have begun");
      await new Promise((resolve) => setTimeout(resolve, 20));
      assert.equal(getEventListeners(aborter.signal, "abort").length, 1);
      aborter.abort(reason);
      assert.deepEqual(
        await settled,
        calls.map(() => ({ status: "rejected", reason })),
      );
      assert.equal(getEventListeners(aborter.signal, "abort").length, 0);
    });
  }

  test("G4: the close() of many servers: one listener on it, and none afterwards", async () => {
    const { signal } = new AbortController();
    const servers = await Promise.all(
      Array.from({ length: COUNT }, () => serve(() => undefined, { host: "127.0.0.1" })),
    );
    const closing = servers.map((server) => server.close({ signal }));
    assert.equal(getEventListeners(signal, "abort").length, 1);
    await Promise.all(closing);
    assert.equal(getEventListeners(signal, "abort").length, 0);
  });
});
