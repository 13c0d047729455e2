// State of one attempt to dial: its phase, its streams and its cancel functions. It destroys them when the attempt
// fails, and converts errors to those of the current phase.

import type { Duplex } from "node:stream";
import {
  HandshakeError,
  HoldfastError,
  OpenTimeoutError,
  ProxyError,
  type ProxyAnswer,
  type OpenPhase,
} from "../../shared/errors.js";
import { endedEarly, openError, tlsError } from "../open-failure.js";
import type { Proxy } from "../proxy/proxy.js";
import { errorOf } from "../../shared/thrown.js";
import { withoutFullStop } from "../../shared/full-stop.js";

/** A request without a complete response. */
export interface PendingExchange {
  /** Reports a rejection with the part of its body received so far. Returns false if there was no rejection. */
  finishBody(): boolean;
}

/** Parallel attempts to connect to the addresses of one host. */
interface Race {
  stop(): void;
  describe(): string;
}

export class DialContext {
  /** The URL, for error messages. */
  readonly where: string;
  /** The request in progress, to the proxy or to the server. */
  exchange: PendingExchange | null = null;
  #phase: OpenPhase = "connect";
  /** Whether a TLS handshake is in progress: with the server, or with the proxy. */
  #isInTls = false;
  /** The proxy while the attempt is talking to it, otherwise null. */
  #proxy: Proxy | null = null;
  readonly #streams: Duplex[] = [];
  #cancel: (() => void) | null = null;
  #race: Race | null = null;
  /** The error of an application callback that Node called during the TLS handshake. */
  #tlsFailure: HandshakeError | null = null;
  #isAborted = false;
  /** Rejects the promise of `untilAborted()`. */
  #onAborted: (() => void) | null = null;

  constructor(where: string) {
    this.where = where;
  }

  /** Sets the phase that errors and timeouts report from now on. */
  enter(phase: OpenPhase, isInTls = phase === "tls"): void {
    this.#phase = phase;
    this.#isInTls = isInTls;
  }

  /** Attributes errors to this proxy from now on; null attributes them to the server. */
  setProxy(proxy: Proxy | null): void {
    this.#proxy = proxy;
  }

