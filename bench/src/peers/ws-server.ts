import { WebSocketServer, type RawData } from "ws";
import { portOf } from "./support/port-of.js";
import { announce, isBroadcast } from "./support/program.js";
import { wsOptions } from "./support/ws-options.js";

const server = new WebSocketServer(wsOptions());
server.on("connection", (socket) => {
  socket.on("error", () => socket.terminate());
  if (isBroadcast()) socket.on("message", tellAll);
  else socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
});
server.on("listening", () => announce(portOf(server)));

// The recipe of the ws README, "Server broadcast".
function tellAll(data: RawData, isBinary: boolean): void {
  server.clients.forEach((client) => {
    if (client.readyState === client.OPEN) client.send(data, { binary: isBinary });
  });
}
