// A cluster of NATS whose servers get each message at slightly different times.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { NatsConnection } from "@nats-io/transport-node";
import { EngineUnavailableError } from "holdfast";
import { natsEngine, natsSessionStore } from "../dist/index.js";
import { aRecord, PROOF } from "../../holdfast/test-dist/session/store-contract.js";
import { publishingWith } from "../../holdfast/test-dist/topics/engine-calls.js";
import { startCluster } from "./cluster.js";
import { missing, type NatsServer } from "./nats-server.js";

const HISTORY = { messages: 10_000, age: 300_000 };
/** Of so many rounds, some 20 met a server that lagged behind. */
const ROUNDS = 400;

describe("Three servers of NATS", { skip: missing }, () => {
  let servers: readonly NatsServer[] = [];
  let connections: readonly NatsConnection[] = [];
  const opened: AsyncDisposable[] = [];
  before(async () => {
    servers = await startCluster();
    connections = await Promise.all(servers.map((server) => server.connect()));
  });
  after(async () => {
    for (const one of opened) await one[Symbol.asyncDispose]();
    for (const connection of connections) await connection.close();
    for (const server of servers) await server.close();
  });

  test("L7: a session is found at once by each process, whichever server that asks", async () => {
    const stores = connections.map((connection) => natsSessionStore({ connection, replicas: 3 }));
    opened.push(...stores);
    const found: unknown[] = [];
    await inRounds(async (round) => {
      const id = `s${String(round).padStart(11, "0")}`;
      const [one, other] = [stores[round % 3], stores[(round + 1) % 3]];
      await one?.save(aRecord({ id }));
      await one?.append(id, 1, [{ type: "sent", position: 10, message: "ten" }]);
      await one?.append(id, 1, [{ type: "handled", position: 3 }]);
      const claim = await other?.claim(id, PROOF, 2000);
      found.push(claim?.type === "claimed" ? [claim.record.outgoing.sent, claim.record.inbox.length] : claim);
    });
    assert.deepEqual(
      found,
      found.map(() => [10, 1]),
    );
  });

  test("M2: a message that was published can be read at once by each process: there is no gap", async () => {
    const engines = connections.map((connection) => natsEngine({ connection, replicas: 3 }));
    opened.push(...engines);
    const publish = publishingWith(HISTORY);
    const pages: unknown[] = [];
    await inRounds(async (round) => {
      const [one, other] = [engines[round % 3], engines[(round + 1) % 3]];
      if (one === undefined || other === undefined) return;
      const { epoch, offset } = await publish(one, "a", `${round}`);
      if (epoch === null || offset === null) return;
      const page = await other.read("a", { epoch, offset: offset - 1 }, 1);
      pages.push([page.isComplete, page.messages.at(0)?.data === `${round}`]);
    });
    assert.deepEqual(
      pages,
      pages.map(() => [true, true]),
    );
  });
});

/** A round in which a busy machine did not answer in time shows nothing. */
async function inRounds(act: (round: number) => Promise<void>): Promise<void> {
  let shown = 0;
  for (let round = 0; round < ROUNDS; round++) {
    try {
      await act(round);
      shown++;
    } catch (error) {
      if (!(error instanceof EngineUnavailableError)) throw error;
    }
  }
  assert.ok(shown > ROUNDS / 2, `${shown} of ${ROUNDS}`);
}
