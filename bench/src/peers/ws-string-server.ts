import { WebSocketServer } from "ws";
import { portOf } from "./support/port-of.js";
import { announce } from "./support/program.js";
import { wsOptions } from "./support/ws-options.js";

const server = new WebSocketServer(wsOptions());
server.on("connection", (socket) => {
  socket.binaryType = "nodebuffer"; // its default: what a message arrives as
  socket.on("error", () => socket.terminate());
  socket.on("message", (data: Buffer, isBinary) => socket.send(isBinary ? data : data.toString()));
});
server.on("listening", () => announce(portOf(server)));
