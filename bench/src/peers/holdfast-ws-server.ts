import { WebSocketServer, type RawData, type ServerOptions } from "@holdfast/ws";
import { portOf } from "./support/port-of.js";
import { announce, isBroadcast } from "./support/program.js";
import { wsOptions } from "./support/ws-options.js";

// The program of the peer `ws`, with one line changed.
const server = new WebSocketServer(wsOptions() as ServerOptions); // The types of ws name its own class.
server.on("connection", (socket) => {
  socket.on("error", () => socket.terminate());
  if (isBroadcast()) socket.on("message", tellAll);
  else socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
});
server.on("listening", () => announce(portOf(server)));

function tellAll(data: RawData, isBinary: boolean): void {
  server.clients.forEach((client) => {
    if (client.readyState === client.OPEN) client.send(data, { binary: isBinary });
  });
}
