// Options of other libraries and their replacements. Someone who migrates must not lose a check without
// noticing.

import type { OptionAdvice } from "../../shared/option-names.js";

/** Options of `ws` for both clients and servers. */
const OF_WS = {
  perMessageDeflate: "Use `compression`",
  maxPayload: "Use `maxMessageSize`",
  handshakeTimeout: "Use `openTimeout`",
  skipUTF8Validation: "Remove it: text is always validated (RFC 6455 section 8.1)",
  allowSynchronousEvents: "Remove it: messages are read with forEach(), recv() or for await",
  maxHttpBufferSize: "Use `maxMessageSize`",
  highWaterMark: "Use `writeLimit`",
} satisfies OptionAdvice;

const TLS = "Put it into the option `tls`";
const OF_TLS: OptionAdvice = Object.fromEntries(
  ["ca", "cert", "key", "pfx", "passphrase", "ciphers", "minVersion", "maxVersion"].map((name) => [
    name,
    TLS,
  ]),
);

/** For clients: `ws`, reconnecting-websocket, socket.io. */
export const FOREIGN_CLIENT_OPTIONS: OptionAdvice = {
  ...OF_WS,
  ...OF_TLS,
  rejectUnauthorized: TLS,
  servername: TLS,
  checkServerIdentity: TLS,
  followRedirects: "Use `maxRedirects`",
  protocolVersion: "Remove it: the version is 13 (RFC 6455)",
  protocol: "Use `subprotocols`",
  protocols: "Use `subprotocols`",
  agent: "Use `createConnection` or `proxy`",
  auth: "Put user and password into the URL, or use `headers`",
  finishRequest: "Use `headers`, and `createConnection` for the stream",
  generateMask: "Remove it: masks are random (RFC 6455 section 5.3)",
  timeout: "Use `openTimeout`",
  connectionTimeout: "Use `openTimeout`",
  extraHeaders: "Use `headers`",
  minReconnectionDelay: "Use `firstDelay`",
  maxReconnectionDelay: "Use `maxDelay`",
  reconnectionDelay: "Use `firstDelay`",
  reconnectionDelayMax: "Use `maxDelay`",
  reconnectionDelayGrowFactor: "Use `factor`",
  minUptime: "Use `stableAfter`",
  // Of connectPersistent(): other clients have no session.
  session: "Use connectPersistent(), which resumes sessions",
  maxRetries: "Use `retryable`",
  reconnectionAttempts: "Use `retryable`",
  reconnection: "Use connect() for a single connection, connectPersistent() to reconnect",
  maxEnqueuedMessages: "Use `queue`",
};

/** For servers: `ws`, socket.io. */
export const FOREIGN_SERVER_OPTIONS: OptionAdvice = {
  ...OF_WS,
  ...OF_TLS,
  verifyClient: "Use `onRequest`: a Response that it returns refuses the client",
  handleProtocols: "Use `selectSubprotocol`, or `subprotocols`",
  origin: "Use `origins`",
  cors: "Use `origins`",
  clientTracking: "Remove it: `server.connections` is always there",
  noServer: "Use attach() with your HTTP server",
  server: "Use attach() with your HTTP server",
  WebSocket: "Remove it: handlers get a Connection",
};
