// Programs written for @types/ws compile with the types of @holdfast/ws.

import assert from "node:assert/strict";
import { createServer, type IncomingMessage } from "node:http";
import { test } from "node:test";
import Default, {
  createWebSocketStream,
  WebSocket,
  WebSocketServer,
  type ClientOptions,
  type RawData,
  type ServerOptions,
} from "@holdfast/ws";

class Session extends WebSocket {
  user = "";
}

/** Compiled and never called. */
export function program(use: (...values: unknown[]) => void): void {
  const server: WebSocketServer = new WebSocketServer({ server: createServer(), clientTracking: true });
  server.on("connection", (socket, request) => {
    const client: Default = socket;
    const incoming: IncomingMessage = request;
    client.on("message", (data: RawData, isBinary) => client.send(data as Buffer, { binary: isBinary }));
    client.on("close", (code, reason) => use(code.toFixed(), reason.toString(), incoming.url));
    client.once("pong", (data) => use(data.length));
    client.on("custom", (...args: unknown[]) => use(args));
  });
  const stream = createWebSocketStream(new Default("ws://x"));
  server.handleUpgrade({} as IncomingMessage, stream, Buffer.alloc(0), (client) => client.terminate());
  const typed = new Default.Server<typeof Session>({ noServer: true, WebSocket: Session });
  for (const { user, readyState } of typed.clients) use(user, readyState === WebSocket.OPEN);
  const options: ClientOptions = {
    headers: { Cookie: "a=b" },
    handshakeTimeout: 1,
    holdfast: { pingInterval: 5 },
  };
  const socket: Default.WebSocket = new WebSocket("ws://x", ["a"], options);
  socket.onmessage = ({ data, target }) => use(data, target.url);
  socket.addEventListener("close", ({ code, wasClean }) => use(code, wasClean), { once: true });
  const serverOptions: ServerOptions = {
    port: 0,
    verifyClient: ({ origin, secure }, done) => done(origin !== "" && secure, 401, "no", { a: "b" }),
  };
  // @ts-expect-error -- the port is a number
  use(new Default.WebSocketServer({ ...serverOptions, port: "8080" }));
  use(socket.holdfast?.latency);
}

test("N4: the default export has the other exports as properties, as that of ws", () => {
  assert.deepEqual(
    [Default, Default.WebSocket, Default.WebSocketServer, Default.Server, Default.createWebSocketStream],
    [WebSocket, WebSocket, WebSocketServer, WebSocketServer, createWebSocketStream],
  );
});
