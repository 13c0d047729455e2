import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../../holdfast/test-dist/topics/eventually.js";
import type { Address, Connector, RedisConnection, Reply } from "../dist/client/connection.js";
import { Commands } from "../dist/routing/commands.js";

test("M8: a node with an old map of the slots does not keep commands from the node that serves them", async () => {
  const nodes = [1, 2, 3].map((port) => ({ host: "node", port }));
  // The first two have not heard yet that another node has taken over from one that is down.
  const serves = new Map([
    [1, 9],
    [2, 9],
    [3, 3],
  ]);
  const commands = new Commands(clusterOf(nodes, serves));
  const { reply } = await eventually(() => commands.send(7, ["GET", "key"]), 30_000);
  assert.equal(String(reply), "from 3");
  commands.close();
});

/** @param serves for each node, which one serves all slots in its opinion; no other one can be reached */
function clusterOf(nodes: readonly Address[], serves: ReadonlyMap<number, number>): Connector {
  return {
    isCluster: true,
    database: 0,
    nodes,
    reach: (address) => address,
    connect: async (address) => {
      const server = serves.get(address?.port ?? 0);
      if (server === undefined) throw new Error("ECONNREFUSED");
      const map: Reply = [[0, 16_383, [Buffer.from("node"), server]]];
      const connection: RedisConnection = {
        isOpen: true,
        send: async ([name]) => (name === "CLUSTER" ? map : Buffer.from(`from ${address?.port}`)),
        isUnsent: () => false,
        subscribe: async () => {},
        unsubscribe: async () => {},
        close: () => {},
      };
      return connection;
    },
  };
}
