// The listener of `serve()`: it owns its sockets until their requests arrive.

import type { Cluster } from "node:cluster";
import type { Server as Listener, Socket } from "node:net";
import { nodeModule } from "../../protocol/node-module.js";
import type { FaultLogger } from "../../connection/platform.js";
import type { Clock } from "../../connection/ports.js";
import { addressOf } from "../../transport/node/socket-byte-stream.js";
import { withoutThrowing, type ProxyTrust } from "../forwarding/trust.js";
import type { AddressLimits } from "../limits/address-limits.js";
import type { ServerListener } from "./server-listener.js";
import { Http2Sessions } from "../http2/http2-sessions.js";
import type { ServerCore } from "../server-core.js";
import type { IncomingSocket } from "../upgrade-requests.js";
import { polls } from "./polls.js";
import { urlOf, type ListenAddress } from "./listen-address.js";
import { TlsHandshakes } from "./tls-handshakes.js";

export interface ListenerInit {
  readonly address: ListenAddress;
  readonly isSecure: boolean;
  readonly http2: boolean;
  readonly core: ServerCore;
}

/** Its declaration has the module's members on the default export. */
const isClusterWorker = (): boolean => (nodeModule("node:cluster") as unknown as Cluster).isWorker;

export class OwnListener implements ServerListener {
  readonly port: number;
  readonly url: string;
  readonly #clock: Clock;
  readonly #listener: Listener;
  readonly #handshakes: TlsHandshakes | null;
  readonly #sessions: Http2Sessions | null;
  /** Whether other processes listen on the same port. */
  readonly #isPortShared: boolean;
  #stopped: Promise<void> | null = null;

  /** @param listener already listening */
  constructor(listener: Listener, { address, isSecure, http2, core }: ListenerInit) {
    this.#listener = listener;
    const bound = listener.address();
    this.port = typeof bound === "object" && bound !== null ? bound.port : 0;
    this.url = urlOf(address, isSecure, this.port);
    this.#isPortShared = address.kind === "tcp" && (address.isShared || isClusterWorker());

    const { clock } = core.runtime;
    this.#clock = clock;
    const { trustProxy, connection } = core.settings;
    const { logger, faultLogger } = connection;
    // For example, too many open files: the server and its connections continue.
    listener.on("error", (error: Error) => logger?.error("listening failed", { error }));
    const { addressLimits } = core;
    if (addressLimits !== null) limitSockets(listener, addressLimits, trustProxy, faultLogger);
    const handshakes = isSecure ? new TlsHandshakes(listener, clock, logger) : null;
    this.#handshakes = handshakes;
    const sessions = http2 ? new Http2Sessions(core) : null;
    this.#sessions = sessions;
    listener.on(isSecure ? "secureConnection" : "connection", (socket: Socket) => {
      if (socket.destroyed) return; // It exceeded the limit of its address.
      const incoming: IncomingSocket = {
        source: { kind: "socket", socket },
        isSecure,
        since: handshakes?.startOf(socket) ?? clock.now(),
      };
      if (sessions === null) core.requests.receive(socket, incoming, null);
      else if (!isSecure) core.requests.receive(socket, incoming, () => sessions.receive(socket, incoming));
      // RFC 9113 section 3.2: over TLS, only ALPN selects HTTP/2. A preface without it gets 505.
      else if ("alpnProtocol" in socket && socket.alpnProtocol === "h2") sessions.receive(socket, incoming);
      else core.requests.receive(socket, incoming, null);
    });
  }

  async drain(): Promise<void> {
    if (!this.#isPortShared) await this.#drainBacklog();
    void this.#stopListening();
  }

  close(): Promise<void> {
    const stopped = this.#stopListening();
    this.#handshakes?.destroyAll();
    this.#sessions?.close();
    return stopped;
  }

  destroy(): void {
    this.#sessions?.destroyAll();
  }

  /** Accepts the clients that the kernel has queued: closing the port would reset them. libuv accepts one per poll. */
  async #drainBacklog(): Promise<void> {
    const until = this.#clock.now() + BACKLOG_DRAIN_TIME;
    let idlePolls = 0;
    let accepted = 0;
    const onClient = (): void => {
      idlePolls = 0;
      accepted++;
    };
    const mayContinue = (): boolean => accepted < BACKLOG_DRAIN_COUNT || this.#clock.now() < until;
    this.#listener.on("connection", onClient);
    // Poll twice, because the first may be the rest of the current poll.
    while (idlePolls++ < 2 && mayContinue()) await polls(this.#clock, 1);
    this.#listener.off("connection", onClient);
  }

  #stopListening(): Promise<void> {
    return (this.#stopped ??= new Promise((resolve) => this.#listener.close(() => resolve())));
  }
}

/**
 * A flood of clients may delay the end of listening by this many milliseconds. On a busy machine that may be too short for
 * a single poll, so a number of clients is accepted in any case.
 */
const BACKLOG_DRAIN_TIME = 100;
const BACKLOG_DRAIN_COUNT = 200;

/**
 * Destroys sockets beyond the limit of their address. Sockets of a trusted proxy belong to many clients, so only
 * connections count there.
 */
function limitSockets(
  listener: Listener,
  limits: AddressLimits,
  trust: ProxyTrust | null,
  logger: FaultLogger | null,
): void {
  const trusts = trust === null ? () => false : withoutThrowing(trust, logger);
  listener.on("connection", (socket: Socket) => {
    const address = addressOf(socket.remoteAddress, socket.remotePort);
    if (address === null || trusts(address.address, 0)) return;
    if (!limits.addSocket(address)) socket.destroy();
    else socket.once("close", () => limits.removeSocket(address));
  });
}
