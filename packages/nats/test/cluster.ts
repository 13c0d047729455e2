// Starts three servers of NATS that form a cluster with JetStream.

import { connect } from "@nats-io/transport-node";
import { jetstreamManager } from "@nats-io/jetstream";
import { allOrNone, freePort } from "holdfast-testkit";
import { eventually } from "../../holdfast/test-dist/topics/eventually.js";
import { NatsServer } from "./nats-server.js";

/** Resolves once JetStream has elected its leader. */
export async function startCluster(): Promise<readonly NatsServer[]> {
  const ports = [await freePort(), await freePort(), await freePort()];
  const routes = ports.map((port) => `nats-route://127.0.0.1:${port}`).join(",");
  const servers = await allOrNone(
    ports.map((port, index) =>
      NatsServer.start({
        args: [
          ...["--server_name", `server-${index}`, "--cluster_name", "test"],
          ...["--cluster", `nats://127.0.0.1:${port}`, "--routes", routes],
        ],
      }),
    ),
  );
  const connection = await connect({ servers: `127.0.0.1:${servers[0]?.port ?? 0}` });
  await eventually(async () => {
    const manager = await jetstreamManager(connection, { timeout: 500 });
    await manager.streams.add({ name: "probe", subjects: ["probe"], num_replicas: 3 });
    await manager.streams.delete("probe");
  }, 40_000);
  await connection.close();
  return servers;
}
