// Handles one request, over HTTP/1.1 or on an HTTP/2 stream, from its first byte to the response: an upgrade, a
// refusal, or a response of the application.

import type { ByteStream, ByteStreamHandler } from "../../connection/ports.js";
import type { Runtime } from "../../connection/runtime.js";
import { Deadline } from "../../connection/timer-queue.js";
import { HeadReader } from "../../protocol/handshake/head-reader.js";
import { isHeadFailure } from "../../protocol/handshake/head-failure.js";
import { parseRequestHead, type RequestHead } from "../../protocol/handshake/request-head.js";
import { refuse, type Refusal } from "../../protocol/handshake/server-handshake.js";
import { errorOf } from "../../shared/thrown.js";
import type { ResponseWriter } from "../response/response-writer.js";
import { discardBody, ResponseBody } from "../response/response-body.js";
import type { ServerSettings } from "../options.js";
import { publishRefused, type ReceivedRequest } from "../server-channels.js";
import { locateClient } from "../forwarding/locate-client.js";
import type { RequestOrigin } from "../forwarding/request-origin.js";
import { FAILED, SHUTTING_DOWN } from "./admission-policy.js";
import type { AdmissionPolicy, Decision, Upgrade } from "./admission-policy.js";
import { responseTo, type AcceptedUpgrade } from "./accepted-upgrade.js";
import { EarlyData } from "./early-data.js";
import { EMPTY_GRANT, type CheckedGrant } from "./request-answer.js";
import type { RequestSource } from "../forwarding/request-source.js";
import { abortServerRequest, type ServerRequest } from "./server-request.js";

export interface UpgradeRequestHandler {
  onAccepted(accepted: AcceptedUpgrade): void;
  /** The response has been written; the socket lingers. */
  onResponseWritten(): void;
  /** The socket has closed, or belongs to a connection now. */
  onDone(request: UpgradeRequest): void;
}

export interface UpgradeRequestInit {
  readonly runtime: Runtime;
  readonly transport: ByteStream;
  readonly responseWriter: ResponseWriter;
  readonly source: RequestSource;
  readonly isSecure: boolean;
  /** When the client connected, in monotonic milliseconds: the TLS handshake counts towards `openTimeout`. */
  readonly since: number;
  readonly settings: ServerSettings;
  readonly policy: AdmissionPolicy;
  readonly handler: UpgradeRequestHandler;
}

type Phase = "answering" | "deciding" | "lingering" | "done" | "reading";

export class UpgradeRequest extends Deadline implements ByteStreamHandler {
  readonly #init: UpgradeRequestInit;
  #headReader: HeadReader | null = null;
  #onHttp2: ((read: Uint8Array) => void) | null = null;
  #phase: Phase = "reading";
  /** The request as it was read; null until then. */
  #received: ReceivedRequest | null = null;
  #request: ServerRequest | null = null;
  readonly #earlyData: EarlyData;
  #body: ResponseBody | null = null;

  constructor(init: UpgradeRequestInit) {
    super();
    this.#init = init;
    this.#earlyData = new EarlyData(init.transport);
  }

  /**
   * Starts to read the request.
   *
   * @param onHttp2 takes over a client that speaks HTTP/2, with the bytes read so far; null refuses HTTP/2
   */
  begin(onHttp2: ((read: Uint8Array) => void) | null): void {
    this.#onHttp2 = onHttp2;
    this.#headReader = new HeadReader(this.#init.settings.headLimits);
    this.#start();
  }

  /**
   * Starts with a request that has been read already; `rest` holds the bytes that followed it, `granted` the headers
   * and data of the upgrade.
   */
  beginWithHead(head: RequestHead, rest: Uint8Array, granted: CheckedGrant = EMPTY_GRANT): void {
    this.#start();
    this.#decide(head, rest, granted);
  }

  /** Refuses the request without evaluating it; `head` is null if it could not be read. */
  refuse(refusal: Refusal, head: RequestHead | null): void {
    this.#init.transport.start(this);
    if (head !== null) this.#receive(head);
    this.#refuse(refusal);
  }

