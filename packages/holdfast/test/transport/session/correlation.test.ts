// Observers of sockets find the connection of the session by the id of the session.

import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, test } from "node:test";
import { serve, type Connection, type DiagnosticsMessages, type Logger } from "../../../build/index.js";
import { eventually, RawClient } from "holdfast-testkit";
import { hear, hearWords, keepOpen, say, SessionPair, upgradeToSessions } from "./session-pair.js";

const CLOSE = "holdfast:connection:close";

interface End {
  readonly connection: Connection;
  readonly session: Connection["session"];
}

/** The connections that end, until the end of the block. */
function recordEnds(): { readonly ended: End[] } & Disposable {
  const ended: End[] = [];
  const listen = (message: unknown): void => {
    const { connection } = message as DiagnosticsMessages[typeof CLOSE];
    ended.push({ connection, session: connection.session });
  };
  subscribe(CLOSE, listen);
  return { ended, [Symbol.dispose]: () => unsubscribe(CLOSE, listen) };
}

const sessionsOf = (ended: readonly End[]): unknown[] => ended.map(({ session }) => session?.id);

describe("The sockets of a session", { timeout: 300_000 }, () => {
  test("J1 J2 L3: name it in the channels and in the log, at both ends; so does a handler that fails", async () => {
    using recorded = recordEnds();
    const { ended } = recorded;
    const lines: { readonly message: string; readonly session: unknown }[] = [];
    const log = (message: string, details: { session?: unknown } = {}): void => {
      if (!message.startsWith("connection retry")) lines.push({ message, session: details.session });
    };
    const logger: Logger = { debug: () => undefined, info: log, warn: log, error: log };
    await using pair = await SessionPair.open({
      server: { logger: { ...logger, isLevelEnabled: () => false } },
      client: { logger: { ...logger, isLevelEnabled: () => false } },
      handler: async (connection) => {
        await connection.recv();
        throw new Error("failed");
      },
    });
    const { id } = pair.connection.session ?? assert.fail();
    await pair.cut();
    assert.deepEqual(sessionsOf(ended), [id, id]);
    assert.ok(ended.every(({ connection }) => connection !== pair.connection));
    await pair.reconnect();
    await pair.client.send("fail");
    await eventually(() => ended.length === 4, "the end of the second socket");
    assert.deepEqual(sessionsOf(ended), [id, id, id, id]);
    const named = (text: string): unknown[] =>
      lines.filter(({ message }) => message === text).map(({ session }) => session);
    assert.deepEqual(named("connection closed"), [id, id, id, id]);
    assert.deepEqual(named("connection handler failed"), [id]);
  });

  test("J2 L4: a socket that was fenced off still names it when it ends", async () => {
    using recorded = recordEnds();
    const { ended } = recorded;
    await using server = await serve(keepOpen, { host: "127.0.0.1", sessions: true, pingInterval: null });
    const open = async (word: string): Promise<RawClient> => {
      const peer = await RawClient.connect({ port: server.port });
      await upgradeToSessions(peer);
      say(peer, word);
      return peer;
    };
    await using first = await open("open");
    const [, id, secret] = await hearWords(first);
    await using second = await open(`resume ${id} ${secret} 0 1`);
    assert.equal(await hear(second), "\u0016resumed 0");
    first.reset();
    await eventually(() => ended.length === 1, "the end of the first socket");
    assert.deepEqual(ended[0].session, { id, isAttached: false, position: 0 });
    for (const connection of server.connections) connection.terminate();
  });
});
