// One request, over HTTP/1.1 or on a stream of HTTP/2, from its first byte to the answer: an upgrade, a refusal, or the application's own.

import type { ByteStream, ByteStreamHandler } from "../../connection/ports.js";
import type { Runtime } from "../../connection/runtime.js";
import { Alarm, type AlarmHandler } from "../../connection/timer-queue.js";
import { HeadReader } from "../../protocol/handshake/head-reader.js";
import { isHeadFailure } from "../../protocol/handshake/head-failure.js";
import { parseRequestHead, type RequestHead } from "../../protocol/handshake/request-head.js";
import { refuse, type Refusal } from "../../protocol/handshake/server-handshake.js";
import { MessageBuffer } from "../../protocol/message/message-buffer.js";
import { asBuffer } from "../../protocol/message/views.js";
import { errorOf } from "../../shared/thrown.js";
import type { ResponseWriter } from "../response/response-writer.js";
import { discardBody, ResponseBody } from "../response/response-body.js";
import type { ServerSettings } from "../options.js";
import { locateClient } from "../forwarding/locate-client.js";
import {
  FAILED,
  SHUTTING_DOWN,
  type Decision,
  type AdmissionPolicy,
  type Upgrade,
} from "./admission-policy.js";
import { PLAIN_GRANT, type CheckedGrant } from "./request-answer.js";
import { abortRequest, type RequestOrigin, type ServerRequest } from "./server-request.js";

/** An upgrade whose answer is yet to be sent; `rest` came behind the request. */
export interface AcceptedUpgrade {
  readonly transport: ByteStream;
  readonly answering: ResponseWriter;
  readonly head: RequestHead;
  readonly origin: RequestOrigin;
  readonly upgrade: Upgrade;
  readonly rest: Uint8Array;
}

export interface UpgradeRequestHandler {
  onAccepted(accepted: AcceptedUpgrade): void;
  /** The answer has been handed over; the socket lingers. */
  onAnswered(): void;
  /** The socket is gone, or belongs to a connection: this acceptance is over. */
  onOver(acceptance: UpgradeRequest): void;
}

/** One socket, and what is known of it. */
export interface UpgradeRequestInit {
  readonly runtime: Runtime;
  readonly transport: ByteStream;
  readonly answering: ResponseWriter;
  readonly isSecure: boolean;
  /** When the client began, in monotonic milliseconds: its TLS handshake counts as well. */
  readonly since: number;
  readonly settings: ServerSettings;
  readonly gate: AdmissionPolicy;
  readonly owner: UpgradeRequestHandler;
}

type Phase = "answering" | "deciding" | "lingering" | "over" | "reading";

export class UpgradeRequest implements ByteStreamHandler, AlarmHandler {
  readonly #init: UpgradeRequestInit;
  readonly #transport: ByteStream;
  readonly #answering: ResponseWriter;
  readonly #alarm = new Alarm(this);
  #headReader: HeadReader | null = null;
  #onHttp2: ((read: Uint8Array) => void) | null = null;
  #phase: Phase = "reading";
  /** Where the request comes from, once it has been read. */
  #origin: RequestOrigin | null = null;
  #request: ServerRequest | null = null;
  /** What came behind the request. */
  readonly #rest = new MessageBuffer(Infinity);
  #body: ResponseBody | null = null;

  constructor(init: UpgradeRequestInit) {
    this.#init = init;
    this.#transport = init.transport;
    this.#answering = init.answering;
  }

  /**
   * Reads the request.
   *
   * @param onHttp2 takes over from a client that does not speak HTTP/1.1, and what was read of it; null to refuse it
   */
  begin(onHttp2: ((read: Uint8Array) => void) | null): void {
    this.#onHttp2 = onHttp2;
    const { openTimeout, headLimits } = this.#init.settings;
    this.#headReader = new HeadReader(headLimits);
    if (openTimeout !== null) this.#init.runtime.timers.set(this.#alarm, this.#init.since + openTimeout);
    this.#transport.start(this);
  }

