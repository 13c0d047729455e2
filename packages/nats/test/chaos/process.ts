import { natsEngine } from "../../dist/index.js";
import { runProcess } from "../../../holdfast/test-dist/topics/engine-chaos/process.js";
import { openConnection } from "../nats-server.js";

// The transport of NATS has no listener for errors of its socket between two steps of connecting, so a reset in that
// moment reaches nobody (@nats-io/transport-node 3.4.0). It tries again once its timeout for connecting has passed.
process.on("uncaughtException", (error: NodeJS.ErrnoException) => {
  if (error.code !== "ECONNRESET") throw error;
});

// The server may be killed while this process starts.
const connecting = { waitOnFirstConnect: true };
await runProcess(async (port) => natsEngine({ connection: await openConnection(port, connecting) }));
