// The channels of sessions, and their counts.

import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, test } from "node:test";
import type { DiagnosticsMessages } from "../../../build/index.js";
import { eventually } from "holdfast-testkit";
import { next, SessionPair } from "./session-pair.js";

const NAMES = ["open", "detach", "resume", "close"] as const;

/** The messages of one side, until the end of the block. */
function record(side: "client" | "server"): { readonly published: unknown[] } & Disposable {
  const published: unknown[] = [];
  const listeners = NAMES.map((name) => {
    const channel = `holdfast:session:${name}` as const;
    const listen = (message: unknown): void => {
      // The channel's messages have this type.
      const { side: from, ...rest } = message as DiagnosticsMessages[typeof channel];
      const { info, gap, ...details } = { info: undefined, gap: undefined, ...rest };
      if (from !== side) return;
      published.push([name, details, ...(info === undefined ? [] : [info.cause])]);
      if (name === "resume") assert.equal(typeof gap, "number");
    };
    subscribe(channel, listen);
    return () => unsubscribe(channel, listen);
  });
  return { published, [Symbol.dispose]: () => listeners.forEach((stop) => stop()) };
}

describe("Channels of sessions", { timeout: 300_000 }, () => {
  test("J2 L3: both sides publish each step: opened, detached, resumed with what is sent again, closed", async () => {
    using client = record("client");
    using server = record("server");
    await using pair = await SessionPair.open();
    const { id } = pair.client.session ?? {};
    await pair.cut();
    for (const text of ["s1", "s2", "s3"]) await pair.connection.send(text);
    const resumed = [next(pair.client, "resumed"), next(pair.connection, "resumed")];
    await pair.reconnect();
    await Promise.all(resumed);
    await pair.client.close();
    await pair.connection.closed;
    const steps = (replayedIn: number, replayedOut: number): unknown[] => [
      ["open", { id, isNew: true }],
      ["detach", { id }, "reset"],
      ["resume", { id, replayedIn, replayedOut }],
      ["close", { id, reason: null, unsent: 0, unknown: 0 }],
    ];
    assert.deepEqual(client.published, steps(3, 0));
    assert.deepEqual(server.published, steps(0, 3));
  });

  test("J2 L5: a loss is published once on each side, with its reason, and the session after it is another one", async () => {
    using client = record("client");
    using server = record("server");
    await using pair = await SessionPair.open({ server: { sessions: { retain: 1 } } });
    const { id } = pair.client.session ?? {};
    await pair.cut();
    await eventually(() => pair.connection.state === "closed", "the end of the session");
    const lost = next(pair.client, "lost");
    await pair.proxy.accept("forward");
    await lost;
    await eventually(() => pair.connections.length === 2, "the next session");
    const later = pair.client.session?.id;
    const expected = [
      ["open", { id, isNew: true }],
      ["detach", { id }, "reset"],
      ["close", { id, reason: "expired", unsent: 0, unknown: 0 }],
      ["open", { id: later, isNew: true }],
    ];
    assert.deepEqual(client.published, expected);
    assert.deepEqual(server.published, expected);
    assert.notEqual(id, later);
  });

  test("J2 L6: `server.sessions` counts sessions with a socket and without, and their memory", async () => {
    await using pair = await SessionPair.open();
    assert.deepEqual(pair.server.sessions, { attached: 1, detached: 0, memory: 0 });
    await pair.cut();
    await pair.connection.send("m".repeat(1_000));
    assert.deepEqual(pair.server.sessions, { attached: 0, detached: 1, memory: 8_192 + 1_000 + 64 });
    const { server } = pair;
    pair.connection.terminate();
    await pair.connection.closed;
    assert.deepEqual(server.sessions, { attached: 0, detached: 0, memory: 0 });
    await using without = await SessionPair.begin({ server: { sessions: null } });
    assert.equal(without.server.sessions, null);
  });
});