  /** Goes on where the request has been read, and `rest` behind it; `granted` goes with the upgrade. */
  beginBehind(head: RequestHead, rest: Uint8Array, granted: CheckedGrant = PLAIN_GRANT): void {
    const { openTimeout } = this.#init.settings;
    if (openTimeout !== null) this.#init.runtime.timers.set(this.#alarm, this.#init.since + openTimeout);
    this.#transport.start(this);
    this.#decide(head, rest, granted);
  }

  /** Answers as if the request had been judged that way already. */
  refuse(refusal: Refusal): void {
    this.#transport.start(this);
    this.#refuse(refusal);
  }

  /** Whether the client is to get an answer yet, or the rest of it. */
  get isPending(): boolean {
    if (this.#phase === "lingering") return this.#transport.bufferedAmount > 0;
    return this.#phase === "deciding" || this.#phase === "answering";
  }

  /** The server is closing: whatever `onRequest` may say, this will not become a connection. */
  drain(): void {
    if (this.#phase !== "deciding" || this.#request?.isUpgrade !== true) return;
    this.#refuse(SHUTTING_DOWN);
    abortRequest(this.#request);
  }

  destroy(): void {
    this.#transport.destroy();
  }

  onChunk(chunk: Uint8Array): void {
    if (this.#phase === "reading") this.#read(chunk);
    else if (this.#phase === "deciding") this.#hold(chunk);
    // Otherwise it is the body of a request that is answered, or was refused.
  }

  onEof(): void {
    if (this.#phase === "reading") this.#transport.end(false);
    // Who asks for a page may well have finished speaking; a WebSocket cannot be made of half a connection.
    else if (this.#phase === "deciding" && this.#request?.isUpgrade === true) this.#transport.destroy();
  }

  onError(): void {
    // `onClosed` follows, and there is nobody to tell.
  }

  onDrain(): void {
    this.#body?.onDrain();
  }

  onClosed(): void {
    if (this.#phase === "deciding" && this.#request !== null) abortRequest(this.#request);
    this.#leave();
  }

  /** A client that is mute or slow does not hold its socket for ever, nor does an `onRequest` that never settles. */
  onAlarm(): void {
    const { openTimeout } = this.#init.settings;
    switch (this.#phase) {
      case "reading":
        this.#refuse(refuse(408, `Expected an upgrade request within ${openTimeout} ms.`));
        return;
      case "deciding":
        this.#refuse(refuse(503, `Expected the server to decide within ${openTimeout} ms.`));
        if (this.#request !== null) abortRequest(this.#request);
        return;
      case "answering":
      case "lingering":
      case "over":
        this.#transport.destroy();
    }
  }

  #read(chunk: Uint8Array): void {
    const result = this.#headReader?.push(chunk) ?? "incomplete";
    if (result === "incomplete") return;
    this.#headReader = null;
    if (this.#onHttp2 !== null && !isHeadFailure(result) && result.head.startLine === HTTP_2_START_LINE) {
      this.#leave();
      this.#onHttp2(Buffer.concat([HTTP_2_PREFACE, result.rest]));
      return;
    }
    const head = isHeadFailure(result) ? result : parseRequestHead(result.head);
    if (isHeadFailure(head)) this.#refuse(refuse(head.status, head.reason));
    else if (!isHeadFailure(result)) this.#decide(head, result.rest, PLAIN_GRANT);
  }

  /** A client has nothing to say before it is answered; what it says all the same is kept, if it is short. */
  #hold(chunk: Uint8Array): void {
    if (this.#request?.isUpgrade !== true) return;
    this.#keep(chunk);
    if (this.#rest.length > MAX_HELD) this.#transport.pause();
  }

  #keep(bytes: Uint8Array): void {
    this.#rest.append(asBuffer(bytes), 0, bytes.length);
  }

  #decide(head: RequestHead, rest: Uint8Array, granted: CheckedGrant): void {
    this.#phase = "deciding";
    const { gate, isSecure, settings } = this.#init;
    const peer: RequestOrigin = { transport: this.#transport, isSecure };
    const origin = locateClient(head, peer, settings.trustProxy, settings.connection.logger);
    this.#origin = origin;
    if (rest.length > 0) this.#keep(rest);
    const decision = gate.decide(head, origin, granted, (request) => (this.#request = request));
    if (!(decision instanceof Promise)) {
      this.#follow(head, origin, decision);
      return;
    }
    void decision.then((late) => {
      if (this.#phase === "deciding") this.#follow(head, origin, late);
      // The client is gone, or out of time.
      else if (late.outcome === "answer") discardBody(late.response);
    });
  }

  #follow(head: RequestHead, origin: RequestOrigin, decision: Decision): void {
    switch (decision.outcome) {
      case "refuse":
        this.#refuse(decision);
        return;
      case "answer":
        this.#answer(head, decision.response);
        return;
      case "upgrade": {
        const refusal = this.#init.gate.confirm(decision);
        if (refusal === null) this.#accept(head, origin, decision);
        else this.#refuse(refusal);
      }
    }
  }

  #accept(head: RequestHead, origin: RequestOrigin, upgrade: Upgrade): void {
    const { owner } = this.#init;
    const rest = this.#rest.take();
    if (rest.length > MAX_HELD) this.#transport.resume();
    this.#leave();
    const { transport, answering } = this.#init;
    owner.onAccepted({ transport, answering, head, origin, upgrade, rest });
  }

  /** Answers in plain text. */
  #refuse(refusal: Refusal): void {
    if (refusal.isReported !== true) this.#logRefusal(refusal.status, refusal.body);
    this.#answering.refuse(refusal);
    this.#linger();
  }

  /** Answers with what `onRequest` returned. */
  #answer(head: RequestHead, response: Response): void {
    let body: ResponseBody | null = null;
    try {
      const { framing, sendHead } = this.#answering.prepare(response, head);
      const reader = response.body?.getReader() ?? null;
      if (reader !== null) {
        body = new ResponseBody(reader, framing, this.#transport, () => this.#progress());
      }
      if (this.#request?.isUpgrade === true) this.#logRefusal(response.status, "answered by onRequest");
      sendHead();
      if (framing.kind === "none") {
        body?.stop();
        body = null;
      }
    } catch (error) {
      this.#init.settings.connection.faultLogger?.error("onRequest failed", { error: errorOf(error) });
      if (body === null) discardBody(response);
      else body.stop(error);
      this.#refuse(FAILED);
      return;
    }
    if (body === null) this.#linger();
    else this.#sendBody(body);
  }

  #sendBody(body: ResponseBody): void {
    this.#phase = "answering";
    this.#body = body;
    this.#progress();
    body.send().then(
      () => {
        if (this.#phase === "answering") this.#linger();
      },
      (error: unknown) => {
        this.#init.settings.connection.faultLogger?.error("answering a request failed", {
          error: errorOf(error),
        });
        this.#transport.destroy();
      },
    );
  }

  /** An answer may take as long as it likes, as long as it gets on. */
  #progress(): void {
    const { runtime, settings } = this.#init;
    if (settings.openTimeout === null || this.#phase !== "answering") return;
    runtime.timers.set(this.#alarm, runtime.clock.now() + settings.openTimeout);
  }

  /** Gives the client the time to read the answer and to end the connection: cutting it could destroy the answer. */
  #linger(): void {
    const { timers, clock } = this.#init.runtime;
    this.#phase = "lingering";
    this.#transport.end(false);
    timers.set(this.#alarm, clock.now() + LINGER);
    this.#init.owner.onAnswered();
  }

  #leave(): void {
    if (this.#phase === "over") return;
    this.#phase = "over";
    this.#init.runtime.timers.cancel(this.#alarm);
    this.#body?.stop();
    this.#rest.take();
    this.#init.owner.onOver(this);
  }

  #logRefusal(status: number, reason: string): void {
    const { remoteAddress } = this.#origin?.transport ?? this.#transport;
    const { logger } = this.#init.settings.connection;
    logger?.info("connection refused", { status, reason, remoteAddress });
  }
}

/** RFC 9113 section 3.4: the beginning of the preface, which HTTP/1.1 takes for the head of a request. */
const HTTP_2_START_LINE = "PRI * HTTP/2.0";
const HTTP_2_PREFACE = Buffer.from(`${HTTP_2_START_LINE}\r\n\r\n`);

/** Milliseconds that a client has to end its side after the answer. */
const LINGER = 1000;

/** Bytes that may come behind a request that is being decided on, before reading stops. */
const MAX_HELD = 64 * 1024;
