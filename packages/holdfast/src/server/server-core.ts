// Turns the requests of a server into connections, for `serve()` and `attach()` alike.

import { createConnection } from "../connection/connection.js";
import { coreOf } from "../connection/core-of.js";
import { heartbeatKeepalive } from "../connection/keepalive/heartbeat-keepalive.js";
import type { ConnectionEndObserver } from "../connection/connection-core.js";
import { overFrames } from "../transport/frames/frame-transport.js";
import { overLinkProtocol, type SpreadEnd } from "../transport/link/link-protocol.js";
import type { FrameRuntime } from "../transport/frames/frame-runtime.js";
import { nodeRuntime } from "../transport/node/node-runtime.js";
import type { RequestHead } from "../protocol/handshake/request-head.js";
import { HandlerRuns, type ConnectionHandler, type ServerConnection } from "./handler-runs.js";
import { AddressLimits } from "./limits/address-limits.js";
import { ExcessSockets } from "./limits/excess-sockets.js";
import { ConnectionLimits } from "./limits/connection-limits.js";
import { ReceiveLimits } from "./limits/receive-limit.js";
import type { ServerSettings } from "./options.js";
import type { AcceptedUpgrade } from "./upgrade/accepted-upgrade.js";
import type { UpgradeRequest, UpgradeRequestHandler } from "./upgrade/upgrade-request.js";
import { UpgradeRequests } from "./upgrade-requests.js";
import { AdmissionPolicy, type Decision } from "./upgrade/admission-policy.js";
import { extrasOf, ServerHandshakeRecord } from "./upgrade/handshake-record.js";
import { EMPTY_GRANT } from "./upgrade/request-answer.js";
import type { RequestOrigin } from "./forwarding/request-origin.js";
import type { MessageTransportFactory } from "../connection/message-transport.js";
import type { overSessionLink as OverSessionLink, SessionLink } from "../transport/session/session-link.js";
import type { SessionSocket } from "./sessions/session-openings.js";
import type { SessionRegistry, SessionUsage } from "./sessions/session-registry.js";
import { LoadedCode, type ServerCode } from "./server-code.js";
import type { ConnectionReceiver, OwnRequests } from "./upgrade/own-requests.js";
import type { ServerRequest } from "./upgrade/server-request.js";
import { SpreadWidth } from "./spread-width.js";

export class ServerCore implements UpgradeRequestHandler, ConnectionEndObserver {
  readonly runtime: FrameRuntime = nodeRuntime();
  readonly settings: ServerSettings;
  /** The connections that are open or closing. */
  readonly connections: ReadonlySet<ServerConnection>;
  readonly requests: UpgradeRequests;
  readonly handlers: HandlerRuns;
  /** Null without `limits`. */
  readonly addressLimits: AddressLimits | null;
  readonly #connections = new Set<ServerConnection>();
  /** Sockets for sessions that no session uses: before it has begun, or once another socket has taken their place. */
  readonly #sessionSockets = new Set<ServerConnection>();
  /** The inspector's connections, which are not the application's. */
  readonly #ownConnections = new Set<ServerConnection>();
  #ownRequests: OwnRequests | null = null;
  readonly #excess = new ExcessSockets();
  readonly #policy: AdmissionPolicy;
  /** Null without `limits`. */
  readonly #limits: ConnectionLimits | null;
  readonly #spreadWidth = new SpreadWidth();
  readonly #spreadSource: SpreadEnd = { widthToAnnounce: () => this.#spreadWidth.of(this.size) };
  readonly #code: LoadedCode;
  #sessions: SessionRegistry | null = null;
  #isDraining = false;
  #onIdle: (() => void) | null = null;

