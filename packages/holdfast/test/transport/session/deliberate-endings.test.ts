import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, test } from "node:test";
import { explain, type CloseInfo, type Connection, type DiagnosticsMessages } from "../../../build/index.js";
import { eventually } from "holdfast-testkit";
import { keepOpen, receive, SessionPair, type PairOptions } from "./session-pair.js";

/** The end of the first session, as both ends see it. */
interface Learned {
  readonly atServer: CloseInfo;
  /** How its last socket ended. */
  readonly atClient: CloseInfo;
  readonly losses: readonly string[];
}

/** Ends the first session with `end`, and waits for the one that follows. */
async function endFirst(
  end: (connection: Connection) => void,
  options: PairOptions = {},
  before: (pair: SessionPair) => Promise<void> = () => Promise.resolve(),
): Promise<Learned> {
  await using pair = await SessionPair.open({
    ...options,
    client: { retryable: () => true, ...options.client },
  });
  const losses: string[] = [];
  pair.client.on("lost", ({ reason, unsent, unknown }) =>
    losses.push(`client ${reason} ${unsent} ${unknown}`),
  );
  pair.connection.on("lost", ({ reason }) => losses.push(`server ${reason}`));
  const ends: CloseInfo[] = [];
  pair.client.on("disconnected", ({ info }) => ends.push(info));
  await before(pair);
  end(pair.connection);
  const atServer = await pair.connection.closed;
  await eventually(() => pair.connections.length === 2, "the next session", 30_000);
  await pair.connections[1].send("of the next session");
  for (;;) if ((await receive(pair.client, 1))[0] === "of the next session") break;
  return { atServer, atClient: ends[0], losses };
}

const SOON = { client: { firstDelay: 1, maxDelay: 1, minDelay: 0 } };

/** The first handler fails when the test says so. Later ones end with their connections. */
function failingFirst(failures: ((error: Error) => void)[]): (connection: Connection) => unknown {
  return (connection) =>
    failures.length > 0 ? keepOpen(connection) : new Promise((_, reject) => failures.push(reject));
}

describe("A session that the server's code ends", { timeout: 300_000 }, () => {
  test("L3: a handler that fails ends the session at both ends, with one loss, and 1011 says why", async () => {
    const failures: ((error: Error) => void)[] = [];
    const { atServer, atClient, losses } = await endFirst(() => failures[0](new Error("no database")), {
      ...SOON,
      server: { logger: null },
      handler: failingFirst(failures),
    });
    assert.deepEqual([atServer.cause, atServer.sent?.code], ["handler-failed", 1011]);
    assert.match(explain(atServer), /handler failed: no database/);
    assert.deepEqual([atClient.cause, atClient.code], ["peer-close", 1011]);
    assert.match(explain(atClient), /The peer failed with an internal error/);
    assert.deepEqual(losses, ["client unknown 0 0"]);
  });

  for (const code of [1001, 1011, 1012, 1013, 4001, 4321]) {
    test(`L3: close(${code}) of the server's code ends the session, with one loss, and the code reaches the client`, async () => {
      const { atServer, atClient, losses } = await endFirst(
        (connection) => void connection.close(code),
        SOON,
      );
      assert.deepEqual([atServer.cause, atServer.sent?.code], ["local-close", code]);
      assert.deepEqual([atClient.cause, atClient.code], ["peer-close", code]);
      assert.deepEqual(losses, ["client unknown 0 0"]);
    });
  }

  test("L3: close() of the server's code is no loss: everything was confirmed", async () => {
    const { atClient, losses } = await endFirst((connection) => void connection.close(), SOON);
    assert.equal(atClient.code, 1000);
    assert.deepEqual(losses, []);
  });

  test("L3: terminate() of the server's code ends the session at once, with one loss at the client", async () => {
    const { atServer, losses } = await endFirst((connection) => connection.terminate(), SOON);
    assert.equal(atServer.cause, "aborted");
    assert.deepEqual(losses, ["client unknown 0 0"]);
  });

  test("L3: a handler that fails while there is no socket ends the session; the client hears of it with its resume", async () => {
    const failures: ((error: Error) => void)[] = [];
    let pair: SessionPair | null = null;
    const { atServer, losses } = await endFirst(
      () => {
        failures[0](new Error("no database"));
        void pair?.connection.closed.then(() => pair?.proxy.accept("forward"));
      },
      {
        ...SOON,
        server: { logger: null },
        handler: failingFirst(failures),
      },
      async (opened) => {
        pair = opened;
        await opened.cut();
      },
    );
    assert.equal(atServer.cause, "handler-failed");
    assert.match(explain(atServer), /handler failed: no database/);
    assert.deepEqual(losses, ["client unknown 0 0"]);
  });
});

describe("A session that the client's code ends", { timeout: 300_000 }, () => {
  for (const code of [1000, 1001, 1012, 4001]) {
    test(`L3: close(${code}) of a client ends the session at the server, which does not wait for it`, async () => {
      await using pair = await SessionPair.open();
      await pair.client.close(code);
      const info = await pair.connection.closed;
      assert.deepEqual([info.cause, info.code], ["peer-close", code]);
      assert.equal(pair.server.connections.size, 0);
    });
  }

  test("L3: terminate() of a client ends the session at the server, which does not wait for it", async () => {
    await using pair = await SessionPair.open();
    pair.client.terminate();
    await pair.connection.closed;
    assert.equal(pair.server.connections.size, 0);
  });

  for (const how of ["terminate()", "an abort", "an error that is not retried"]) {
    test(`L3: a client that ends by ${how} reports no "detached", since nothing resumes its session`, async () => {
      const abort = new AbortController();
      const client = { signal: abort.signal, retryable: () => false };
      await using pair = await SessionPair.open({ client });
      const events: string[] = [];
      const id = pair.client.session?.id;
      const onDetach = (message: unknown): void => {
        const detached = message as DiagnosticsMessages["holdfast:session:detach"];
        if (detached.id === id && detached.side === "client") events.push("holdfast:session:detach");
      };
      for (const name of ["detached", "resumed", "lost", "disconnected"] as const) {
        pair.client.on(name, () => events.push(name));
      }
      subscribe("holdfast:session:detach", onDetach);
      if (how === "terminate()") pair.client.terminate();
      else if (how === "an abort") abort.abort();
      else pair.client.connection?.terminate();
      await pair.client.closed;
      unsubscribe("holdfast:session:detach", onDetach);
      assert.deepEqual(events, ["disconnected"]);
    });
  }
});
