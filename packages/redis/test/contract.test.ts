import { test } from "node:test";
import { testEngine } from "../../holdfast/test-dist/topics/engine-contract.js";
import { openCluster, openStandalone } from "./backends.js";
import { missing } from "./redis-server.js";

if (missing !== false) {
  test("M1: topics over Redis", { skip: missing });
} else {
  for (const client of ["ioredis", "redis"] as const) {
    testEngine(`on Redis, with ${client}`, ["processes", "cuts", "restarts"], () => openStandalone(client));
    testEngine(`on a cluster of Redis, with ${client}`, ["processes", "cuts"], () => openCluster(client));
  }
}
