import { serve, type Message, type Server } from "holdfast";
import { holdfastOptions } from "./support/holdfast-options.js";
import { announce, isBroadcast } from "./support/program.js";

const server: Server = await serve(
  (connection) => connection.forEach(isBroadcast() ? tellAll : (message) => void connection.send(message)),
  holdfastOptions(),
);
announce(server.port);

function tellAll(message: Message): void {
  server.broadcast(message);
}
