// One attempt to open a connection, from name lookup to the server's answer, under one timeout.

import { isIP, connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ConnectionOptions as TlsOptions } from "node:tls";
import type { TransportHandler } from "../connection/ports.js";
import type { Runtime } from "../connection/runtime.js";
import { Alarm, type AlarmHandler } from "../connection/timer-queue.js";
import { SocketTransport } from "../node/socket-transport.js";
import type { OpenObserver } from "../persist/connector.js";
import { escapeControls } from "../protocol/control-characters.js";
import { readDeflateAnswer, type NegotiatedDeflate } from "../protocol/deflate/negotiation.js";
import {
  InvalidArgument,
  InvalidStatus,
  InvalidUpgrade,
  NegotiationError,
  OpenTimeout,
  type OpenPhase,
} from "../protocol/errors.js";
import { checkServerAnswer, type ExpectedAnswer } from "../protocol/handshake/client-handshake.js";
import { HeadReader } from "../protocol/handshake/head-reader.js";
import { isHeadFailure } from "../protocol/handshake/head-failure.js";
import {
  isInterimResponse,
  parseResponseHead,
  type ResponseHead,
} from "../protocol/handshake/response-head.js";
import { parseRetryAfter } from "../protocol/handshake/retry-after.js";
import type { WebSocketURL } from "../protocol/handshake/url.js";
import { endedEarly, openError, type SystemError } from "./open-failure.js";
import type { ConnectSettings } from "./options.js";
import { RefusalBody } from "./refusal-body.js";

/** What to send, and what to expect in return. */
export interface UpgradeRequest {
  readonly bytes: Uint8Array;
  readonly expected: ExpectedAnswer;
}

/** An upgraded stream. `rest` came behind the answer: the first bytes of the first frames. */
export interface Upgraded {
  readonly transport: SocketTransport;
  readonly head: ResponseHead;
  /** The compression that was agreed on; null for none. */
  readonly deflate: NegotiatedDeflate | null;
  readonly rest: Uint8Array;
}

export interface AttemptOptions {
  readonly runtime: Runtime;
  readonly url: WebSocketURL;
  readonly upgrade: UpgradeRequest;
  readonly settings: ConnectSettings;
  readonly tls: TlsOptions | undefined;
  /** Is told when the transport to the server is up: TLS is over, and the upgrade is about to begin. */
  readonly observer: OpenObserver | null;
}

/**
 * Opens a stream and upgrades it. `take` is called with it at once, before more bytes can arrive: a promise would
 * let some slip by.
 *
 * @throws HandshakeError, or the reason of the signal
 */
export function attemptToOpen<Taken>(
  options: AttemptOptions,
  take: (upgraded: Upgraded) => Taken,
): Promise<Taken> {
  return new Promise((resolve, reject) => {
    options.settings.signal?.throwIfAborted();
    new OpenAttempt(options, (upgraded) => resolve(take(upgraded)), reject).begin();
  });
}

class OpenAttempt implements TransportHandler, AlarmHandler {
  readonly #options: AttemptOptions;
  readonly #runtime: Runtime;
  readonly #url: WebSocketURL;
  readonly #settings: ConnectSettings;
  readonly #take: (upgraded: Upgraded) => void;
  readonly #reject: (error: unknown) => void;
  readonly #alarm = new Alarm(this);
  readonly #headReader: HeadReader;
  #transport: SocketTransport | null = null;
  #phase: OpenPhase;
  #refusal: { readonly head: ResponseHead; readonly body: RefusalBody } | null = null;
  #isSettled = false;

  constructor(options: AttemptOptions, take: (upgraded: Upgraded) => void, reject: (error: unknown) => void) {
    this.#options = options;
    this.#runtime = options.runtime;
    this.#url = options.url;
    this.#settings = options.settings;
    this.#take = take;
    this.#reject = reject;
    this.#headReader = new HeadReader(options.settings.headLimits);
    this.#phase = isIP(options.url.hostname) === 0 ? "dns" : "connect";
  }