  constructor(handler: ConnectionHandler, settings: ServerSettings, code: Promise<ServerCode> | ServerCode) {
    this.settings = settings;
    this.connections = this.#connections;
    this.handlers = new HandlerRuns(handler, settings.connection.faultLogger);
    const { limits, trustProxy } = settings;
    const { logger } = settings.connection;
    const { clock } = this.runtime;
    const isForwarded = trustProxy !== null;
    this.addressLimits = limits && new AddressLimits({ limits, clock, logger, isForwarded });
    this.#limits =
      limits && this.addressLimits
        ? new ConnectionLimits(this.addressLimits, new ReceiveLimits(limits, this.runtime, logger))
        : null;
    this.#code = new LoadedCode(code, (loaded) => {
      const { sessions } = settings;
      if (loaded.sessions !== null && sessions !== null && !this.#isDraining)
        this.#sessions = new loaded.sessions.SessionRegistry(this, sessions, settings);
    });
    this.#policy = new AdmissionPolicy(settings, this, this.addressLimits, this.#excess, this.#code);
    this.requests = new UpgradeRequests({
      runtime: this.runtime,
      settings,
      policy: this.#policy,
      handler: this,
    });
  }

  /** Null without `sessions`, and until their code is loaded. */
  get sessions(): SessionRegistry | null {
    return this.#sessions;
  }

  /** Null without `sessions`. */
  get sessionUsage(): SessionUsage | null {
    return this.settings.sessions === null ? null : (this.#sessions?.usage ?? NO_USAGE);
  }

  /** Answers requests beside the application; null for none. */
  get ownRequests(): OwnRequests | null {
    return this.#ownRequests;
  }

  setOwnRequests(own: OwnRequests | null): void {
    this.#ownRequests = own;
    this.#policy.setOwnRequests(own);
  }

  /** Decides on a request without an upgrade that an HTTP server has read, for `ownRequests`. */
  async decidePlain(head: RequestHead, origin: RequestOrigin): Promise<Decision> {
    return this.#policy.decide(head, origin, EMPTY_GRANT, () => undefined);
  }

  /** The number of sockets that have become connections, but for those above the limits. */
  get size(): number {
    const detached = this.#sessions?.detached ?? 0;
    return this.#connections.size + this.#sessionSockets.size - detached - this.#excess.size;
  }

  /** Refuses every further request with 503. */
  drain(): void {
    this.#isDraining = true;
    this.#policy.drain();
    this.#spreadWidth.freeze();
    this.#ownRequests?.close();
    for (const connection of this.#ownConnections)
      coreOf(connection).closeWithCause("server-shutdown", { code: 1001, reason: "" });
    this.requests.drain();
  }

  /** Resolves once all connections have ended and all responses have been written. */
  async whenIdle(): Promise<void> {
    if (!this.#isIdle()) await new Promise<void>((resolve) => (this.#onIdle = resolve));
  }

  /** Ends the sockets of sessions and of the inspector that are still open. */
  destroySockets(): void {
    this.sessions?.destroySockets();
    for (const sockets of [this.#sessionSockets, this.#ownConnections])
      for (const connection of sockets) coreOf(connection).terminate("server-shutdown");
  }

  onAccepted({ transport, preface, head, origin, upgrade, rest }: AcceptedUpgrade): void {
    const { request, choice, deflate, grant, receiver } = upgrade;
    const { subprotocol, subprotocolAnswer, link } = choice;
    const meter = receiver === null ? (this.#limits?.meter(link > 0) ?? null) : null;
    const settings = receiver?.settings ?? this.settings.connection;
    const frames = overFrames({
      runtime: this.runtime,
      stream: transport,
      role: "server",
      settings,
      extension: deflate?.extension ?? null,
      preface,
      rest,
      meter,
      defersDelivery: true,
    });
    const handshake = new ServerHandshakeRecord(head.headers, {
      target: request.target,
      subprotocol,
      subprotocolAnswer,
      extensions: deflate === null ? NO_EXTENSIONS : [deflate.header],
      isSecure: origin.isSecure,
      isHttp2: head.http2 !== undefined,
      extras: extrasOf(origin, grant),
    });
    if (receiver !== null) {
      this.#openOwn(receiver, frames, handshake);
      return;
    }
    const isExcess = link === 2 && !this.#policy.hasRoom(origin.transport, null);
    const connection =
      link === 2 && this.#sessions !== null && this.#code.sessions !== null
        ? this.#createSessionSocket(frames, this.#code.sessions.overSessionLink, {
            handshake,
            request,
            isExcess,
          })
        : createConnection({
            keepalive: heartbeatKeepalive,
            runtime: this.runtime,
            transport: link > 0 ? overLinkProtocol(frames, "frames", this.#spreadSource) : frames,
            settings: this.settings.connection,
            handshake,
            owner: this,
          });
    if (link < 2) {
      this.#connections.add(connection);
      this.#ownRequests?.onOpened(connection);
    } else this.#sessionSockets.add(connection);
    this.#limits?.add(connection, meter);
    if (isExcess) this.#excess.add(connection, origin.transport.remoteAddress);
    else this.#limits?.count(connection);
    coreOf(connection).start();
    if (link < 2) this.handlers.start(connection, request);
  }

  #openOwn(
    receiver: ConnectionReceiver,
    frames: MessageTransportFactory,
    handshake: ServerHandshakeRecord,
  ): void {
    const connection = createConnection({
      keepalive: heartbeatKeepalive,
      runtime: this.runtime,
      // Neither the log nor the diagnostics channels count it among the connections of the application.
      transport: (handler) => Object.assign(frames(handler), { isReportedBelow: true }),
      settings: receiver.settings,
      handshake,
      owner: this,
    });
    this.#ownConnections.add(connection);
    coreOf(connection).start();
    receiver.onOpen(connection);
  }

  /** The connection of a socket that carries a session. The application gets the session's connection instead. */
  #createSessionSocket(
    frames: MessageTransportFactory,
    overSessionLink: typeof OverSessionLink,
    opened: Pick<SessionSocket, "handshake" | "isExcess" | "request">,
  ): ServerConnection {
    const links: SessionLink[] = [];
    const connection = createConnection({
      keepalive: heartbeatKeepalive,
      runtime: this.runtime,
      transport: overSessionLink(frames, "frames", this.#spreadSource, (link) => links.push(link)),
      settings: this.settings.connection,
      handshake: opened.handshake,
      owner: this,
    });
    this.#sessions?.greet({ connection, link: links[0], ...opened });
    return connection;
  }

  /** A session has begun, or continues in this process. */
  onSession(connection: ServerConnection, request: ServerRequest): void {
    this.#connections.add(connection);
    this.#ownRequests?.onOpened(connection);
    this.handlers.start(connection, request);
  }

  onSessionSocket(socket: ServerConnection, isUsed: boolean): void {
    if (isUsed) this.#sessionSockets.delete(socket);
    else this.#sessionSockets.add(socket);
  }

  mayCarry(socket: ServerConnection, replaced: ServerConnection | null): boolean {
    return !this.#excess.has(socket) || this.#policy.hasRoom(socket, replaced);
  }

  onCarrying(socket: ServerConnection, replaced: ServerConnection | null): void {
    if (!this.#excess.delete(socket)) return;
    if (replaced !== null) this.#limits?.remove(replaced);
    this.#limits?.count(socket);
  }

  onResponseWritten(): void {
    this.#notifyIfIdle();
  }

  onDone(request: UpgradeRequest): void {
    this.requests.delete(request);
    this.#notifyIfIdle();
  }

  onConnectionEnded(connection: ServerConnection): void {
    if (this.#connections.delete(connection))
      this.#ownRequests?.onEnded(connection, coreOf(connection).closeInfo);
    this.#ownConnections.delete(connection);
    this.#sessionSockets.delete(connection);
    this.#excess.delete(connection);
    this.#limits?.remove(connection);
    this.#notifyIfIdle();
  }

  #notifyIfIdle(): void {
    if (this.#onIdle !== null && this.#isIdle()) this.#onIdle();
  }

  #isIdle(): boolean {
    if (this.#connections.size + this.#sessionSockets.size + this.#ownConnections.size > 0) return false;
    return !this.requests.isPending;
  }
}

const NO_EXTENSIONS: readonly string[] = [];
const NO_USAGE: SessionUsage = { attached: 0, detached: 0, memory: 0 };
