import { once } from "node:events";
import { WebSocket } from "@holdfast/ws";
import { runClient, type ClientConnection } from "./support/client-program.js";

await runClient(async (url, onMessage) => {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  const client: ClientConnection = {
    send: (data) => socket.send(data),
    sendAndWait: (data) => new Promise((resolve) => socket.send(data, () => resolve(undefined))),
  };
  socket.on("message", () => onMessage(client));
  await once(socket, "open");
  return client;
});
