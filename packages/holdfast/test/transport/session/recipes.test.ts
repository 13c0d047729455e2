// heartbeat(), withHeartbeat() and keepalive() on a server's connection with a session, which outlives its sockets.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { heartbeat, keepalive, withHeartbeat } from "../../../build/index.js";
import { eventually } from "holdfast-testkit";
import { follow } from "../../connection/harness.js";
import { SessionPair } from "./session-pair.js";

const OFTEN = { timeout: 120_000, interval: 5 };
const PENDING = { status: "pending" };

describe("Recipes on a session", { timeout: 300_000 }, () => {
  for (const when of ["between two pings", "with a ping in flight"]) {
    test(`C17 L3: a socket that is cut ${when} ends no heartbeat, which goes on with the next socket`, async () => {
      await using pair = await SessionPair.open({ server: { pingInterval: null } });
      const { connection } = pair;
      const beating = follow(heartbeat(connection, OFTEN));
      const working = follow(
        withHeartbeat(connection, OFTEN, async (signal) => {
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
          return signal.reason as unknown;
        }),
      );
      const answered = async (): Promise<void> => {
        let pongs = 0;
        const stop = connection.on("pong", () => pongs++);
        await eventually(() => pongs >= 4, "pongs");
        stop();
      };
      await answered();
      if (when === "with a ping in flight") {
        pair.proxy.freeze("toServer");
        const before = connection.latencyStats.answered;
        await eventually(() => connection.latencyStats.sent >= before + 2, "pings in flight");
      }
      await pair.cut();
      pair.proxy.heal();
      await sleep(10 * OFTEN.interval); // It goes on although time passes.
      assert.deepEqual([beating.outcome, working.outcome], [PENDING, PENDING]);
      await pair.reconnect();
      await answered();
      assert.deepEqual([beating.outcome, working.outcome], [PENDING, PENDING]);
      await pair.client.close();
      await connection.closed;
      await eventually(() => working.outcome.status !== "pending", "the end");
      const { reason } = connection.signal as { reason: unknown };
      assert.deepEqual(beating.outcome, { status: "rejected", error: reason });
      assert.deepEqual(working.outcome, { status: "fulfilled", value: reason });
    });
  }

  test("C17 L3: a session that ends without a socket ends the heartbeat", async () => {
    await using pair = await SessionPair.open();
    const { connection } = pair;
    await pair.cut();
    const beating = heartbeat(connection, OFTEN);
    connection.terminate();
    await assert.rejects(beating, { name: "ConnectionClosedError" });
    assert.equal(await beating.catch((error: unknown) => error), connection.signal.reason);
  });

  test("C18 L3: while there is no socket, keepalive() makes no message, so that none burst on the next one", async () => {
    let made = 0;
    await using pair = await SessionPair.open();
    const { connection } = pair;
    const running = keepalive(connection, { interval: 5, message: () => `${made++}` });
    assert.equal(await pair.client.recv(), "0");
    await pair.cut();
    const madeBefore = made;
    await sleep(100);
    assert.equal(made, madeBefore);
    const resumed = new Promise<{ replayedOut?: number }>((resolve) =>
      connection.on("resumed", (event) => resolve(event as { replayedOut?: number })),
    );
    await pair.reconnect();
    const { replayedOut = Infinity } = await resumed;
    assert.ok(replayedOut <= madeBefore, `${replayedOut} messages sent again`);
    await eventually(() => made > madeBefore, "the next message");
    for (let n = 1; n <= madeBefore; n++) assert.equal(await pair.client.recv(), `${n}`);
    await pair.client.close();
    await running;
  });
});
