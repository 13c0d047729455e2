import assert from "node:assert/strict";
import { test } from "node:test";
import { RawServer, TunnelProxy } from "holdfast-testkit";
import { attemptToOpen, type Endpoints } from "../../dist/client/open-attempt.js";
import { checkConnectOptions, type ConnectOptions } from "../../dist/client/options.js";
import { nodeRuntime } from "../../dist/node/node-runtime.js";
import { parseWebSocketURL } from "../../dist/protocol/handshake/url.js";

/** Opens a stream, and returns what the observer was told, and when. */
async function observed(url: string, options: ConnectOptions): Promise<readonly (Endpoints | "open")[]> {
  const settings = checkConnectOptions(options);
  const told: (Endpoints | "open")[] = [];
  await attemptToOpen(
    {
      runtime: nodeRuntime(),
      destination: { url: parseWebSocketURL(url), headers: [], tls: undefined, withheld: [] },
      offer: { subprotocols: [], origin: null, compression: null },
      settings,
      onConnected: (endpoints) => told.push(endpoints),
    },
    ({ transport }) => {
      told.push("open");
      transport.destroy();
    },
  );
  return told;
}

test("A2: an observer is told when the way to the server is open: through the proxy, before the upgrade, once", async () => {
  await using server = await RawServer.start({}, async (peer) => {
    if (server.peers.length > 1) {
      await peer.acceptUpgrade();
      return;
    }
    await peer.readHead();
    peer.respond(302, { headers: { Location: "/again" } });
  });
  await using proxy = await TunnelProxy.start();
  const told = await observed(server.url(), { proxy: proxy.url() });
  assert.deepEqual(
    told.map((event) => (event === "open" ? event : event.remoteAddress)),
    [{ address: "127.0.0.1", port: proxy.port }, "open"],
  );
  await proxy.close();
  await server.close();
});
