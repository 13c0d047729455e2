// The upgrades of one HTTP server, and who takes which.

import type { IncomingMessage } from "node:http";
import type { Server as NetServer } from "node:net";
import type { Duplex } from "node:stream";
import type { RequestHead } from "../../protocol/handshake/request-head.js";
import {
  asksForWebSocket,
  refuse,
  UPGRADE_REQUIRED,
  type Refusal,
} from "../../protocol/handshake/server-handshake.js";
import { giveBack, headOf } from "./http-request.js";

/** One that takes upgrades. */
export interface UpgradeTaker {
  /** Whether this one is for it. */
  takes(head: RequestHead, socket: Duplex): boolean;
  take(head: RequestHead, socket: Duplex, rest: Uint8Array): void;
  refuse(socket: Duplex, refusal: Refusal): void;
}

const routers = new WeakMap<NetServer, UpgradeRouter>();

/** The router of an HTTP server: one for all that is attached to it, so that one of them can be the last to ask. */
export function routerOf(httpServer: NetServer): UpgradeRouter {
  let router = routers.get(httpServer);
  if (router === undefined) {
    router = new UpgradeRouter(httpServer);
    routers.set(httpServer, router);
  }
  return router;
}

export class UpgradeRouter {
  readonly #httpServer: NetServer;
  /** The first that takes an upgrade has it. */
  readonly #takers = new Set<UpgradeTaker>();

  constructor(httpServer: NetServer) {
    this.#httpServer = httpServer;
  }

  add(taker: UpgradeTaker): void {
    if (this.#takers.size === 0) this.#httpServer.on("upgrade", this.#onUpgrade);
    this.#takers.add(taker);
  }

  remove(taker: UpgradeTaker): void {
    if (this.#takers.delete(taker) && this.#takers.size === 0) {
      this.#httpServer.off("upgrade", this.#onUpgrade);
    }
  }

  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, rest: Uint8Array): void => {
    let head: RequestHead;
    try {
      head = headOf(request);
    } catch (error) {
      this.#leave(
        request,
        socket,
        rest,
        refuse(400, `${error instanceof Error ? error.message : String(error)}.`),
      );
      return;
    }
    if (!asksForWebSocket(head)) {
      this.#leave(request, socket, rest, UPGRADE_REQUIRED);
      return;
    }
    for (const taker of this.#takers) {
      if (!taker.takes(head, socket)) continue;
      taker.take(head, socket, rest);
      return;
    }
    this.#leave(request, socket, rest, refuse(404, "Expected the path of a WebSocket, got another one."));
  };

  /** What nobody here takes is for the other upgrade handlers, or else for the other routes. */
  #leave(request: IncomingMessage, socket: Duplex, rest: Uint8Array, refusal: Refusal): void {
    if (this.#httpServer.listenerCount("upgrade") > 1) return;
    if (this.#httpServer.listenerCount("request") > 0) {
      giveBack(this.#httpServer, request, socket, rest);
      return;
    }
    const [taker] = this.#takers;
    taker.refuse(socket, refusal);
  }
}
