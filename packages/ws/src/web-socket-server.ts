// `WebSocketServer`: the server of `ws`.

import { EventEmitter } from "node:events";
import http, { type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Adopter, AgreedCompression } from "holdfast/adapter";
import { acceptableOffers } from "./acceptable-offers.js";
import { acceptKey } from "./accept-key.js";
import { ServerHandshake } from "./handshake-records.js";
import { CONNECTION_DEFAULTS, createAdopter, given } from "./options.js";
import { destroySocket, refuse, type Refusal } from "./refusals.js";
import { checkRequest, isConsent } from "./request-checks.js";
import type { ServerOptions } from "./server-options.js";
import { parseProtocols } from "./subprotocols.js";
import { WebSocket } from "./web-socket.js";

type UpgradeCallback = (websocket: WebSocket, request: IncomingMessage) => void;

const RUNNING = 0;
const CLOSING = 1;
const CLOSED = 2;

/** Sockets that a server has upgraded: two handlers for one `upgrade` event are a mistake. */
const upgraded = new WeakSet<Duplex>();

export class WebSocketServer extends EventEmitter {
  readonly options: ServerOptions;
  clients?: Set<WebSocket>;
  _server: http.Server | null = null;
  _state: typeof CLOSED | typeof CLOSING | typeof RUNNING = RUNNING;
  readonly #adopter: Adopter;
  #removeListeners: () => void = () => undefined;
  #awaitsClients = false;

  /** @throws TypeError, InvalidArgumentError */
  constructor(options: ServerOptions = {}, callback?: () => void) {
    super();
    const { port = null, noServer } = options;
    const server = given(options.server);
    if ([port !== null, server, noServer].filter(Boolean).length !== 1) {
      throw new TypeError(
        'One and only one of the "port", "server", or "noServer" options must be specified',
      );
    }
    const resolved = { ...DEFAULTS, WebSocket, ...options };
    this.options = resolved.perMessageDeflate === true ? { ...resolved, perMessageDeflate: {} } : resolved;
    this.#adopter = createAdopter("server", this.options);
    if (this.options.clientTracking) this.clients = new Set();
    if (port !== null) this._server = listen(this.options, callback);
    else if (server !== null) this._server = server; // Those of https have the same interface.
    if (this._server !== null) this.#listenTo(this._server);
  }

  address(): AddressInfo | string | null {
    if (this.options.noServer) throw new Error('The server is operating in "noServer" mode');
    return this._server?.address() ?? null;
  }