  /** Whether the client still has to receive the response, or the rest of it. */
  get isPending(): boolean {
    if (this.#phase === "lingering") return this.#init.transport.bufferedAmount > 0;
    return this.#phase === "deciding" || this.#phase === "answering";
  }

  /** Refuses an upgrade that `onRequest` is still deciding on, because the server is closing. */
  drain(): void {
    if (this.#phase !== "deciding" || this.#request?.isUpgrade !== true) return;
    this.#refuse(SHUTTING_DOWN);
    abortServerRequest(this.#request);
  }

  destroy(): void {
    this.#init.transport.destroy();
  }

  onChunk(chunk: Uint8Array): void {
    if (this.#phase === "reading") this.#read(chunk);
    else if (this.#phase === "deciding" && this.#request?.isUpgrade === true) this.#earlyData.receive(chunk);
    // In other phases, the bytes are the body of a request that has been answered or refused.
  }

  onEof(): void {
    if (this.#phase === "reading") this.#init.transport.end(false);
    // A plain HTTP client may half-close after its request; a WebSocket needs both directions.
    else if (this.#phase === "deciding" && this.#request?.isUpgrade === true) this.#init.transport.destroy();
  }

  onError(): void {
    // Node leaves some sockets open after an error: one whose client renegotiates TLS too often. `onClosed` follows.
    this.destroy();
  }

  onDrain(): void {
    this.#body?.onDrain();
  }

  onClosed(): void {
    if (this.#phase === "deciding" && this.#request !== null) abortServerRequest(this.#request);
    this.#finish();
  }

  /** Limits how long a silent or slow client holds its socket, and how long `onRequest` may take. */
  onAlarm(): void {
    const { openTimeout } = this.#init.settings;
    switch (this.#phase) {
      case "reading":
        this.#refuse(refuse(408, `Expected an upgrade request within ${openTimeout} ms.`));
        return;
      case "deciding":
        this.#refuse(refuse(503, `Expected the server to decide within ${openTimeout} ms.`));
        if (this.#request !== null) abortServerRequest(this.#request);
        return;
      default:
        this.#init.transport.destroy();
    }
  }

  #start(): void {
    const { runtime, settings, since } = this.#init;
    if (settings.openTimeout !== null) runtime.timers.set(this, since + settings.openTimeout);
    this.#init.transport.start(this);
  }

  #read(chunk: Uint8Array): void {
    const result = this.#headReader?.push(chunk) ?? "incomplete";
    if (result === "incomplete") return;
    this.#headReader = null;
    if (this.#onHttp2 !== null && !isHeadFailure(result) && result.head.startLine === HTTP_2_START_LINE) {
      this.#finish();
      this.#onHttp2(Buffer.concat([Buffer.from(`${HTTP_2_START_LINE}\r\n\r\n`), result.rest]));
      return;
    }
    const head = isHeadFailure(result) ? result : parseRequestHead(result.head);
    if (isHeadFailure(head)) this.#refuse(refuse(head.status, head.reason));
    else if (!isHeadFailure(result)) this.#decide(head, result.rest, EMPTY_GRANT);
  }

  #decide(head: RequestHead, rest: Uint8Array, granted: CheckedGrant): void {
    this.#phase = "deciding";
    const origin = this.#receive(head);
    if (rest.length > 0) this.#earlyData.append(rest);
    const decision = this.#init.policy.decide(head, origin, granted, (request) => (this.#request = request));
    if (!(decision instanceof Promise)) this.#apply(head, origin, decision);
    else
      void decision.then((late) => {
        if (this.#phase === "deciding") this.#apply(head, origin, late);
        // The client has disconnected, or the time has expired.
        else if (late.outcome === "answer") discardBody(late.response);
      });
  }

  #receive(head: RequestHead): RequestOrigin {
    const { transport, source, isSecure, settings } = this.#init;
    const peer: RequestOrigin = { transport, source, isSecure };
    const origin = locateClient(head, peer, settings.trustProxy, settings.connection.faultLogger);
    return (this.#received = { head, origin }).origin;
  }

  #apply(head: RequestHead, origin: RequestOrigin, decision: Decision): void {
    switch (decision.outcome) {
      case "refuse":
        this.#refuse(decision);
        return;
      case "answer":
        this.#answer(head, decision.response);
        return;
      case "upgrade": {
        const refusal = this.#init.policy.confirm(decision);
        if (refusal === null) this.#accept(head, origin, decision);
        else this.#refuse(refusal);
      }
    }
  }

  #accept(head: RequestHead, origin: RequestOrigin, upgrade: Upgrade): void {
    const { handler, transport, responseWriter } = this.#init;
    let preface: Uint8Array | null;
    try {
      preface = responseWriter.accept(responseTo(upgrade));
    } catch (error) {
      // Over HTTP/2, Node refuses some headers that HTTP/1.1 can carry, such as a second Location.
      this.#fail(error);
      return;
    }
    const rest = this.#earlyData.take();
    this.#finish();
    handler.onAccepted({ transport, preface, head, origin, upgrade, rest });
  }

  /** Responds in plain text. */
  #refuse(refusal: Refusal): void {
    this.#reportRefusal(refusal.status, refusal.body, refusal.isReported);
    this.#init.responseWriter.refuse(refusal, this.#received?.head.method);
    this.#linger();
  }

  /** Responds with 500, because the answer of `onRequest` cannot be sent. */
  #fail(error: unknown): void {
    this.#init.settings.connection.faultLogger?.error("onRequest failed", { error: errorOf(error) });
    this.#refuse(FAILED);
  }

  /** Sends the response that `onRequest` returned. */
  #answer(head: RequestHead, response: Response): void {
    let body: ResponseBody | null = null;
    try {
      const { framing, sendHead } = this.#init.responseWriter.prepare(response, head);
      const reader = response.body?.getReader() ?? null;
      if (reader !== null)
        body = new ResponseBody(reader, framing, this.#init.transport, () => this.#progress());
      if (this.#request?.isUpgrade === true) this.#reportRefusal(response.status, "answered by onRequest");
      sendHead();
      if (framing.kind === "none") {
        body?.stop();
        body = null;
      }
    } catch (error) {
      if (body === null) discardBody(response);
      else body.stop(error);
      this.#fail(error);
      return;
    }
    if (body === null) this.#linger();
    else this.#sendBody(body);
  }

  #sendBody(body: ResponseBody): void {
    const { faultLogger } = this.#init.settings.connection;
    this.#phase = "answering";
    this.#body = body;
    this.#progress();
    body.send().then(
      () => {
        if (this.#phase === "answering") this.#linger();
      },
      (error: unknown) => {
        faultLogger?.error("sending a response failed", { error: errorOf(error) });
        this.#init.transport.destroy();
      },
    );
  }

  /** Restarts the timeout: a response may take any time as long as it makes progress. */
  #progress(): void {
    const { runtime, settings } = this.#init;
    if (settings.openTimeout === null || this.#phase !== "answering") return;
    runtime.timers.set(this, runtime.clock.now() + settings.openTimeout);
  }

  /**
   * Gives the client time to read the response and to close the connection: destroying the socket could destroy the
   * response.
   */
  #linger(): void {
    const { timers, clock } = this.#init.runtime;
    this.#phase = "lingering";
    this.#init.transport.end(false);
    timers.set(this, clock.now() + LINGER_TIMEOUT);
    this.#init.handler.onResponseWritten();
  }

  #finish(): void {
    if (this.#phase === "done") return;
    this.#phase = "done";
    this.#init.runtime.timers.cancel(this);
    this.#body?.stop();
    this.#earlyData.drop();
    this.#init.handler.onDone(this);
  }

  #reportRefusal(status: number, reason: string, isLogged = false): void {
    publishRefused(this.#request ?? this.#received, { status, reason });
    if (isLogged) return;
    const { remoteAddress } = this.#received?.origin.transport ?? this.#init.transport;
    this.#init.settings.connection.logger?.info("connection refused", { status, reason, remoteAddress });
  }
}

/** RFC 9113 section 3.4: the beginning of the HTTP/2 preface, which an HTTP/1.1 parser reads as a request head. */
const HTTP_2_START_LINE = "PRI * HTTP/2.0";

/** Milliseconds that a client has to close its side after the response. */
const LINGER_TIMEOUT = 1000;
