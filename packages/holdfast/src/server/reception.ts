// Where requests arrive and become connections, whatever brings them.

import type { ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import { Connection, start, type ConnectionOwner } from "../connection/connection.js";
import { overFrames } from "../connection/frames/frame-wire.js";
import { overLinkProtocol } from "../connection/layers/link-protocol.js";
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
import type { ServerSettings } from "./options.js";
import { Acceptance, type Accepted, type AcceptanceOwner } from "./request/acceptance.js";
import { Gate } from "./request/gate.js";
import { ServerHandshakeRecord } from "./request/handshake-record.js";

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
  readonly #connections = new Set<ServerConnection>();
  readonly #acceptances = new Set<Acceptance>();
  readonly #gate: Gate;
  #onQuiet: (() => void) | null = null;

  constructor(handler: RequestHandler, settings: ServerSettings) {
    this.settings = settings;
    this.connections = this.#connections;
    this.handlers = new HandlerRuns(handler, settings.connection.logger);
    this.#gate = new Gate(settings, this.#connections);
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
  receiveRequest(socket: Duplex, arrival: Arrival, head: RequestHead, rest: Uint8Array): void {
    this.#acceptance(socket, arrival).beginBehind(head, rest);
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

  onAccepted({ transport, answering, head, isSecure, upgrade, rest }: Accepted): void {
    const { key, request, choice, deflate } = upgrade;
    const { subprotocol, subprotocolAnswer, isLink } = choice;
    const response = { key, subprotocol: subprotocolAnswer, extensions: deflate?.header ?? null };
    const frames = overFrames({
      runtime: this.runtime,
      transport,
      role: "server",
      settings: this.settings.connection,
      extension: deflate?.extension ?? null,
      preface: answering.grant(response),
      rest,
      tellsLater: true,
    });
    const connection = new Connection({
      runtime: this.runtime,
      wire: isLink ? overLinkProtocol(frames, "frames") : frames,
      settings: this.settings.connection,
      handshake: new ServerHandshakeRecord(head.headers, {
        target: request.target,
        subprotocol,
        subprotocolAnswer,
        extensions: deflate === null ? NO_EXTENSIONS : [deflate.header],
        isSecure,
        isHttp2: head.http2 !== undefined,
      }),
      owner: this,
    });
    this.#connections.add(connection);
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
    this.#noteQuiet();
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

const NO_EXTENSIONS: readonly string[] = [];
const NOTHING = new Uint8Array(0);
