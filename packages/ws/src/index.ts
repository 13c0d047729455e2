// Entry point `@holdfast/ws`: the exports of `ws`. `require()` returns the class itself (index.cjs).

import { createWebSocketStream } from "./stream.js";
import { WebSocket } from "./web-socket.js";
import { WebSocketServer } from "./web-socket-server.js";

Object.assign(WebSocket, { createWebSocketStream, Server: WebSocketServer, WebSocket, WebSocketServer });

export { createWebSocketStream, WebSocket, WebSocketServer };
export default WebSocket;
