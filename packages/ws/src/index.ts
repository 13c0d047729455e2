// Entry point `@holdfast/ws`: the exports of `ws`. `require()` returns the class itself (index.cjs).

import { createWebSocketStream } from "./stream.js";
import { WebSocket } from "./web-socket.js";
import { WebSocketServer } from "./web-socket-server.js";

Object.assign(WebSocket, { createWebSocketStream, Server: WebSocketServer, WebSocket, WebSocketServer });

export { createWebSocketStream, WebSocket, WebSocketServer };
// eslint-disable-next-line no-restricted-syntax -- The default export is the one that most users of ws import.
export default WebSocket;
