// Where requests arrive and become connections, whatever brings them.

import type { ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import { coreOf, createConnection } from "../connection/connection.js";
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
import { HandlerRuns, type RequestHandler, type ServerConnection } from "./handler-runs.js";
import { Http2ResponseWriter } from "./http2/http2-response-writer.js";
import { AddressLimits } from "./limits/address-limits.js";
import { ReceiveLimits, type ReceiveLimit } from "./limits/receive-limit.js";
import type { ServerSettings } from "./options.js";
import {
  UpgradeRequest,
  type AcceptedUpgrade,
  type UpgradeRequestHandler,
} from "./upgrade/upgrade-request.js";
import { AdmissionPolicy } from "./upgrade/admission-policy.js";
import { ServerHandshakeRecord, type HandshakeExtras } from "./upgrade/handshake-record.js";
import { PLAIN_GRANT, type CheckedGrant } from "./upgrade/request-answer.js";
import type { RequestOrigin } from "./upgrade/server-request.js";
import { SpreadWidth } from "./spread-width.js";

/** What is known of a socket that brings a request. */
export interface IncomingSocket {
  readonly isSecure: boolean;
  /** When the client began, in monotonic milliseconds. */
  readonly since: number;
}

export class ServerCore implements UpgradeRequestHandler, ConnectionEndObserver {
  readonly runtime: FrameRuntime = nodeRuntime();
  readonly settings: ServerSettings;
  /** The connections that are open or closing. */
  readonly connections: ReadonlySet<ServerConnection>;
  readonly handlers: HandlerRuns;
  /** Null where addresses are not limited. */
  readonly addressLimits: AddressLimits | null;
  readonly #connections = new Set<ServerConnection>();
  readonly #acceptances = new Set<UpgradeRequest>();
  readonly #gate: AdmissionPolicy;
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
    this.#gate = new AdmissionPolicy(settings, this.#connections, this.addressLimits);
  }

  /**
   * A client that has sent nothing yet.
   *
   * @param speakHttp2 gets the socket back as it was, where the client turns out to speak HTTP/2; null to refuse it
   */
  receive(socket: Duplex, arrival: IncomingSocket, speakHttp2: (() => void) | null): void {
    const transport = new SocketByteStream(socket);
    const onHttp2 =
      speakHttp2 &&
      ((read: Uint8Array) => {
        transport.release(read);
        speakHttp2();
      });
    this.#newAcceptance(transport, new Http1ResponseWriter(transport), arrival).begin(onHttp2);
  }

  /** A client whose request an HTTP server has read, and `rest` behind it. */
  receiveRequest(
    socket: Duplex,
    arrival: IncomingSocket,
    head: RequestHead,
    rest: Uint8Array,
    granted?: CheckedGrant,
  ): void {
    this.#acceptance(socket, arrival).beginBehind(head, rest, granted);
  }

  /** A request that is a stream of HTTP/2. */
  receiveStream(stream: ServerHttp2Stream, arrival: IncomingSocket, head: RequestHead): void {
    const acceptance = this.#newAcceptance(
      new Http2ByteStream(stream),
      new Http2ResponseWriter(stream),
      arrival,
    );
    acceptance.beginBehind(head, NOTHING);
  }

  /** A stream of HTTP/2 that cannot be served. */
  refuseStream(stream: ServerHttp2Stream, arrival: IncomingSocket, refusal: Refusal): void {
    this.#newAcceptance(new Http2ByteStream(stream), new Http2ResponseWriter(stream), arrival).refuse(
      refusal,
    );
  }

  /** A client whose request an HTTP server has read, and that cannot be served. */
  refuse(socket: Duplex, arrival: IncomingSocket, refusal: Refusal): void {
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

  onAccepted({ transport, answering, head, origin, upgrade, rest }: AcceptedUpgrade): void {
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
      preface: answering.accept(response),
      rest,
      meter,
      tellsLater: true,
    });
    const connection = createConnection({
      runtime: this.runtime,
      transport: isLink ? overLinkProtocol(frames, "frames", this.#spread) : frames,
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
    coreOf(connection).start();
    this.handlers.start(connection, request);
  }

  onAnswered(): void {
    this.#noteQuiet();
  }

  onOver(acceptance: UpgradeRequest): void {
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

  #acceptance(socket: Duplex, arrival: IncomingSocket): UpgradeRequest {
    const transport = new SocketByteStream(socket);
    return this.#newAcceptance(transport, new Http1ResponseWriter(transport), arrival);
  }

  #newAcceptance(
    transport: ByteStream,
    answering: ResponseWriter,
    { isSecure, since }: IncomingSocket,
  ): UpgradeRequest {
    const acceptance = new UpgradeRequest({
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
