// Routes the upgrades of one HTTP server, over HTTP/1.1 and HTTP/2, to the WebSocket servers attached to it.

import type { IncomingMessage } from "node:http";
import type {
  Http2SecureServer,
  Http2Server,
  Http2ServerRequest,
  Http2ServerResponse,
  IncomingHttpHeaders,
  ServerHttp2Stream,
} from "node:http2";
import type { Server as NetServer } from "node:net";
import type { Duplex } from "node:stream";
import { Http2ByteStream } from "../../transport/node/http2-byte-stream.js";
import { SocketByteStream } from "../../transport/node/socket-byte-stream.js";
import type { RequestHead } from "../../protocol/handshake/request-head.js";
import { errorOf } from "../../shared/thrown.js";
import {
  asksForWebSocket,
  refuse,
  UPGRADE_REQUIRED,
  type Refusal,
} from "../../protocol/handshake/server-handshake.js";
import { streamHead } from "../http2/stream-head.js";
import type { RequestOrigin } from "../forwarding/request-origin.js";
import type { RequestSource } from "../forwarding/request-source.js";
import {
  afterResponses,
  hasKnownLength,
  headOf,
  isEncrypted,
  mayLackFields,
  TOO_MANY_FIELDS,
  UNKNOWN_LENGTH,
} from "./http-request.js";
import { hookUpgrades } from "./upgrade-hook.js";

/** A WebSocket server attached to an HTTP server. */
export interface AttachedServer {
  /** Whether the request matches the server's `path`. */
  matches(head: RequestHead, origin: RequestOrigin): boolean;
  receive(head: RequestHead, request: UpgradeMessage, rest: Uint8Array): void;
  receiveStream(head: RequestHead, request: UpgradeStream): void;
  /** `head` is null if it is invalid or incomplete. */
  refuse(request: UpgradeMessage, refusal: Refusal, head: RequestHead | null): void;
  refuseStream(request: UpgradeStream, refusal: Refusal, head: RequestHead): void;
}

/** A request over HTTP/1.1, with the socket of its `upgrade` event. */
export type UpgradeMessage = Extract<RequestSource, { kind: "message" }>;

/** A request over HTTP/2. */
export type UpgradeStream = Extract<RequestSource, { kind: "stream" }>;

const routers = new WeakMap<NetServer, UpgradeRouter>();

/**
 * Returns the router of an HTTP server. All attached servers share it, because only after the last one has declined can
 * a request be refused.
 */
export function routerOf(httpServer: NetServer): UpgradeRouter {
  let router = routers.get(httpServer);
  if (router === undefined) {
    router = new UpgradeRouter(httpServer);
    routers.set(httpServer, router);
  }
  return router;
}

type Http2ServerLike = Pick<Http2SecureServer | Http2Server, "on" | "prependListener" | "updateSettings">;

function isHttp2Server(server: NetServer): server is NetServer & Http2ServerLike {
  return "updateSettings" in server && typeof server.updateSettings === "function";
}

/** Where a request with an Upgrade goes. */
type Route =
  | { readonly kind: "accept"; readonly server: AttachedServer; readonly head: RequestHead }
  | Refused<"refuse">
  /**
   * Other upgrade handlers, or else the HTTP server's routes, receive the request; `refusal` applies if there are
   * neither.
   */
  | Refused<"pass">;

interface Refused<Kind> {
  readonly kind: Kind;
  readonly server: AttachedServer;
  readonly refusal: Refusal;
  /** Null if it is invalid or incomplete. */
  readonly head: RequestHead | null;
}

const NOT_FOUND = refuse(404, "Expected the path of a WebSocket, got another one.");

class UpgradeRouter {
  readonly #httpServer: NetServer;
  /** The first server that matches handles the request. */
  readonly #servers = new Set<AttachedServer>();
  /** Each request is routed only once: the application's filter may return a different result the second time. */
  readonly #routes = new WeakMap<IncomingMessage, Route>();
  /** HTTP/2 streams that an attached server has answered. */
  readonly #answeredStreams = new WeakSet<ServerHttp2Stream>();
  #unhook: () => void = () => undefined;

  constructor(httpServer: NetServer) {
    this.#httpServer = httpServer;
  }