  /** Destroys the stream when the attempt fails; immediately if it has failed already. */
  track<Stream extends Duplex>(stream: Stream): Stream {
    // The next step finds the stream destroyed and reports errors that no other listener sees.
    stream.on("error", destroy);
    this.#streams.push(stream);
    if (this.#isAborted) stream.destroy();
    return stream;
  }

  /** Destroys a stream that is no longer needed. */
  discard(stream: Duplex): void {
    const index = this.#streams.indexOf(stream);
    if (index >= 0) this.#streams.splice(index, 1);
    stream.destroy();
  }

  /** Stops this race when the attempt fails; null when there is none. */
  setRace(race: Race | null): void {
    this.#race = race;
    if (this.#isAborted) race?.stop();
  }

  /**
   * Runs `work` and settles as it does, but rejects as soon as the attempt fails: `work` may be waiting for an
   * application callback that hangs.
   */
  untilAborted<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#isAborted) return Promise.reject(this.endedEarly());
    return new Promise((resolve, reject) => {
      this.#onAborted = () => reject(this.endedEarly());
      work().then(resolve, reject);
    });
  }

  /** Calls `cancel` when the attempt fails, in place of the previous function; null calls none. */
  onCancel(cancel: (() => void) | null): void {
    this.#cancel = cancel;
    if (this.#isAborted) cancel?.();
  }

  /** Cancels all work and destroys all streams. Idempotent. */
  abort(): void {
    this.#isAborted = true;
    this.#cancel?.();
    this.#cancel = null;
    this.#race?.stop();
    this.#race = null;
    this.#onAborted?.();
    this.#onAborted = null;
    // Newest first: TLS before the stream below it.
    for (const stream of this.#streams.reverse()) stream.destroy();
    this.#streams.length = 0;
  }

  /** Hands the newest stream over to the connection: aborting no longer destroys it. */
  release(): void {
    this.#cancel = null;
    this.#streams.pop()?.off("error", destroy);
    this.#streams.length = 0;
  }

  /**
   * Resolves when the stream emits `event`.
   *
   * @throws HandshakeError if the stream fails or closes first
   */
  waitFor(stream: Duplex, event: "connect" | "secureConnect"): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        stream.off(event, onEvent).off("error", onError).off("close", onClose);
        act();
      };
      const fail = (error: unknown) => settle(() => reject(this.failure(this.#tlsFailure ?? error)));
      const onEvent = () => {
        // With `rejectUnauthorized: false`, Node ignores the result of `checkServerIdentity`.
        if (this.#tlsFailure === null) settle(resolve);
        else fail(null);
      };
      const onError = (error: unknown) => fail(error);
      const onClose = () => fail(this.endOf(stream));
      stream.on(event, onEvent).on("error", onError).on("close", onClose);
      // The stream may have closed in the tick that completed the previous step.
      if (stream.destroyed) queueMicrotask(onClose);
    });
  }

  /** Records the error that fails the current TLS handshake. Returns it, so that callbacks can pass it to Node. */
  failTls(detail: string, cause?: unknown): HandshakeError {
    return (this.#tlsFailure ??= tlsError(this.where, detail, cause));
  }

  /** Converts an error of the system or of an application callback to the error of the current phase. */
  failure(thrown: unknown): HoldfastError {
    const error = errorOf(thrown);
    const proxy = this.#proxy;
    if (error instanceof HoldfastError && (proxy === null || !(error instanceof HandshakeError)))
      return error;
    const phase = this.#isInTls ? "tls" : this.#phase;
    if (proxy === null) return openError(error, phase, this.where);
    if (error instanceof ProxyError) return error;
    const { message } =
      error instanceof HandshakeError ? error : openError(error, phase, `the proxy ${proxy.href}`);
    return this.proxyFailure(message, { cause: error });
  }

  /** The error for a stream that is destroyed or has ended. */
  endOf({ errored }: Duplex): HoldfastError {
    // Streams of other libraries have no `errored`.
    return this.failure(errored ?? this.endedEarly());
  }

  /**
   * The error for a stream that the peer closed.
   *
   * @param hasAnswered whether a part of an answer had arrived
   */
  endedEarly(hasAnswered = false): HandshakeError {
    const proxy = this.#proxy;
    if (proxy === null) return endedEarly(this.#phase, this.where, undefined, hasAnswered);
    const answer = hasAnswered ? "with an incomplete answer" : "without an answer";
    return this.proxyFailure(`The proxy ${proxy.href} ended the connection ${answer}.`);
  }

  /**
   * @param message a sentence that names the proxy
   * @param advice a second sentence
   */
  proxyFailure(
    message: string,
    details: { cause?: unknown; answer?: ProxyAnswer; needsCredentials?: boolean } = {},
    advice?: string,
  ): ProxyError {
    const sentence = `${withoutFullStop(message)} (on the way to ${this.where}).`;
    return new ProxyError(advice === undefined ? sentence : `${sentence} ${advice}`, details);
  }

  /**
   * The error for an expired `openTimeout`.
   *
   * @param lateness milliseconds by which this process noticed it late
   */
  timedOut(openTimeout: number | null, lateness = 0): OpenTimeoutError {
    const whose = this.#proxy === null || this.#phase === "proxy" ? "" : " of the proxy";
    const proxy = this.#proxy === null ? "" : ` ${this.#proxy.href}`;
    const progress = this.#race?.describe() ?? "";
    const own =
      lateness < MUCH_LATE
        ? ""
        : `; this process itself was busy, or suspended, for ${Math.round(lateness)} ms at the end of that time`;
    return new OpenTimeoutError(
      `Expected ${this.where} to be open within ${openTimeout} ms, still waiting for ${PHASES[this.#phase]}${whose}${proxy}${progress === "" ? "" : ` (${progress})`}${own}.`,
      this.#phase,
    );
  }
}

/** Some streams stay open after an error. */
function destroy(this: Duplex): void {
  this.destroy();
}

/** Milliseconds. A shorter delay of this process does not explain a timeout. */
const MUCH_LATE = 200;

const PHASES: Readonly<Record<OpenPhase, string>> = {
  dns: "the name lookup",
  connect: "the TCP connection",
  proxy: "the proxy",
  tls: "the TLS handshake",
  upgrade: "the answer to the upgrade",
};
