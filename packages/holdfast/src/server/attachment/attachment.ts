// The entrance through somebody's HTTP server.

import type { ServerHttp2Stream } from "node:http2";
import { Socket, type Server as NetServer } from "node:net";
import type { Duplex } from "node:stream";
import { Server as TlsServer } from "node:tls";
import type { RequestHead } from "../../protocol/handshake/request-head.js";
import { originForm } from "../../protocol/handshake/request-target.js";
import { checkHost, type Refusal } from "../../protocol/handshake/server-handshake.js";
import { errorOf } from "../../shared/thrown.js";
import type { ServerListener } from "../listener/server-listener.js";
import { locateClient } from "../forwarding/locate-client.js";
import type { IncomingSocket, ServerCore } from "../server-core.js";
import { createServerRequest, type RequestOrigin } from "../upgrade/server-request.js";
import { isEncrypted } from "./http-request.js";
import { isTaken, type PathFilter } from "./path-filter.js";
import { routerOf, type UpgradeTaker } from "./upgrade-router.js";

export class Attachment implements ServerListener, UpgradeTaker {
  readonly #httpServer: NetServer;
  readonly #filter: PathFilter;
  readonly #reception: ServerCore;

  constructor(httpServer: NetServer, filter: PathFilter, reception: ServerCore) {
    this.#httpServer = httpServer;
    this.#filter = filter;
    this.#reception = reception;
    routerOf(httpServer).add(this);
  }

  /** 0 while the HTTP server does not listen on TCP. */
  get port(): number {
    const address = this.#httpServer.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  get url(): string {
    const scheme = this.#httpServer instanceof TlsServer ? "wss" : "ws";
    const path = typeof this.#filter === "string" ? this.#filter : "";
    const address = this.#httpServer.address();
    if (typeof address === "string") return `${scheme}+unix:${address}${path === "" ? "" : `:${path}`}`;
    return `${scheme}://localhost:${this.port}${path}`;
  }

  takes(head: RequestHead, origin: RequestOrigin): boolean {
    if (this.#filter === undefined) return true;
    // No function of the application sees a request whose Host is invalid: it is taken, to be refused.
    if (typeof this.#filter === "function" && checkHost(head) !== null) return true;
    const target = originForm(head.target, head.headers.get("Host") ?? "");
    if (target === null) return false;
    const { trustProxy, connection } = this.#reception.settings;
    try {
      const located = locateClient(head, origin, trustProxy, connection.logger);
      return isTaken(this.#filter, createServerRequest(head, located, { target, isUpgrade: true }));
    } catch (error) {
      connection.faultLogger?.error("path failed", { error: errorOf(error) });
      return false;
    }
  }

  take(head: RequestHead, socket: Duplex, rest: Uint8Array): void {
    takeOver(socket);
    this.#reception.receiveRequest(socket, this.#arrival(socket), head, rest);
  }

  refuse(socket: Duplex, refusal: Refusal): void {
    takeOver(socket);
    this.#reception.refuse(socket, this.#arrival(socket), refusal);
  }

  takeStream(head: RequestHead, stream: ServerHttp2Stream): void {
    this.#reception.receiveStream(stream, this.#streamArrival(stream), head);
  }

  refuseStream(stream: ServerHttp2Stream, refusal: Refusal): void {
    this.#reception.refuseStream(stream, this.#streamArrival(stream), refusal);
  }

  drain(): Promise<void> {
    // The HTTP server goes on: newcomers are refused as long as somebody is there to do it.
    return Promise.resolve();
  }

  close(): Promise<void> {
    routerOf(this.#httpServer).remove(this);
    return Promise.resolve();
  }

  destroy(): void {
    // Every request is the reception's, and every other socket the HTTP server's.
  }

  #arrival(socket: Duplex): IncomingSocket {
    return { isSecure: isEncrypted(socket), since: this.#reception.runtime.clock.now() };
  }

  #streamArrival({ session }: ServerHttp2Stream): IncomingSocket {
    return { isSecure: session?.encrypted === true, since: this.#reception.runtime.clock.now() };
  }
}

/** The socket is no longer one of HTTP: none of its timeouts holds, and a FIN ends one direction only. */
export function takeOver(socket: Duplex): void {
  socket.allowHalfOpen = true;
  if (!(socket instanceof Socket)) return;
  socket.setTimeout(0);
  socket.setNoDelay(true);
}
