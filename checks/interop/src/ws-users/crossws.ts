import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { WebSocket, WebSocketServer } from "@holdfast/ws";
import nodeAdapter from "crossws/adapters/node";
import { isOnHoldfast, listening, type WsUser } from "./user.js";

async function withAdapter(play: (url: string, events: unknown[]) => Promise<void>): Promise<void> {
  const events: unknown[] = [];
  const adapter = nodeAdapter({
    wss: new WebSocketServer({ noServer: true }) as never, // Its types name the class of ws.
    hooks: {
      open(peer) {
        events.push(["open", isOnHoldfast((peer as unknown as { _internal: { ws: unknown } })._internal.ws)]);
        peer.subscribe("room");
      },
      message(peer, message) {
        peer.send(message.text());
        peer.publish("room", "news");
      },
      close: (_, details) => void events.push(["close", details.code, details.reason]),
    },
  });
  const server = createServer();
  server.on("upgrade", (request, socket, head) => void adapter.handleUpgrade(request, socket, head));
  const url = `ws://127.0.0.1:${await listening(server)}`;
  try {
    await play(url, events);
  } finally {
    adapter.closeAll();
    server.close();
    server.closeAllConnections();
  }
}

async function open(url: string): Promise<WebSocket> {
  const client = new WebSocket(url);
  await once(client, "open");
  return client;
}

export const crossws: WsUser = {
  row: "crossws",
  packageName: "crossws",
  change: "`wss: new WebSocketServer({ noServer: true })`",

  messages: () =>
    withAdapter(async (url, events) => {
      const [one, other] = [await open(url), await open(url)];
      const received = Promise.all([once(one, "message"), once(other, "message")]) as Promise<[Buffer][]>;
      one.send("hi");
      assert.deepEqual(
        (await received).map(([data]) => data.toString()),
        ["hi", "news"],
      );
      assert.deepEqual(events, [
        ["open", true],
        ["open", true],
      ]);
      one.terminate();
      other.terminate();
    }),

  endings: () =>
    withAdapter(async (url, events) => {
      const client = await open(url);
      client.close(4000, "some reason");
      await once(client, "close");
      while (events.length < 2) await new Promise(setImmediate);
      assert.deepEqual(events[1], ["close", 4000, "some reason"]);
    }),
};