  /** Stops accepting connections. `close` follows once all connections have ended; close those yourself. */
  close(callback?: (error?: Error) => void): void {
    if (this._state === CLOSED) {
      if (callback !== undefined) this.once("close", () => callback(new Error("The server is not running")));
      process.nextTick(() => this.#emitClose());
      return;
    }
    if (callback !== undefined) this.once("close", callback);
    if (this._state === CLOSING) return;
    this._state = CLOSING;
    const server = this._server;
    this.#removeListeners();
    this._server = null;
    if (server !== null && !this.options.server) server.close(() => this.#emitClose());
    else if ((this.clients?.size ?? 0) > 0) this.#awaitsClients = true;
    else process.nextTick(() => this.#emitClose());
  }

  /** Whether the request is for this server: whether it has the path of the option `path`. */
  shouldHandle(request: IncomingMessage): boolean {
    const { path } = this.options;
    if (!path) return true;
    return (request.url ?? "").split("?", 1)[0] === path;
  }

  /** Answers an upgrade request, and calls back with the WebSocket if it is accepted. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, callback: UpgradeCallback): void {
    socket.on("error", destroySocket);
    const refusal = checkRequest(request);
    if (refusal !== null) {
      this.#refuse(request, socket, refusal);
      return;
    }
    if (!this.shouldHandle(request)) {
      refuse(socket, { status: 400 });
      return;
    }
    const compression = this.#acceptCompression(request);
    if (compression !== null && "status" in compression) {
      this.#refuse(request, socket, compression);
      return;
    }
    const accept = (): void => this.#completeUpgrade(request, socket, head, { compression, callback });
    this.#verify(request, socket, accept);
  }

  #listenTo(server: http.Server): void {
    const listeners = {
      listening: () => void this.emit("listening"),
      error: (error: Error) => void this.emit("error", error),
      upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) =>
        this.handleUpgrade(
          request,
          socket,
          head,
          (websocket) => void this.emit("connection", websocket, request),
        ),
    };
    for (const [event, listener] of Object.entries(listeners)) server.on(event, listener);
    this.#removeListeners = () => {
      for (const [event, listener] of Object.entries(listeners)) server.removeListener(event, listener);
    };
  }

  #acceptCompression({ headers }: IncomingMessage): AgreedCompression | Refusal | null {
    const offer = headers["sec-websocket-extensions"];
    const { perMessageDeflate } = this.options;
    if (offer === undefined || !perMessageDeflate) return null;
    const invalid = { status: 400, message: "Invalid or unacceptable Sec-WebSocket-Extensions header" };
    try {
      const offers =
        typeof perMessageDeflate === "object" ? acceptableOffers(offer, perMessageDeflate) : offer;
      const agreed = this.#adopter.acceptCompression(offers ?? offer);
      if (agreed !== null && offers !== null) return agreed;
      return OFFERS_DEFLATE.test(offer) ? invalid : null;
    } catch {
      return invalid;
    }
  }

  /** Asks the application's `verifyClient`, which answers at once or by a callback. */
  #verify(request: IncomingMessage, socket: Duplex, accept: () => void): void {
    const { verifyClient } = this.options;
    if (!verifyClient) {
      accept();
      return;
    }
    const info = clientInfo(request);
    if (verifyClient.length !== 2) {
      if (isConsent((verifyClient as (info: object) => boolean)(info))) accept();
      else refuse(socket, { status: 401 });
      return;
    }
    verifyClient(info, (isVerified, status, message, headers) => {
      if (isConsent(isVerified)) accept();
      else refuse(socket, { status: status ?? 401, message, headers });
    });
  }

  #completeUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    { compression, callback }: { compression: AgreedCompression | null; callback: UpgradeCallback },
  ): void {
    if (!socket.readable || !socket.writable) {
      socket.destroy(); // The client has already disconnected.
      return;
    }
    if (upgraded.has(socket)) {
      throw new Error(
        "server.handleUpgrade() was called more than once with the same socket, possibly due to a misconfiguration",
      );
    }
    if (this._state !== RUNNING) {
      refuse(socket, { status: 503 });
      return;
    }
    const { WebSocket: Constructor = WebSocket } = this.options;
    const websocket = new Constructor(null, undefined, this.options);
    const protocol = this.#chooseProtocol(request);
    const headers = answer(request, protocol, compression);
    this.emit("headers", headers, request);
    upgraded.add(socket);
    socket.write(headers.concat("\r\n").join("\r\n"));
    socket.removeListener("error", destroySocket);
    const handshake = new ServerHandshake(request, headers, {
      isSecure: isSecure(request),
      protocol,
      compression,
    });
    websocket.setSocket(socket, head, this.options, { adopter: this.#adopter, handshake });
    this.#track(websocket);
    callback(websocket, request);
  }

  #chooseProtocol(request: IncomingMessage): string {
    const offered = checkProtocolsOf(request);
    const [first = ""] = offered;
    if (first === "") return "";
    const { handleProtocols } = this.options;
    if (!handleProtocols) return first;
    const chosen = handleProtocols(offered, request);
    return typeof chosen === "string" ? chosen : "";
  }

  #track(websocket: WebSocket): void {
    const { clients } = this;
    if (clients === undefined) return;
    clients.add(websocket);
    websocket.on("close", () => {
      clients.delete(websocket);
      if (this.#awaitsClients && clients.size === 0) process.nextTick(() => this.#emitClose());
    });
  }

  #refuse(request: IncomingMessage, socket: Duplex, refusal: Refusal): void {
    if (this.listenerCount("wsClientError") === 0) refuse(socket, refusal);
    else this.emit("wsClientError", new Error(refusal.message), socket, request);
  }

  #emitClose(): void {
    this._state = CLOSED;
    this.emit("close");
  }
}

const DEFAULTS: ServerOptions = {
  ...CONNECTION_DEFAULTS,
  perMessageDeflate: false,
  handleProtocols: null,
  clientTracking: true,
  verifyClient: null,
  noServer: false,
  backlog: null,
  server: null,
  host: null,
  path: null,
  port: null,
};

const OFFERS_DEFLATE = /(?:^|,)\s*permessage-deflate\s*(?:;|,|$)/;

/** The server of the option `port`. It answers other requests with 426 (RFC 9110 section 15.5.22). */
function listen({ port, host, backlog }: ServerOptions, callback?: () => void): http.Server {
  const server = http.createServer((_, response) => {
    const body = http.STATUS_CODES[426] ?? "";
    response.writeHead(426, { "Content-Length": body.length, "Content-Type": "text/plain" });
    response.end(body);
  });
  server.listen(port ?? 0, host ?? undefined, backlog ?? undefined, callback);
  return server;
}

function answer(request: IncomingMessage, protocol: string, compression: AgreedCompression | null): string[] {
  const key = request.headers["sec-websocket-key"] ?? "";
  return [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${acceptKey(key)}`,
    ...(protocol === "" ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
    ...(compression === null ? [] : [`Sec-WebSocket-Extensions: ${compression.header}`]),
  ];
}

function checkProtocolsOf({ headers }: IncomingMessage): Set<string> {
  const header = headers["sec-websocket-protocol"];
  return header === undefined ? new Set() : (parseProtocols(header) ?? new Set()); // Checked before.
}

function clientInfo(request: IncomingMessage): { origin: string; secure: boolean; req: IncomingMessage } {
  const name = Number(request.headers["sec-websocket-version"]) === 8 ? "sec-websocket-origin" : "origin";
  return { origin: request.headers[name] as string, secure: isSecure(request), req: request };
}

/** An in-memory request has no socket. */
function isSecure(request: IncomingMessage): boolean {
  const { authorized, encrypted } = Object(request.socket) as { authorized?: unknown; encrypted?: unknown };
  return authorized === true || encrypted === true;
}
