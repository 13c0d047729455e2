import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type fastifyPlugin from "@fastify/websocket";
import { WebSocket } from "@holdfast/ws";
import Fastify, { type FastifyInstance } from "fastify";
import { isOnHoldfast, overrideWs, require, type WsUser } from "./user.js";

/** The plugin, which loads `ws` by `require()`. */
type Plugin = typeof fastifyPlugin;

async function withServer(
  play: (fastify: FastifyInstance, url: string, events: string[]) => Promise<void>,
): Promise<void> {
  overrideWs();
  const plugin = require("@fastify/websocket") as Plugin;
  const fastify = Fastify();
  const events: string[] = [];
  await fastify.register(plugin);
  fastify.get("/plain", () => "plain");
  fastify.get("/chat", { websocket: true }, (socket) => {
    events.push(`open ${isOnHoldfast(socket)}`);
    socket.on("message", (data, isBinary) => socket.send(data as Buffer, { binary: isBinary }));
    socket.on("close", (code) => events.push(`close ${code}`));
  });
  await fastify.listen({ port: 0, host: "127.0.0.1" });
  const { port } = fastify.server.address() as AddressInfo;
  try {
    await play(fastify, `ws://127.0.0.1:${port}`, events);
  } finally {
    await fastify.close();
  }
}

export const fastifyWebsocket: WsUser = {
  row: "@fastify/websocket",
  packageName: "@fastify/websocket",
  change: "`overrides` in package.json",

  messages: () =>
    withServer(async (fastify, url, events) => {
      const client = new WebSocket(`${url}/chat`);
      await once(client, "open");
      for (const message of ["text", Buffer.alloc(70_000, 1)]) {
        const echo = once(client, "message") as Promise<[Buffer, boolean]>;
        client.send(message);
        assert.deepEqual(await echo, [Buffer.from(message), typeof message !== "string"]);
      }
      assert.equal(await (await fetch(`${url.replace("ws", "http")}/plain`)).text(), "plain");
      assert.deepEqual(events, ["open true"]);
      client.close();
      const injected = (await fastify.injectWS("/chat")) as unknown as WebSocket;
      const echo = once(injected, "message") as Promise<[Buffer]>;
      injected.send("in memory");
      assert.equal((await echo)[0].toString(), "in memory");
      injected.terminate();
    }),

  endings: () =>
    withServer(async (fastify, url, events) => {
      const client = new WebSocket(`${url}/chat`);
      await once(client, "open");
      const closed = once(client, "close") as Promise<[number]>;
      await fastify.close(); // The plugin closes its clients.
      assert.equal((await closed)[0], 1005);
      while (events.length < 2) await new Promise(setImmediate);
      assert.deepEqual(events, ["open true", "close 1005"]);
    }),
};