  add(server: AttachedServer): void {
    if (this.#servers.size === 0) {
      this.#httpServer.on("upgrade", this.#onUpgrade);
      this.#unhook = hookUpgrades(this.#httpServer, this.#decide);
      if (isHttp2Server(this.#httpServer)) this.#listenToStreams(this.#httpServer);
    }
    this.#servers.add(server);
  }

  remove(server: AttachedServer): void {
    if (this.#servers.delete(server) && this.#servers.size === 0) {
      this.#httpServer.off("upgrade", this.#onUpgrade);
      this.#unhook();
      this.#httpServer.off("stream", this.#onStream).off("connect", this.#onConnect);
    }
  }

  /** Clients send extended CONNECTs only where the server's SETTINGS allow them (RFC 8441 section 3). */
  #listenToStreams(httpServer: Http2ServerLike): void {
    httpServer.updateSettings({ enableConnectProtocol: true });
    // Before Node's own listener, which turns each stream into a request.
    httpServer.prependListener("stream", this.#onStream);
    httpServer.on("connect", this.#onConnect);
  }

  readonly #decide = (request: IncomingMessage): boolean | null => {
    if (this.#servers.size === 0) return null;
    const [first] = this.#servers;
    const route = this.#route(request, first);
    this.#routes.set(request, route);
    if (route.kind !== "pass") return true;
    return this.#hasOtherHandlers ? null : false;
  };

  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, rest: Uint8Array): void => {
    const [first] = this.#servers;
    const route = this.#routes.get(request) ?? this.#route(request, first);
    if (route.kind === "pass" && this.#hasOtherHandlers) return;
    socket.on("error", () => undefined); // Node has removed its own error listener.
    afterResponses(socket, () => {
      const { server } = route;
      const source: UpgradeMessage = { kind: "message", message: request, socket };
      if (route.kind === "accept") server.receive(route.head, source, rest);
      else server.refuse(source, route.refusal, route.head);
    });
  };

  #route(request: IncomingMessage, first: AttachedServer): Route {
    const { socket } = request;
    const mayPass = this.#hasOtherHandlers || this.#httpServer.listenerCount("request") > 0;
    const passOrRefuse = (refusal: Refusal, head: RequestHead | null): Route => ({
      kind: mayPass ? "pass" : "refuse",
      server: first,
      refusal,
      head,
    });
    const mayBeCut = mayLackFields(request);
    if (mayBeCut && !this.#hasOtherHandlers)
      return { kind: "refuse", server: first, refusal: TOO_MANY_FIELDS, head: null };
    let head: RequestHead;
    try {
      head = headOf(request);
    } catch (error) {
      return passOrRefuse(refuse(400, errorOf(error).message), null);
    }
    if (!hasKnownLength(head) && !this.#hasOtherHandlers)
      return { kind: "refuse", server: first, refusal: UNKNOWN_LENGTH, head };
    if (!asksForWebSocket(head)) return passOrRefuse(UPGRADE_REQUIRED, head);
    const origin: RequestOrigin = {
      transport: new SocketByteStream(socket),
      source: { kind: "message", message: request, socket },
      isSecure: isEncrypted(socket),
    };
    for (const server of this.#servers) {
      if (!server.matches(head, origin)) continue;
      return mayBeCut
        ? { kind: "refuse", server, refusal: TOO_MANY_FIELDS, head: null }
        : { kind: "accept", server, head };
    }
    return passOrRefuse(NOT_FOUND, mayBeCut ? null : head);
  }

  get #hasOtherHandlers(): boolean {
    return this.#httpServer.listenerCount("upgrade") > 1;
  }

  readonly #onStream = (
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    _flags: number,
    rawHeaders?: readonly string[],
  ): void => {
    const head = streamHead(headers, rawHeaders);
    if (!asksForWebSocket(head)) return;
    const isSecure = stream.session?.encrypted === true;
    const source: UpgradeStream = { kind: "stream", stream, headers, rawHeaders };
    const origin: RequestOrigin = { transport: new Http2ByteStream(stream), source, isSecure };
    for (const server of this.#servers) {
      if (!server.matches(head, origin)) continue;
      this.#answeredStreams.add(stream);
      server.receiveStream(head, source);
      return;
    }
    // If the HTTP server listens for "request", Node itself added one of the "stream" listeners; nothing else
    // distinguishes it from those of the application.
    const nodeListeners = this.#httpServer.listenerCount("request") > 0 ? 1 : 0;
    const others = this.#httpServer.listenerCount("stream") - 1 - nodeListeners;
    if (others > 0 || this.#httpServer.listenerCount("connect") > 1) return;
    this.#answeredStreams.add(stream);
    const [server] = this.#servers;
    server.refuseStream(source, NOT_FOUND, head);
  };

  /**
   * Handles the "connect" event, which Node emits for every CONNECT. Without a listener, Node answers a CONNECT with
   * 405; this listener has to do the same.
   */
  readonly #onConnect = (
    request: Http2ServerRequest | IncomingMessage,
    response: Duplex | Http2ServerResponse,
  ): void => {
    if (!("stream" in request) || !("statusCode" in response)) {
      // A CONNECT over HTTP/1.1 arrives with its socket; Node closes the socket if nobody listens.
      if (this.#httpServer.listenerCount("connect") === 1) request.socket.destroy();
      return;
    }
    if (this.#answeredStreams.has(request.stream)) {
      request.on("error", () => undefined); // The connection reports the error.
      return;
    }
    if (this.#httpServer.listenerCount("connect") > 1) return;
    response.statusCode = 405;
    response.end();
  };
}
