// The listener of `attach()`: receives upgrades from the application's HTTP server.

import type { IncomingMessage, ServerResponse } from "node:http";
import { Socket, type Server as NetServer } from "node:net";
import type { Duplex } from "node:stream";
import type { RequestHead } from "../../protocol/handshake/request-head.js";
import { originForm } from "../../protocol/handshake/request-target.js";
import { asksForWebSocket, checkHost, type Refusal } from "../../protocol/handshake/server-handshake.js";
import { unixURL } from "../../protocol/handshake/unix-url.js";
import { InvalidArgumentError } from "../../shared/errors.js";
import { errorOf } from "../../shared/thrown.js";
import { absolutePath, tcpURL } from "../listener/listen-address.js";
import type { ServerListener } from "../listener/server-listener.js";
import { locateClient } from "../forwarding/locate-client.js";
import type { ServerCore } from "../server-core.js";
import type { IncomingSocket } from "../upgrade-requests.js";
import type { RequestOrigin } from "../forwarding/request-origin.js";
import { ownTargetOf } from "../upgrade/own-requests.js";
import { createServerRequest } from "../upgrade/server-request.js";
import { isInUse, SocketByteStream } from "../../transport/node/socket-byte-stream.js";
import { closeWithServer } from "./closing-with-server.js";
import { isTlsServer } from "./tls-server.js";
import { isEncrypted } from "./http-request.js";
import { headOrNull, interceptRequests, respond } from "./plain-requests.js";
import { matchesPath, type PathFilter } from "./path-filter.js";
import { suspendTimeout } from "./suspended-timeouts.js";
import { routerOf, type AttachedServer, type UpgradeMessage, type UpgradeStream } from "./upgrade-router.js";

export class Attachment implements ServerListener, AttachedServer {
  readonly #httpServer: NetServer;
  readonly #filter: PathFilter;
  readonly #core: ServerCore;
  #restoreClose: (() => void) | null = null;

  constructor(httpServer: NetServer, filter: PathFilter, core: ServerCore) {
    this.#httpServer = httpServer;
    this.#filter = filter;
    this.#core = core;
    routerOf(httpServer).add(this);
  }

  /** 0 unless the HTTP server listens on TCP. */
  get port(): number {
    const address = this.#httpServer.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  get url(): string {
    const isSecure = isTlsServer(this.#httpServer);
    const path = typeof this.#filter === "string" ? this.#filter : "";
    const bound = this.#httpServer.address();
    if (typeof bound === "string") return `${unixURL(isSecure, absolutePath(bound))}${path && `:${path}`}`;
    const address = bound?.address;
    // Certificates rather name localhost.
    const host = address === "127.0.0.1" || address === "::1" ? "localhost" : address;
    return tcpURL(isSecure, host, this.port) + path;
  }

  matches(head: RequestHead, origin: RequestOrigin): boolean {
    if (this.#filter === undefined || this.#isOwn(head)) return true;
    // The application's function never sees a request with an invalid Host: the server matches it here, and refuses it
    // later.
    if (typeof this.#filter === "function" && checkHost(head) !== null) return true;
    const target = originForm(head.target, head.headers.get("Host") ?? "");
    if (target === null) return false;
    const { trustProxy, connection } = this.#core.settings;
    try {
      const located = locateClient(head, origin, trustProxy, connection.faultLogger);
      return matchesPath(this.#filter, createServerRequest(head, located, { target, isUpgrade: true }));
    } catch (error) {
      connection.faultLogger?.error("path failed", { error: errorOf(error) });
      return false;
    }
  }

  receive(head: RequestHead, request: UpgradeMessage, rest: Uint8Array): void {
    if (this.#isTaken(request)) return;
    detachFromHttp(request.socket);
    this.#core.requests.receiveRequest(request.socket, this.#incoming(request), head, rest);
  }

  refuse(request: UpgradeMessage, refusal: Refusal, head: RequestHead | null): void {
    if (this.#isTaken(request)) return;
    detachFromHttp(request.socket);
    this.#core.requests.refuse(request.socket, this.#incoming(request), refusal, head);
  }

  receiveStream(head: RequestHead, request: UpgradeStream): void {
    suspendTimeout(request.stream);
    this.#core.requests.receiveStream(request.stream, this.#incomingStream(request), head);
  }

  refuseStream(request: UpgradeStream, refusal: Refusal, head: RequestHead): void {
    this.#core.requests.refuseStream(request.stream, this.#incomingStream(request), refusal, head);
  }

  listenToPlainRequests = (): (() => void) =>
    interceptRequests(this.#httpServer, {
      onRequest: (request, response) => {
        const head = headOrNull(request);
        if (head === null || !this.#isOwn(head)) return false;
        void this.#answerOwn(head, request, response);
        return true;
      },
      onStream: (request, head) => {
        if (asksForWebSocket(head) || !this.#isOwn(head)) return false;
        this.receiveStream(head, request);
        return true;
      },
    });

  #isOwn(head: RequestHead): boolean {
    const { ownRequests } = this.#core;
    return ownRequests !== null && ownTargetOf(ownRequests, head) !== null;
  }

  async #answerOwn(head: RequestHead, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { trustProxy, connection } = this.#core.settings;
    const { socket } = request;
    const source = { kind: "message", message: request, socket } as const;
    const peer = { transport: new SocketByteStream(socket), source, isSecure: isEncrypted(socket) };
    const decision = await this.#core.decidePlain(
      head,
      locateClient(head, peer, trustProxy, connection.faultLogger),
    );
    await respond(response, decision);
  }

  /** `closeAttached` is called when the application closes the HTTP server. */
  closeWithServer(closeAttached: () => void): void {
    this.#restoreClose = closeWithServer(this.#httpServer, closeAttached);
  }

  drain(): Promise<void> {
    // The HTTP server keeps running. This listener stays attached until `close()`, to refuse new clients.
    return Promise.resolve();
  }

  close(): Promise<void> {
    routerOf(this.#httpServer).remove(this);
    this.#restoreClose?.();
    return Promise.resolve();
  }

  destroy(): void {
    // The server core owns every request; the HTTP server owns every other socket.
  }

  /** Whether a listener of the application has passed the socket to `handleUpgrade()`. No caller could get the error. */
  #isTaken({ socket }: UpgradeMessage): boolean {
    if (!isInUse(socket)) return false;
    this.#core.settings.connection.faultLogger?.error("upgrade failed", { error: socketInUse() });
    return true;
  }

  #incoming(source: UpgradeMessage): IncomingSocket {
    return { source, isSecure: isEncrypted(source.socket), since: this.#core.runtime.clock.now() };
  }

  #incomingStream(source: UpgradeStream): IncomingSocket {
    const isSecure = source.stream.session?.encrypted === true;
    return { source, isSecure, since: this.#core.runtime.clock.now() };
  }
}

/**
 * Prepares a socket that no longer belongs to HTTP: it disables the HTTP timeouts, and lets a FIN end one direction
 * only.
 */
export function detachFromHttp(socket: Duplex): void {
  socket.allowHalfOpen = true;
  if (!(socket instanceof Socket)) return;
  socket.setTimeout(0);
  socket.setNoDelay(true);
}

/** The error for a second connection over a socket. The first one continues. */
export function socketInUse(): InvalidArgumentError {
  return new InvalidArgumentError(
    "Expected `socket` to be one that no connection uses, got one in use. Call handleUpgrade() once for each socket, and not for requests that attach() accepts.",
  );
}
