import { testChaos } from "../../holdfast/test-dist/topics/engine-chaos/chaos-tests.js";
import { openChaosBackend } from "./chaos/backend.js";
import { missing } from "./redis-server.js";

testChaos(
  { server: "Redis", faults: "processes and subscriptions are killed", skip: missing },
  openChaosBackend,
);
