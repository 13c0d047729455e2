// Where requests arrive and become connections, whatever brings them.

import type { ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import { Connection, start, type ConnectionOwner } from "../connection/connection.js";
import { overFrames } from "../connection/frames/frame-wire.js";
import { overLinkProtocol, type SpreadEnd } from "../connection/layers/link-protocol.js";
import type { FrameRuntime } from "../connection/frames/frame-runtime.js";
import type { Transport } from "../connection/ports.js";
import { nodeRuntime } from "../node/node-runtime.js";
import { Http2Transport } from "../node/http2-transport.js";
import { SocketTransport } from "../node/socket-transport.js";
import type { RequestHead } from "../protocol/handshake/request-head.js";
import type { Refusal } from "../protocol/handshake/server-handshake.js";
import { Http1Answering, type Answering } from "./answer/answering.js";
import { HandlerRuns, type RequestHandler, type ServerConnection } from "./handler-runs.js";
import { Http2Answering } from "./http2/http2-answering.js";
import { AddressLimits } from "./limits/address-limits.js";
import { ReceiveLimits, type ReceiveLimit } from "./limits/receive-limit.js";
import type { ServerSettings } from "./options.js";
import { Acceptance, type Accepted, type AcceptanceOwner } from "./request/acceptance.js";
import { Gate } from "./request/gate.js";
import { ServerHandshakeRecord, type HandshakeExtras } from "./request/handshake-record.js";
import { PLAIN_GRANT, type CheckedGrant } from "./request/request-answer.js";
import type { RequestOrigin } from "./request/server-request.js";
import { SpreadWidth } from "./spread-width.js";

/** What is known of a socket that brings a request. */
export interface Arrival {
  readonly isSecure: boolean;
  /** When the client began, in monotonic milliseconds. */
  readonly since: number;
}

export class Reception implements AcceptanceOwner, ConnectionOwner {
  readonly runtime: FrameRuntime = nodeRuntime();
  readonly settings: ServerSettings;
  /** The connections that are open or closing. */
  readonly connections: ReadonlySet<ServerConnection>;
  readonly handlers: HandlerRuns;
  /** Null where addresses are not limited. */
  readonly addressLimits: AddressLimits | null;
  readonly #connections = new Set<ServerConnection>();
  readonly #acceptances = new Set<Acceptance>();
  readonly #gate: Gate;
  readonly #receiveLimits: ReceiveLimits | null;
  /** What ends with each connection: present only with `limits`. */
  readonly #limitsOf = new Map<ServerConnection, () => void>();
  readonly #width = new SpreadWidth();
  readonly #spread: SpreadEnd = { widthToAnnounce: () => this.#width.of(this.#connections.size) };
  #onQuiet: (() => void) | null = null;

  constructor(handler: RequestHandler, settings: ServerSettings) {
    this.settings = settings;
    this.connections = this.#connections;
    this.handlers = new HandlerRuns(handler, settings.connection.faultLogger);
    const { limits, trustProxy } = settings;
    const { logger } = settings.connection;
    const { clock } = this.runtime;
    const isForwarded = trustProxy !== null;
    this.addressLimits = limits === null ? null : new AddressLimits({ limits, clock, logger, isForwarded });
    this.#receiveLimits = limits === null ? null : new ReceiveLimits(limits, this.runtime, logger);
    this.#gate = new Gate(settings, this.#connections, this.addressLimits);
  }

  /**
   * A client that has sent nothing yet.
   *
   * @param speakHttp2 gets the socket back as it was, where the client turns out to speak HTTP/2; null to refuse it
   */
  receive(socket: Duplex, arrival: Arrival, speakHttp2: (() => void) | null): void {
    const transport = new SocketTransport(socket);
    const onHttp2 =
      speakHttp2 &&
      ((read: Uint8Array) => {
        transport.release(read);
        speakHttp2();
      });
    this.#newAcceptance(transport, new Http1Answering(transport), arrival).begin(onHttp2);
  }

  /** A client whose request an HTTP server has read, and `rest` behind it. */
  receiveRequest(
    socket: Duplex,
    arrival: Arrival,
    head: RequestHead,
    rest: Uint8Array,
    granted?: CheckedGrant,
  ): void {
    this.#acceptance(socket, arrival).beginBehind(head, rest, granted);
  }

  /** A request that is a stream of HTTP/2. */
  receiveStream(stream: ServerHttp2Stream, arrival: Arrival, head: RequestHead): void {
    const acceptance = this.#newAcceptance(new Http2Transport(stream), new Http2Answering(stream), arrival);
    acceptance.beginBehind(head, NOTHING);
  }

  /** A stream of HTTP/2 that cannot be served. */
  refuseStream(stream: ServerHttp2Stream, arrival: Arrival, refusal: Refusal): void {
    this.#newAcceptance(new Http2Transport(stream), new Http2Answering(stream), arrival).refuse(refusal);
  }

  /** A client whose request an HTTP server has read, and that cannot be served. */
  refuse(socket: Duplex, arrival: Arrival, refusal: Refusal): void {
    this.#acceptance(socket, arrival).refuse(refusal);
  }

  /** Every request from now on is refused with 503. */
  drain(): void {
    this.#gate.drain();
    this.#width.fix();
    for (const acceptance of this.#acceptances) acceptance.drain();
  }

  /** Resolves once no connection is left, and no answer on its way. */
  async quiet(): Promise<void> {
    if (!this.#isQuiet()) await new Promise<void>((resolve) => (this.#onQuiet = resolve));
  }

  /** Ends what has no connection yet. */
  dismiss(): void {
    for (const acceptance of this.#acceptances) acceptance.destroy();
  }

  onAccepted({ transport, answering, head, origin, upgrade, rest }: Accepted): void {
    const { key, request, choice, deflate, grant } = upgrade;
    const { subprotocol, subprotocolAnswer, isLink } = choice;
    const headers = grant.headers.length === 0 ? undefined : grant.headers;
    const response = { key, subprotocol: subprotocolAnswer, extensions: deflate?.header ?? null, headers };
    const meter = this.#receiveLimits?.meter() ?? null;
    const frames = overFrames({
      runtime: this.runtime,
      transport,
      role: "server",
      settings: this.settings.connection,
      extension: deflate?.extension ?? null,
      preface: answering.grant(response),
      rest,
      meter,
      tellsLater: true,
    });
    const connection = new Connection({
      runtime: this.runtime,
      wire: isLink ? overLinkProtocol(frames, "frames", this.#spread) : frames,
      settings: this.settings.connection,
      handshake: new ServerHandshakeRecord(head.headers, {
        target: request.target,
        subprotocol,
        subprotocolAnswer,
        extensions: deflate === null ? NO_EXTENSIONS : [deflate.header],
        isSecure: origin.isSecure,
        isHttp2: head.http2 !== undefined,
        extras: extrasOf(origin, grant),
      }),
      owner: this,
    });
    this.#connections.add(connection);
    this.#limit(connection, origin, meter);
    connection[start]();
    this.handlers.start(connection, request);
  }

  onAnswered(): void {
    this.#noteQuiet();
  }

  onOver(acceptance: Acceptance): void {
    this.#acceptances.delete(acceptance);
    this.#noteQuiet();
  }

  onConnectionEnded(connection: ServerConnection): void {
    this.#connections.delete(connection);
    this.#limitsOf.get(connection)?.();
    this.#noteQuiet();
  }

  #limit(connection: ServerConnection, { transport }: RequestOrigin, meter: ReceiveLimit | null): void {
    const { addressLimits } = this;
    if (addressLimits === null) return;
    const address = transport.remoteAddress;
    const key = address === null ? null : addressLimits.addConnection(address);
    meter?.watch(connection);
    this.#limitsOf.set(connection, () => {
      this.#limitsOf.delete(connection);
      if (key !== null) addressLimits.removeConnection(key);
      meter?.stop();
    });
  }

  #acceptance(socket: Duplex, arrival: Arrival): Acceptance {
    const transport = new SocketTransport(socket);
    return this.#newAcceptance(transport, new Http1Answering(transport), arrival);
  }

  #newAcceptance(transport: Transport, answering: Answering, { isSecure, since }: Arrival): Acceptance {
    const acceptance = new Acceptance({
      runtime: this.runtime,
      transport,
      answering,
      isSecure,
      since,
      settings: this.settings,
      gate: this.#gate,
      owner: this,
    });
    this.#acceptances.add(acceptance);
    return acceptance;
  }

  #noteQuiet(): void {
    if (this.#onQuiet !== null && this.#isQuiet()) this.#onQuiet();
  }

  #isQuiet(): boolean {
    if (this.#connections.size > 0) return false;
    for (const acceptance of this.#acceptances) if (acceptance.isPending) return false;
    return true;
  }
}

/** Null for most connections, which thus need no memory for them. */
function extrasOf(origin: RequestOrigin, grant: CheckedGrant): HandshakeExtras | null {
  if (origin.isForwarded !== true && grant === PLAIN_GRANT) return null;
  const remoteAddress = origin.isForwarded === true ? origin.transport.remoteAddress : null;
  return { remoteAddress, host: origin.host ?? null, ...grant };
}

const NO_EXTENSIONS: readonly string[] = [];
const NOTHING = new Uint8Array(0);
