import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import { portOf } from "./support/port-of.js";
import { announce, pingInterval } from "./support/program.js";
import { wsOptions } from "./support/ws-options.js";

// The recipe of the ws README, "How to detect and close broken connections", with its default interval.
const interval = pingInterval() ?? 30_000;

interface WatchedSocket extends WebSocket {
  isAlive?: boolean;
}

const server = new WebSocketServer(wsOptions());
server.on("connection", (socket: WatchedSocket) => {
  socket.isAlive = true;
  socket.on("error", () => socket.terminate());
  socket.on("pong", heartbeat);
  socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
});
setInterval(pingAll, interval);
server.on("listening", () => announce(portOf(server)));

function heartbeat(this: WatchedSocket): void {
  this.isAlive = true;
}

function pingAll(): void {
  server.clients.forEach((socket: WatchedSocket) => {
    if (socket.isAlive === false) {
      socket.terminate();
      return;
    }
    socket.isAlive = false;
    socket.ping();
  });
}
