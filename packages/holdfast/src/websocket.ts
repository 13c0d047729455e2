/// <reference types="node" preserve="true" />
/// <reference lib="esnext.disposable" preserve="true" />
// Entry point `holdfast/websocket` for Node.js, Bun and Deno: the classes of the WHATWG standard.

import { nodeConnector } from "./client/connector.js";
import { CONNECT_OPTIONS, type ConnectOptions } from "./client/options.js";
import { ConnectionOpener, type PlatformPort } from "./compat/connection-link.js";
import { openPersistent } from "./reconnect/persistent/open-persistent.js";
import { SessionOpener, type ResumeOptions } from "./compat/session-link.js";
import {
  defineWebSocketStream,
  type StandardWebSocketStream,
  type WebSocketStreamConstructor,
} from "./compat/web-socket-stream.js";
import { defineWebSocket } from "./compat/web-socket.js";
import type { BufferOptions, StandardWebSocket, WebSocketConstructor } from "./compat/web-socket-types.js";
import { FOREIGN_CLIENT_OPTIONS } from "./transport/node/foreign-options.js";

/** The option `holdfast` of `WebSocket`: those of `connect()`, and `maxBufferedAmount`. */
export interface WebSocketOptions
  extends Omit<ConnectOptions, "requireSubprotocol" | "signal" | "subprotocols" | "text">, BufferOptions {}
/** The option `holdfast` of `ResumableWebSocket`: in addition those of the session, and of reconnecting. */
export interface ResumableWebSocketOptions extends WebSocketOptions, ResumeOptions {}

const port: PlatformPort<ConnectOptions> = {
  connector: nodeConnector,
  optionNames: CONNECT_OPTIONS,
  advice: FOREIGN_CLIENT_OPTIONS,
  defaults: { maxRedirects: 0 }, // The standard follows none.
  hasFastEvents: true,
  byteLength: (text) => Buffer.byteLength(text),
};

/**
 * The class `WebSocket` of the WHATWG standard (https://websockets.spec.whatwg.org), with keepalive: a dead peer fires
 * `close` within `pingInterval + pingTimeout`. `closeInfo` says how the connection ended.
 */
export const WebSocket: WebSocketConstructor<WebSocketOptions> = defineWebSocket(
  "WebSocket",
  new ConnectionOpener(port),
);
/** A `WebSocket` of the standard. */
export type WebSocket = StandardWebSocket;

/**
 * A `WebSocket` on a session (docs/sessions.md): it stays OPEN while its socket is replaced, and loses no message. `close`
 * fires only if the session is closed or lost. The server needs `sessions`; with another one, opening fails.
 */
export const ResumableWebSocket: WebSocketConstructor<ResumableWebSocketOptions> = defineWebSocket(
  "ResumableWebSocket",
  new SessionOpener(port, (url, options) => openPersistent(nodeConnector(), url, options)),
);
/** A `WebSocket` on a session. */
export type ResumableWebSocket = StandardWebSocket;

/** The option `holdfast` of `WebSocketStream`: those of `connect()`. */
export type WebSocketStreamOptions = Omit<
  ConnectOptions,
  "requireSubprotocol" | "signal" | "subprotocols" | "text"
>;

/** The class `WebSocketStream` of the standard's draft: a WebSocket as a pair of streams, with backpressure. */
export const WebSocketStream: WebSocketStreamConstructor<WebSocketStreamOptions> =
  defineWebSocketStream(port);
/** A WebSocket as a pair of streams. */
export type WebSocketStream = StandardWebSocketStream;

export * from "./compat/exports.js";
