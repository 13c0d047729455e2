// Turns the requests of a server into connections, for `serve()` and `attach()` alike.

/* eslint max-lines: ["warn", { "max": 330, "skipBlankLines": true, "skipComments": true }] -- One place where sockets become connections, whatever carries them. */

import type { ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import { coreOf, createConnection } from "../connection/connection.js";
import { heartbeatKeepalive } from "../connection/heartbeat-keepalive.js";
import type { ConnectionEndObserver } from "../connection/connection-core.js";
import { overFrames } from "../transport/frames/frame-transport.js";
import { overLinkProtocol, type SpreadEnd } from "../transport/link/link-protocol.js";
import type { FrameRuntime } from "../transport/frames/frame-runtime.js";
import type { ByteStream } from "../connection/ports.js";
import { nodeRuntime } from "../transport/node/node-runtime.js";
import { Http2ByteStream } from "../transport/node/http2-byte-stream.js";
import { SocketByteStream } from "../transport/node/socket-byte-stream.js";
import type { RequestHead } from "../protocol/handshake/request-head.js";
import type { Refusal } from "../protocol/handshake/server-handshake.js";
import { Http1ResponseWriter, type ResponseWriter } from "./response/response-writer.js";
import { HandlerRuns, type ConnectionHandler, type ServerConnection } from "./handler-runs.js";
import { Http2ResponseWriter } from "./http2/http2-response-writer.js";
import { AddressLimits } from "./limits/address-limits.js";
import { ExcessSockets } from "./limits/excess-sockets.js";
import { ReceiveLimits, type ReceiveLimit } from "./limits/receive-limit.js";
import type { ServerSettings } from "./options.js";
import {
  UpgradeRequest,
  type AcceptedUpgrade,
  type UpgradeRequestHandler,
} from "./upgrade/upgrade-request.js";
import { AdmissionPolicy, type Decision } from "./upgrade/admission-policy.js";
import { ServerHandshakeRecord, type HandshakeExtras } from "./upgrade/handshake-record.js";
import { EMPTY_GRANT, type CheckedGrant } from "./upgrade/request-answer.js";
import type { RequestOrigin } from "./forwarding/request-origin.js";
import type { MessageTransportFactory } from "../connection/message-transport.js";
import { overSessionLink, type SessionLink } from "../transport/session/session-link.js";
import { SessionRegistry, type SessionSocket } from "./sessions/session-registry.js";
import type { ConnectionReceiver, OwnRequests } from "./upgrade/own-requests.js";
import type { RequestSource } from "./forwarding/request-source.js";
import type { ServerRequest } from "./upgrade/server-request.js";
import { SpreadWidth } from "./spread-width.js";

/** A socket or HTTP/2 stream that carries a request, as its listener describes it. */
export interface IncomingSocket {
  readonly source: RequestSource;
  readonly isSecure: boolean;
  /** When the client connected, in monotonic milliseconds. */
  readonly since: number;
}

export class ServerCore implements UpgradeRequestHandler, ConnectionEndObserver {
  readonly runtime: FrameRuntime = nodeRuntime();
  readonly settings: ServerSettings;
  /** The connections that are open or closing. */
  readonly connections: ReadonlySet<ServerConnection>;
  readonly handlers: HandlerRuns;
  /** Null without `limits`. */
  readonly addressLimits: AddressLimits | null;
  /** Null without `sessions`. */
  readonly sessions: SessionRegistry | null;
  readonly #connections = new Set<ServerConnection>();
  /** The sockets of sessions, each with a connection of its own. The application gets that of the session. */
  readonly #sessionSockets = new Set<ServerConnection>();
  /** The inspector's connections, which are not the application's. */
  readonly #ownConnections = new Set<ServerConnection>();
  #ownRequests: OwnRequests | null = null;
  readonly #excess = new ExcessSockets();
  readonly #upgradeRequests = new Set<UpgradeRequest>();
  readonly #policy: AdmissionPolicy;
  readonly #receiveLimits: ReceiveLimits | null;
  /** Cleanup functions of open connections; empty without `limits`. */
  readonly #cleanups = new Map<ServerConnection, () => void>();
  readonly #spreadWidth = new SpreadWidth();
  readonly #spreadSource: SpreadEnd = { widthToAnnounce: () => this.#spreadWidth.of(this.size) };
  #onIdle: (() => void) | null = null;

  constructor(handler: ConnectionHandler, settings: ServerSettings) {
    this.settings = settings;
    this.connections = this.#connections;
    this.handlers = new HandlerRuns(handler, settings.connection.faultLogger);
    const { limits, trustProxy } = settings;
    const { logger } = settings.connection;
    const { clock } = this.runtime;
    const isForwarded = trustProxy !== null;
    this.addressLimits = limits === null ? null : new AddressLimits({ limits, clock, logger, isForwarded });
    this.#receiveLimits = limits === null ? null : new ReceiveLimits(limits, this.runtime, logger);
    this.#policy = new AdmissionPolicy(settings, this, this.addressLimits, this.#excess);
    const { sessions } = settings;
    this.sessions = sessions === null ? null : new SessionRegistry(this, sessions, settings);
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
    const sessions = this.sessions?.size ?? 0;
    return this.#connections.size + this.#sessionSockets.size - sessions - this.#excess.size;
  }

  /**
   * Serves a client that has not sent anything yet.
   *
   * @param continueAsHttp2 called if the client speaks HTTP/2, when the socket is back in its initial state; null
   * refuses HTTP/2
   */
  receive(socket: Duplex, incoming: IncomingSocket, continueAsHttp2: (() => void) | null): void {
    const transport = new SocketByteStream(socket);
    const onHttp2 =
      continueAsHttp2 &&
      ((read: Uint8Array) => {
        transport.release(read);
        continueAsHttp2();
      });
    this.#newUpgradeRequest(transport, new Http1ResponseWriter(transport), incoming).begin(onHttp2);
  }

  /** Serves a client whose request an HTTP server has read; `rest` holds the bytes that followed it. */
  receiveRequest(
    socket: Duplex,
    incoming: IncomingSocket,
    head: RequestHead,
    rest: Uint8Array,
    granted?: CheckedGrant,
  ): void {
    this.#http1Request(socket, incoming).beginWithHead(head, rest, granted);
  }

  /** Serves a request on an HTTP/2 stream. */
  receiveStream(stream: ServerHttp2Stream, incoming: IncomingSocket, head: RequestHead): void {
    const upgradeRequest = this.#newUpgradeRequest(
      new Http2ByteStream(stream),
      new Http2ResponseWriter(stream),
      incoming,
    );
    upgradeRequest.beginWithHead(head, NO_BYTES);
  }

  /** Refuses a request on an HTTP/2 stream. */
  refuseStream(stream: ServerHttp2Stream, incoming: IncomingSocket, refusal: Refusal): void {
    this.#newUpgradeRequest(new Http2ByteStream(stream), new Http2ResponseWriter(stream), incoming).refuse(
      refusal,
    );
  }

  /** Refuses a client whose request an HTTP server has read. */
  refuse(socket: Duplex, incoming: IncomingSocket, refusal: Refusal): void {
    this.#http1Request(socket, incoming).refuse(refusal);
  }

  /** Refuses every further request with 503. */
  drain(): void {
    this.#policy.drain();
    this.#spreadWidth.freeze();
    this.#ownRequests?.close();
    for (const connection of this.#ownConnections)
      coreOf(connection).closeWithCause("server-shutdown", { code: 1001, reason: "" });
    for (const upgradeRequest of this.#upgradeRequests) upgradeRequest.drain();
  }

  /** Resolves once all connections have ended and all responses have been written. */
  async whenIdle(): Promise<void> {
    if (!this.#isIdle()) await new Promise<void>((resolve) => (this.#onIdle = resolve));
  }

  /** Ends the sockets of sessions and of the inspector that are still open. */
  destroySockets(): void {
    for (const sockets of [this.#sessionSockets, this.#ownConnections])
      for (const connection of sockets) coreOf(connection).terminate("server-shutdown");
  }

  /** Destroys the sockets of requests that have not become connections. */
  destroyPending(): void {
    for (const upgradeRequest of this.#upgradeRequests) upgradeRequest.destroy();
  }

  onAccepted({ transport, responseWriter, head, origin, upgrade, rest }: AcceptedUpgrade): void {
    const { key, request, choice, deflate, grant, receiver } = upgrade;
    const { subprotocol, subprotocolAnswer, link } = choice;
    const headers = grant.headers.length === 0 ? undefined : grant.headers;
    const response = { key, subprotocol: subprotocolAnswer, extensions: deflate?.header ?? null, headers };
    const meter = receiver === null ? (this.#receiveLimits?.meter() ?? null) : null;
    const settings = receiver?.settings ?? this.settings.connection;
    const frames = overFrames({
      runtime: this.runtime,
      transport,
      role: "server",
      settings,
      extension: deflate?.extension ?? null,
      preface: responseWriter.accept(response),
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
    const { remoteAddress } = origin.transport;
    const isExcess = link === 2 && !this.#policy.hasRoom(remoteAddress, null);
    const connection =
      link === 2 && this.sessions !== null
        ? this.#createSessionSocket(frames, this.sessions, { handshake, request, isExcess })
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
    if (isExcess) this.#excess.add(connection, remoteAddress);
    this.#applyLimits(connection, meter);
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
    sessions: SessionRegistry,
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
    sessions.greet({ connection, link: links[0], ...opened });
    return connection;
  }

  /** A session has begun, or continues in this process. */
  onSession(connection: ServerConnection, request: ServerRequest): void {
    this.#connections.add(connection);
    this.#ownRequests?.onOpened(connection);
    this.handlers.start(connection, request);
  }

  mayCarry(socket: ServerConnection, replaced: ServerConnection | null): boolean {
    return !this.#excess.has(socket) || this.#policy.hasRoom(socket.remoteAddress, replaced);
  }

  onCarrying(socket: ServerConnection, replaced: ServerConnection | null): void {
    if (!this.#excess.delete(socket)) return;
    if (replaced !== null) this.#cleanups.get(replaced)?.();
    this.#countAddress(socket);
  }

  onResponseWritten(): void {
    this.#notifyIfIdle();
  }

  onDone(upgradeRequest: UpgradeRequest): void {
    this.#upgradeRequests.delete(upgradeRequest);
    this.#notifyIfIdle();
  }

  onConnectionEnded(connection: ServerConnection): void {
    if (this.#connections.delete(connection))
      this.#ownRequests?.onEnded(connection, coreOf(connection).closeInfo);
    this.#ownConnections.delete(connection);
    this.#sessionSockets.delete(connection);
    this.#excess.delete(connection);
    this.#cleanups.get(connection)?.();
    this.#notifyIfIdle();
  }

  #applyLimits(connection: ServerConnection, meter: ReceiveLimit | null): void {
    if (this.addressLimits === null) return;
    meter?.watch(connection);
    this.#cleanups.set(connection, () => {
      this.#cleanups.delete(connection);
      meter?.stop();
    });
    if (!this.#excess.has(connection)) this.#countAddress(connection);
  }

  #countAddress(connection: ServerConnection): void {
    const { addressLimits } = this;
    const { remoteAddress } = connection;
    if (addressLimits === null || remoteAddress === null) return;
    const key = addressLimits.addConnection(remoteAddress);
    const cleanUp = this.#cleanups.get(connection);
    this.#cleanups.set(connection, () => {
      cleanUp?.();
      addressLimits.removeConnection(key);
    });
  }

  #http1Request(socket: Duplex, incoming: IncomingSocket): UpgradeRequest {
    const transport = new SocketByteStream(socket);
    return this.#newUpgradeRequest(transport, new Http1ResponseWriter(transport), incoming);
  }

  #newUpgradeRequest(
    transport: ByteStream,
    responseWriter: ResponseWriter,
    { source, isSecure, since }: IncomingSocket,
  ): UpgradeRequest {
    const upgradeRequest = new UpgradeRequest({
      runtime: this.runtime,
      transport,
      responseWriter,
      source,
      isSecure,
      since,
      settings: this.settings,
      policy: this.#policy,
      handler: this,
    });
    this.#upgradeRequests.add(upgradeRequest);
    return upgradeRequest;
  }

  #notifyIfIdle(): void {
    if (this.#onIdle !== null && this.#isIdle()) this.#onIdle();
  }

  #isIdle(): boolean {
    if (this.#connections.size + this.#sessionSockets.size + this.#ownConnections.size > 0) return false;
    for (const upgradeRequest of this.#upgradeRequests) if (upgradeRequest.isPending) return false;
    return true;
  }
}

/** Returns null for most connections, which saves them the memory. */
function extrasOf(origin: RequestOrigin, grant: CheckedGrant): HandshakeExtras | null {
  if (origin.isForwarded !== true && grant === EMPTY_GRANT) return null;
  const remoteAddress = origin.isForwarded === true ? origin.transport.remoteAddress : null;
  return { remoteAddress, host: origin.host ?? null, ...grant };
}

const NO_EXTENSIONS: readonly string[] = [];
const NO_BYTES = new Uint8Array(0);
