// The far end of the clients under test, for machines without a C compiler: as native/far-end.c does, it echoes,
// swallows, or sends without an end. It parses no more than it has to, and keeps up with no fast client.

import { createHash } from "node:crypto";
import { createServer, type AddressInfo, type Socket } from "node:net";
import type { ClientLoad } from "../../workload.js";
import { serverFrame } from "./frames.js";
import { FrameReader } from "./frame-reader.js";

const load = JSON.parse(process.argv[2] ?? "") as ClientLoad; // written by ../choose.ts
const frame = serverFrame(load.payload, load.size);
const flood = Buffer.concat(Array.from({ length: Math.ceil(65_536 / frame.length) }, () => frame));

process.on("disconnect", () => process.exit());
const server = createServer({ noDelay: true }, (socket) => {
  socket.on("error", () => socket.destroy());
  socket.once("data", (request) => {
    upgrade(socket, request);
    const reader = new FrameReader(() => undefined);
    socket.on("data", (chunk) => answer(socket, reader.read(chunk, chunk.length)));
  });
});
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`); // it listens on TCP
});

function answer(socket: Socket, messages: number): void {
  if (messages === 0) return;
  // Every message has the same length, and what is in it is nobody's business here.
  if (load.work === "echo") socket.write(Buffer.concat(Array.from({ length: messages }, () => frame)));
  else if (load.work === "receive") floodOn(socket);
}

function floodOn(socket: Socket): void {
  while (socket.write(flood));
  socket.once("drain", () => floodOn(socket));
}

// A client sends the whole request at once, so that one chunk holds it.
function upgrade(socket: Socket, request: Buffer): void {
  const key = /^sec-websocket-key: *(.*)\r$/im.exec(request.toString("latin1"))?.[1] ?? "";
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  socket.write(
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
}
