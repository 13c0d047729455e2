// One HTTP/2 connection to a server: receives its requests, and closes it when it is idle (RFC 9113, RFC 8441).

import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { Deadline } from "../../connection/timer-queue.js";
import type { HeadLimits } from "../../protocol/handshake/head-failure.js";
import type { RequestHead } from "../../protocol/handshake/request-head.js";
import { refuse, type Refusal } from "../../protocol/handshake/server-handshake.js";
import { CONNECTION_WINDOW } from "../../transport/node/http2-fields.js";
import type { ServerCore } from "../server-core.js";
import type { IncomingSocket } from "../upgrade-requests.js";
import { streamHead } from "./stream-head.js";

export class Http2Session extends Deadline {
  readonly #session: ServerHttp2Session;
  readonly #socket: Socket;
  readonly #core: ServerCore;
  readonly #incoming: IncomingSocket;
  /** Set while the connection has no stream, and while it sends its last frames. */
  #streams = 0;
  #isFirst = true;
  #isClosing = false;

  constructor(session: ServerHttp2Session, socket: Socket, incoming: IncomingSocket, core: ServerCore) {
    super();
    this.#session = session;
    this.#socket = socket;
    this.#incoming = incoming;
    this.#core = core;
  }

  /** @param onEnd called once, when the connection has closed */
  begin(onEnd: () => void): void {
    const session = this.#session;
    const { runtime, settings } = this.#core;
    session.once("close", () => {
      runtime.timers.cancel(this);
      onEnd();
    });
    session.setLocalWindowSize(CONNECTION_WINDOW);
    session.on("stream", this.#onStream);
    runtime.timers.set(this, this.#incoming.since + (settings.openTimeout ?? IDLE_TIMEOUT));
  }

  /** Sends GOAWAY. If requests are still open after a short time, the connection is destroyed. */
  close(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    const { timers, clock } = this.#core.runtime;
    timers.set(this, clock.now() + LINGER_TIMEOUT);
    this.#session.close();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  onAlarm(): void {
    if (this.#isClosing) this.destroy();
    else this.close();
  }

  readonly #onStream = (
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    _flags: number,
    rawHeaders?: readonly string[],
  ): void => {
    const { timers, clock } = this.#core.runtime;
    const { isSecure } = this.#incoming;
    // The TLS handshake counts towards the first request only.
    const since = this.#isFirst ? this.#incoming.since : clock.now();
    this.#isFirst = false;
    this.#streams++;
    if (!this.#isClosing) timers.cancel(this);
    stream.once("close", this.#onStreamClosed);
    const source = { kind: "stream", stream, headers, rawHeaders } as const;
    const { requests, settings } = this.#core;
    const head = streamHead(headers, rawHeaders);
    const refusal = refuseLarge(head, settings.headLimits);
    if (refusal === null) requests.receiveStream(stream, { source, isSecure, since }, head);
    else requests.refuseStream(stream, { source, isSecure, since }, refusal, head);
  };

  /** Restarts the idle timeout. It counts streams, not bytes: a client that sends pings but opens no stream is idle. */
  readonly #onStreamClosed = (): void => {
    const { timers, clock } = this.#core.runtime;
    if (--this.#streams > 0 || this.#isClosing || this.#session.destroyed) return;
    timers.set(this, clock.now() + IDLE_TIMEOUT);
  };
}

/** Counts a head as if it had been sent over HTTP/1.1. */
function refuseLarge({ target, headers }: RequestHead, { maxSize, maxHeaders }: HeadLimits): Refusal | null {
  const isLongTarget = target.length > maxSize;
  if (isLongTarget || target.length + headers.toString().length > maxSize) {
    const got = isLongTarget ? "a path that is longer" : "header fields that are larger";
    return refuse(
      isLongTarget ? 414 : 431,
      `Expected a request head of at most ${maxSize} bytes, got ${got}.`,
    );
  }
  const fields = [...headers].length;
  return fields > maxHeaders
    ? refuse(431, `Expected at most ${maxHeaders} header fields, got ${fields}.`)
    : null;
}

/**
 * Milliseconds that a connection without streams stays open: as long as a browser needs between a page and its
 * WebSocket.
 */
const IDLE_TIMEOUT = 60_000;

/** Milliseconds to send the last frames of a connection. */
const LINGER_TIMEOUT = 1000;
