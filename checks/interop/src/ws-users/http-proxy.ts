import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { WebSocket } from "@holdfast/ws";
import { closeWs, isOnHoldfast, listening, require, serveWs, type WsUser } from "./user.js";

interface Proxy {
  ws(request: object, socket: object, head: Buffer): void;
  on(event: "error", listener: () => void): void;
  close(): void;
}

const { createProxyServer } = require("http-proxy") as { createProxyServer: (options: object) => Proxy };

async function withProxy(
  play: (client: WebSocket, accepted: WebSocket, proxy: Server) => Promise<void>,
): Promise<void> {
  const { server, url } = await serveWs({ perMessageDeflate: true });
  const { port } = server.address() as AddressInfo;
  const proxy = createProxyServer({ target: { host: "127.0.0.1", port }, ws: true });
  proxy.on("error", () => undefined);
  const front = createServer();
  const sockets = new Set<Socket>();
  front.on("connection", (socket) => sockets.add(socket));
  front.on("upgrade", (request, socket, head) => proxy.ws(request, socket, head));
  const connected = once(server, "connection") as Promise<[WebSocket]>;
  const client = new WebSocket(url.replace(String(port), String(await listening(front))), ["chat"]);
  try {
    await once(client, "open");
    await play(client, (await connected)[0], front);
  } finally {
    client.terminate();
    for (const socket of sockets) socket.destroy();
    front.close();
    proxy.close();
    await closeWs(server);
  }
}

export const httpProxy: WsUser = {
  row: "http-proxy",
  packageName: "http-proxy",
  change: "none: it is in between",

  messages: () =>
    withProxy(async (client, accepted) => {
      accepted.on("message", (data, isBinary) => accepted.send(data as Buffer, { binary: isBinary }));
      for (const message of ["text", Buffer.alloc(200_000, 1)]) {
        const echo = once(client, "message") as Promise<[Buffer, boolean]>;
        client.send(message);
        assert.deepEqual(await echo, [Buffer.from(message), typeof message !== "string"]);
      }
      const pong = once(client, "pong") as Promise<[Buffer]>;
      client.ping("through");
      assert.equal((await pong)[0].toString(), "through");
      assert.deepEqual([client.protocol, client.extensions], ["chat", "permessage-deflate"]);
      assert.ok(isOnHoldfast(accepted));
    }),

  endings: () =>
    withProxy(async (client, accepted) => {
      const closed = Promise.all([once(client, "close"), once(accepted, "close")]) as Promise<
        [number, Buffer][]
      >;
      accepted.close(4000, "some reason");
      const ends = (await closed).map(([code, reason]) => [code, reason.toString()]);
      assert.deepEqual(ends, [
        [4000, "some reason"],
        [4000, "some reason"],
      ]);
    }),
};
