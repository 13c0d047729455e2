// The inspected server. On request it sets up and closes its inspector, and reports its processor time and its memory.

import { inspect, serve, type Inspector } from "holdfast";

const server = await serve((connection) => connection.discard(), { host: "127.0.0.1", logger: null });
let inspector: Inspector | null = null;

process.on("message", (message) => {
  switch (message) {
    case "inspect":
      inspector ??= inspect(server, { authorize: () => true });
      break;
    case "stop":
      inspector?.close();
      inspector = null;
      break;
    case "processor": {
      const { user, system } = process.cpuUsage();
      process.send?.(user + system);
      break;
    }
    case "memory":
      globalThis.gc?.();
      process.send?.(process.memoryUsage().heapUsed);
      break;
  }
});
process.on("disconnect", () => process.exit());
process.send?.({ port: server.port });
