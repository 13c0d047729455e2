import assert from "node:assert/strict";
import { once } from "node:events";
import { createTRPCClient, createWSClient, wsLink } from "@trpc/client";
import { applyWSSHandler } from "@trpc/server/adapters/ws";
import { WebSocket } from "@holdfast/ws";
import { appRouter } from "../libraries/trpc.js";
import { closeWs, isOnHoldfast, serveWs, type WsUser } from "./user.js";

export const trpc: WsUser = {
  row: "tRPC",
  packageName: "@trpc/server",
  change: "`applyWSSHandler({ wss: new WebSocketServer(…) })`",

  async messages() {
    const { server, url } = await serveWs();
    const handler = applyWSSHandler({ wss: server as never, router: appRouter }); // Its types name those of ws.
    const link = createWSClient({ url, WebSocket: WebSocket as never });
    const client = createTRPCClient<typeof appRouter>({ links: [wsLink({ client: link })] });
    try {
      assert.deepEqual([await client.greet.query(), await client.add.mutate()], ["hello", 42]);
      const counts: number[] = [];
      await new Promise<void>((resolve, reject) => {
        client.count.subscribe(undefined, {
          onData: (count) => counts.push(count),
          onComplete: () => resolve(),
          onError: reject,
        });
      });
      assert.deepEqual(counts, [1, 2, 3]);
      assert.deepEqual([...server.clients].map(isOnHoldfast), [true]);
      const reconnect = once(server, "connection");
      handler.broadcastReconnectNotification();
      await reconnect; // The client has understood the server's message.
    } finally {
      await link.close();
      await closeWs(server);
    }
  },

  async endings() {
    const { server, url } = await serveWs();
    applyWSSHandler({ wss: server as never, router: appRouter });
    const accepted = once(server, "connection") as Promise<[WebSocket]>;
    const link = createWSClient({ url, WebSocket: WebSocket as never });
    const client = createTRPCClient<typeof appRouter>({ links: [wsLink({ client: link })] });
    try {
      assert.equal(await client.greet.query(), "hello");
      const [socket] = await accepted;
      const closed = once(socket, "close") as Promise<[number]>;
      await link.close();
      assert.equal((await closed)[0], 1005);
    } finally {
      await closeWs(server);
    }
  },
};
