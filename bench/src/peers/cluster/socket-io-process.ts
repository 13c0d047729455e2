import { createAdapter } from "@socket.io/redis-streams-adapter";
import { Redis } from "ioredis";
import { createServer } from "node:http";
import { Server } from "socket.io";
import { announce } from "../support/program.js";
import { portOf } from "../support/port-of.js";
import { onCommand, redisPort, topicNames } from "./support.js";

const http = createServer();
const io = new Server(http, {
  adapter: createAdapter(new Redis(redisPort, "127.0.0.1")),
  transports: ["websocket"],
  connectionStateRecovery: {}, // As in its documentation: clients that return get what they missed.
});
io.on("connection", (socket) => {
  void socket.join([...topicNames]);
  socket.on("command", (command: string) =>
    onCommand(command, (topic, text) => io.to(topic).emit("m", text)),
  );
  socket.emit("m", "ready");
});
http.listen(0, "127.0.0.1", () => announce(portOf(http)));
