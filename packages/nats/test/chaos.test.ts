import { testChaos } from "../../holdfast/test-dist/topics/engine-chaos/chaos-tests.js";
import { openChaosBackend } from "./chaos/backend.js";
import { missing } from "./nats-server.js";

testChaos({ server: "NATS", faults: "processes and connections are cut", skip: missing }, openChaosBackend);
