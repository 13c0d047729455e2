// Runs the chaos test as long and as large as wanted, and prints what came out:
//
//   node packages/redis/test-dist/chaos/main.js --seconds 60 --clients 1000 --serverKills 20

import { runFromCommandLine } from "../../../holdfast/test-dist/topics/engine-chaos/chaos-tests.js";
import { openChaosBackend } from "./backend.js";

await runFromCommandLine(openChaosBackend);
