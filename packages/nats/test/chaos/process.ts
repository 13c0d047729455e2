import { natsEngine } from "../../dist/index.js";
import { runProcess } from "../../../holdfast/test-dist/topics/engine-chaos/process.js";
import { openConnection } from "../nats-server.js";

await runProcess(async (port) => natsEngine({ connection: await openConnection(port) }));
