import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "../../build/index.js";
import { RawServer, TunnelProxy } from "holdfast-testkit";
import { open } from "../../build/client/connect.js";
import type { TransportEnds } from "../../build/connection/open-observer.js";

test("A2: an observer is notified when the path to a server is open: through the proxy, before the upgrade, for each hop", async () => {
  await using server = await RawServer.start({}, async (peer) => {
    if (server.peers.length % 2 === 0) {
      await peer.acceptUpgrade();
      return;
    }
    await peer.readHead();
    peer.respond(302, { headers: { Location: "/again" } });
  });
  await using proxy = await TunnelProxy.start();
  const told: (number | string | undefined)[] = [];
  const connection = await open(
    server.url(),
    { proxy: proxy.url() },
    {
      onConnected: ({ remoteAddress }: TransportEnds) => told.push(remoteAddress?.port),
      onOpen: ({ state }) => told.push(state),
      onSpread: () => undefined,
    },
  );
  assert.deepEqual(told, [proxy.port, proxy.port, "open"]);
  connection.terminate();
  await connection.closed;

  // The events of a client report only the first one.
  const types: string[] = [];
  for await (const event of new Client(server.url(), { proxy: proxy.url() })) {
    types.push(event.type);
    if (event.type === "ready") break;
  }
  assert.deepEqual(types, ["connecting", "connected", "ready"]);
  await proxy.close();
  await server.close();
});