  begin(): void {
    const { isSecure } = this.#url;
    const socket = openSocket(this.#url, this.#options.tls);
    const { signal, openTimeout } = this.#settings;
    signal?.addEventListener("abort", this.#onAbort);
    if (openTimeout !== null) this.#runtime.timers.set(this.#alarm, this.#runtime.clock.now() + openTimeout);

    socket.once("lookup", () => (this.#phase = "connect"));
    socket.once("connect", () => (this.#phase = isSecure ? "tls" : "upgrade"));
    socket.once(isSecure ? "secureConnect" : "connect", () => this.#sendRequest());
    this.#transport = new SocketTransport(socket);
    this.#transport.start(this);
  }

  onChunk(chunk: Uint8Array): void {
    if (this.#isSettled) return;
    if (this.#refusal !== null) {
      if (this.#refusal.body.push(chunk)) this.#refuse();
      return;
    }
    let rest = chunk;
    for (;;) {
      const result = this.#headReader.push(rest);
      if (result === "incomplete") return;
      if (isHeadFailure(result)) {
        this.#fail(new InvalidUpgrade(result.reason));
        return;
      }
      const head = parseResponseHead(result.head);
      if (isHeadFailure(head)) {
        this.#fail(new InvalidUpgrade(head.reason));
        return;
      }
      rest = result.rest;
      if (!isInterimResponse(head)) {
        this.#onAnswer(head, rest);
        return;
      }
    }
  }

  onEof(): void {
    if (this.#refusal !== null) this.#refuse();
    else this.#fail(endedEarly(this.#phase, this.#url.href));
  }

  onError(error: SystemError): void {
    if (this.#refusal !== null) this.#refuse();
    else this.#fail(openError(error, this.#phase, this.#url.href));
  }

  onDrain(): void {
    // The request is the only thing to send, and it is small.
  }

  onClosed(): void {
    this.#fail(endedEarly(this.#phase, this.#url.href));
  }

  /** The answer may be in the kernel already, if it was our own process that was late. */
  onAlarm(): void {
    this.#runtime.clock.afterPoll(() => {
      if (this.#refusal !== null) {
        this.#refuse();
        return;
      }
      const message = `Expected ${this.#url.href} to be open within ${this.#settings.openTimeout} ms, still waiting for ${PHASES[this.#phase]}`;
      this.#fail(new OpenTimeout(message, this.#phase));
    });
  }

  readonly #onAbort = (): void => this.#fail(this.#settings.signal?.reason);

  #sendRequest(): void {
    this.#phase = "upgrade";
    if (this.#transport !== null) this.#options.observer?.onConnected(this.#transport);
    this.#transport?.write([this.#options.upgrade.bytes]);
  }

  #onAnswer(head: ResponseHead, rest: Uint8Array): void {
    const answer = checkServerAnswer(head, this.#options.upgrade.expected);
    switch (answer.outcome) {
      case "accepted": {
        this.#onAccepted(head, rest, answer.extensions);
        return;
      }
      case "failed": {
        this.#fail(answer.error);
        return;
      }
      case "refused-status":
        this.#refusal = { head, body: new RefusalBody(head.headers) };
        if (this.#refusal.body.push(rest)) this.#refuse();
    }
  }

  #onAccepted(head: ResponseHead, rest: Uint8Array, extensions: string | null): void {
    const { compression } = this.#settings.connection;
    const deflate = compression === null ? null : readDeflateAnswer(extensions, compression);
    if (deflate instanceof NegotiationError) this.#fail(deflate);
    else this.#succeed({ head, rest, deflate });
  }

  #succeed(upgraded: Omit<Upgraded, "transport">): void {
    if (this.#isSettled || this.#transport === null) return;
    this.#settle();
    this.#take({ ...upgraded, transport: this.#transport });
  }

  #refuse(): void {
    if (this.#refusal === null) return;
    const { head, body } = this.#refusal;
    const retryAfter = parseRetryAfter(head.headers.get("Retry-After"), this.#runtime.clock.wallNow());
    const message = `Expected ${this.#url.href} to answer 101 (Switching Protocols), got ${head.status} ${escapeControls(head.reason)}`;
    const headers = head.headers.toHeaders();
    this.#fail(
      new InvalidStatus(message.trimEnd(), { status: head.status, headers, body: body.take(), retryAfter }),
    );
  }

  #fail(error: unknown): void {
    if (this.#isSettled) return;
    this.#settle();
    this.#transport?.destroy();
    this.#reject(error);
  }

  #settle(): void {
    this.#isSettled = true;
    this.#runtime.timers.cancel(this.#alarm);
    this.#settings.signal?.removeEventListener("abort", this.#onAbort);
  }
}

/** @throws InvalidArgument where Node refuses the TLS options, which it does before any I/O */
function openSocket(url: WebSocketURL, tls: TlsOptions | undefined): Socket {
  const { hostname: host, port, isSecure } = url;
  const target = { host, port, noDelay: true, allowHalfOpen: true };
  if (!isSecure) return connectTcp(target);
  const servername = isIP(host) === 0 ? { servername: host } : {}; // RFC 6066 section 3: no addresses
  try {
    return connectTls({ ALPNProtocols: ["http/1.1"], ...servername, ...tls, ...target });
  } catch (cause) {
    throw new InvalidArgument(
      `Expected \`tls\` to be options of tls.connect, got an error: ${String(cause)}`,
      {
        cause,
      },
    );
  }
}

const PHASES: Readonly<Record<OpenPhase, string>> = {
  dns: "the name lookup",
  connect: "the TCP connection",
  proxy: "the proxy",
  tls: "the TLS handshake",
  upgrade: "the answer to the upgrade",
};
