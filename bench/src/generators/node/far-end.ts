// The far end of the clients under test, for machines without a C compiler. Like native/far-end.c, it echoes,
// discards, or sends endlessly. It parses no more than necessary, and does not keep up with fast clients.

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
  // Every message has the same length, and the content does not matter here.
  if (load.work === "echo") socket.write(Buffer.concat(Array.from({ length: messages }, () => frame)));
  else if (load.work === "receive") floodOn(socket);
}

function floodOn(socket: Socket): void {
  while (socket.write(flood));
  socket.once("drain", () => floodOn(socket));
}

// A client sends the whole request at once, so one chunk contains it.
function upgrade(socket: Socket, request: Buffer): void {
  const key = /^sec-websocket-key: *(.*)\r$/im.exec(request.toString("latin1"))?.[1] ?? "";
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  socket.write(
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
}
