import { createHash } from "node:crypto";
import { createServer, type Socket } from "node:net";
import { portOf } from "./support/port-of.js";
import { announce } from "./support/program.js";

// The upper bound of Node's public API: it echoes raw bytes, including masked frames, without parsing them.

const server = createServer({ noDelay: true }, (socket) => {
  socket.on("error", () => socket.destroy());
  socket.once("data", (request) => {
    upgrade(socket, request);
    socket.on("data", (chunk) => echo(socket, chunk));
  });
});
server.listen(0, "127.0.0.1", () => announce(portOf(server)));

// The load generators send the whole request at once, so one chunk contains it.
function upgrade(socket: Socket, request: Buffer): void {
  const key = /^sec-websocket-key: *(.*)\r$/im.exec(request.toString("latin1"))?.[1] ?? "";
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  socket.write(
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
}

function echo(socket: Socket, chunk: Buffer): void {
  // A chunk that is exactly a Close frame with a code: the server ends the connection first (RFC 6455 7.1.1).
  if (chunk.length === 8 && chunk[0] === 0x88) socket.end(chunk);
  else socket.write(chunk);
}
