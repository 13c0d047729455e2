// Routes the upgrades of one HTTP server, over HTTP/1.1 and HTTP/2, to the WebSocket servers attached to it.

import type { IncomingMessage } from "node:http";
import type { Http2SecureServer, Http2Server } from "node:http2";
import type { Server as NetServer } from "node:net";
import { Http2ByteStream } from "../../transport/node/http2-byte-stream.js";
import { SocketByteStream } from "../../transport/node/socket-byte-stream.js";
import type { RequestHead } from "../../protocol/handshake/request-head.js";
import { errorOf } from "../../shared/thrown.js";
import {
  asksForWebSocket,
  refuse,
  refusePlain,
  type Refusal,
} from "../../protocol/handshake/server-handshake.js";
import { streamHead } from "../http2/stream-head.js";
import type { RequestOrigin } from "../forwarding/request-origin.js";
import type { RequestSource } from "../forwarding/request-source.js";
import {
  interceptEvents,
  type Interceptor,
  type StreamArguments,
  type UpgradeArguments,
} from "./event-interception.js";
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

function isHttp2Server(server: NetServer): server is Http2SecureServer | Http2Server {
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
  #unhook: readonly (() => void)[] = [];

  constructor(httpServer: NetServer) {
    this.#httpServer = httpServer;
  }

  add(server: AttachedServer): void {
    if (this.#servers.size === 0) {
      const httpServer = this.#httpServer;
      // Without a listener, Node emits no `upgrade`.
      httpServer.on("upgrade", this.#onUpgrade);
      this.#unhook = [
        hookUpgrades(httpServer, this.#decide),
        interceptEvents(httpServer, this.#take),
        () => void httpServer.off("upgrade", this.#onUpgrade),
      ];
      // Clients send extended CONNECTs only where the server's SETTINGS allow them (RFC 8441 section 3).
      if (isHttp2Server(httpServer)) httpServer.updateSettings({ enableConnectProtocol: true });
    }
    this.#servers.add(server);
  }

  remove(server: AttachedServer): void {
    if (!this.#servers.delete(server) || this.#servers.size > 0) return;
    for (const unhook of this.#unhook) unhook();
  }

  /** An upgrade or stream that an attached server answers reaches no other listener. */
  readonly #take: Interceptor = (event, args) => {
    if (event === "upgrade") return this.#takerOf(...(args as UpgradeArguments));
    if (event !== "stream" || !isHttp2Server(this.#httpServer)) return null;
    return this.#takerOfStream(...(args as StreamArguments));
  };

  readonly #decide = (request: IncomingMessage): boolean | null => {
    if (this.#servers.size === 0) return null;
    if (this.#routeOf(request).kind !== "pass") return true;
    return this.#hasOtherHandlers ? null : false;
  };

  readonly #onUpgrade = (...args: UpgradeArguments): void => this.#takerOf(...args)?.();

  #takerOf(...[request, socket, rest]: UpgradeArguments): (() => void) | null {
    const route = this.#routeOf(request);
    if (route.kind === "pass" && this.#hasOtherHandlers) return null;
    return () => {
      socket.on("error", () => void socket.destroy()); // Node has removed its own error listener.
      afterResponses(socket, () => {
        const { server } = route;
        const source: UpgradeMessage = { kind: "message", message: request, socket };
        if (route.kind === "accept") server.receive(route.head, source, rest);
        else server.refuse(source, route.refusal, route.head);
      });
    };
  }

  #routeOf(request: IncomingMessage): Route {
    const [first] = this.#servers;
    const route = this.#routes.get(request) ?? this.#route(request, first);
    this.#routes.set(request, route);
    return route;
  }

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
    if (!asksForWebSocket(head)) return passOrRefuse(refusePlain(head), head);
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

  #takerOfStream(...[stream, headers, , rawHeaders]: StreamArguments): (() => void) | null {
    const head = streamHead(headers, rawHeaders);
    if (!asksForWebSocket(head)) return null;
    const isSecure = stream.session?.encrypted === true;
    const source: UpgradeStream = { kind: "stream", stream, headers, rawHeaders };
    const origin: RequestOrigin = { transport: new Http2ByteStream(stream), source, isSecure };
    for (const server of this.#servers) {
      if (server.matches(head, origin)) return () => server.receiveStream(head, source);
    }
    // If the HTTP server listens for "request", Node itself added one of the "stream" listeners; nothing else
    // distinguishes it from those of the application.
    const nodeListeners = this.#httpServer.listenerCount("request") > 0 ? 1 : 0;
    const others = this.#httpServer.listenerCount("stream") - nodeListeners;
    if (others > 0 || this.#httpServer.listenerCount("connect") > 0) return null;
    const [server] = this.#servers;
    return () => server.refuseStream(source, NOT_FOUND, head);
  }
}
