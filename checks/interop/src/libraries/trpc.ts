import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createTRPCClient, createWSClient, wsLink } from "@trpc/client";
import { initTRPC } from "@trpc/server";
import { applyWSSHandler } from "@trpc/server/adapters/ws";
import { WebSocketServer } from "ws";
import type { Library } from "./library.js";

const { router, procedure } = initTRPC.create();
/** A query, a mutation and a subscription. */
export const appRouter = router({
  greet: procedure.query(() => "hello"),
  add: procedure.mutation(() => 42),
  count: procedure.subscription(async function* () {
    for (let number = 1; number <= 3; number++) yield await Promise.resolve(number);
  }),
});

export const trpc: Library = {
  row: "tRPC",
  packageName: "@trpc/client",
  withoutSessions: "its server takes a server of `ws`, which has no sessions",
  note: null,
  async run(Class) {
    const wss = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await once(wss, "listening");
    applyWSSHandler({ wss, router: appRouter });
    const { port } = wss.address() as AddressInfo;
    const socket = createWSClient({
      url: `ws://127.0.0.1:${port}`,
      WebSocket: Class,
    });
    const client = createTRPCClient<typeof appRouter>({ links: [wsLink({ client: socket })] });
    assert.equal(await client.greet.query(), "hello");
    const numbers: number[] = [];
    await new Promise<void>((resolve, reject) => {
      client.count.subscribe(undefined, {
        onData: (number) => numbers.push(number),
        onComplete: resolve,
        onError: reject,
      });
    });
    assert.deepEqual(numbers, [1, 2, 3]);
    await socket.close();
    wss.close();
  },
};
