// The exports of `holdfast/websocket` that are the same on every platform.

export { WebSocketError } from "./web-socket-error.js";
export type { WebSocketCloseInfo } from "./web-socket-error.js";
export type {
  StandardWebSocketStream,
  WebSocketOpenInfo,
  WebSocketStreamConstructor,
  WebSocketStreamInit,
} from "./web-socket-stream.js";
export { CloseEvent } from "./events.js";
export type { CloseEventConstructor, CloseEventInit } from "./events.js";
export type { ResumeOptions } from "./session-link.js";
export type {
  BufferOptions,
  StandardWebSocket,
  WebSocketConstructor,
  WebSocketEvents,
  WebSocketListener,
} from "./web-socket-types.js";
