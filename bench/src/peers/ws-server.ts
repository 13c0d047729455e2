import { WebSocketServer } from "ws";
import { portOf } from "./support/port-of.js";
import { announce } from "./support/program.js";
import { wsOptions } from "./support/ws-options.js";

const server = new WebSocketServer(wsOptions());
server.on("connection", (socket) => {
  socket.on("error", () => socket.terminate());
  socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
});
server.on("listening", () => announce(portOf(server)));
