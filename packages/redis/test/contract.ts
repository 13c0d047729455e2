// The tests that every engine of topics passes, on Redis. A file for each client: they take long, in real time.

import { test } from "node:test";
import { testEngine } from "../../holdfast/test-dist/topics/engine-contract.js";
import { openCluster, openStandalone, type ClientName } from "./backends.js";
import { missing } from "./redis-server.js";

export function testContract(client: ClientName): void {
  if (missing !== false) {
    test(`M1: topics over Redis, with ${client}`, { skip: missing });
    return;
  }
  testEngine(`on Redis, with ${client}`, ["processes", "cuts", "restarts", "beginnings"], () =>
    openStandalone(client),
  );
  testEngine(`on a cluster of Redis, with ${client}`, ["processes", "cuts", "beginnings"], () =>
    openCluster(client),
  );
}
