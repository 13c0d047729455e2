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
export function program(): void {
  const server: WebSocketServer = new WebSocketServer({ server: createServer(), clientTracking: true });
  server.on("connection", (socket, request) => {
    const client: Default = socket;
    const incoming: IncomingMessage = request;
    client.on("message", (data: RawData, isBinary) => client.send(data as Buffer, { binary: isBinary }));
    client.on("close", (code, reason) => void [code.toFixed(), reason.toString(), incoming.url]);
    client.once("pong", (data) => void data.length);
    client.on("custom", (...args: unknown[]) => void args);
  });
  server.handleUpgrade(
    {} as IncomingMessage,
    createWebSocketStream(new Default("ws://x")),
    Buffer.alloc(0),
    (ws) => ws.terminate(),
  );
  const typed = new Default.Server<typeof Session>({ noServer: true, WebSocket: Session });
  for (const { user, readyState } of typed.clients) void [user, readyState === WebSocket.OPEN];
  const options: ClientOptions = {
    headers: { Cookie: "a=b" },
    handshakeTimeout: 1,
    holdfast: { pingInterval: 5 },
  };
  const socket: Default.WebSocket = new WebSocket("ws://x", ["a"], options);
  socket.onmessage = ({ data, target }) => void [data, target.url];
  socket.addEventListener("close", ({ code, wasClean }) => void [code, wasClean], { once: true });
  const serverOptions: ServerOptions = {
    port: 0,
    verifyClient: ({ origin, secure }, done) => done(origin !== "" && secure, 401, "no", { a: "b" }),
  };
  // @ts-expect-error -- the port is a number
  void new Default.WebSocketServer({ ...serverOptions, port: "8080" });
  void socket.holdfast?.latency;
}

test("N4: the default export has the other exports as properties, as that of ws", () => {
  assert.deepEqual(
    [Default, Default.WebSocket, Default.WebSocketServer, Default.Server, Default.createWebSocketStream],
    [WebSocket, WebSocket, WebSocketServer, WebSocketServer, createWebSocketStream],
  );
});
