// What an attempt is busy with while it makes its way to the server: its phase, the streams that were made so far,
// and what an error means at this point.

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

/** A request whose answer is awaited. */
export interface PendingExchange {
  /** Waits no longer for the body of a refusal: tells what came of it. Returns whether there is a refusal. */
  finishBody(): boolean;
}

/** The attempts to connect to the addresses of a host. */
interface Race {
  stop(): void;
  describe(): string;
}

export class DialContext {
  /** The URL, for messages. */
  readonly where: string;
  /** The request that waits for its answer, of the proxy or of the server. */
  exchange: PendingExchange | null = null;
  #phase: OpenPhase = "connect";
  /** The proxy, while it is what we talk to. */
  #proxy: Proxy | null = null;
  readonly #streams: Duplex[] = [];
  #cancel: (() => void) | null = null;
  #race: Race | null = null;
  /** The failure of a function of the application that Node called within the TLS handshake. */
  #tlsFailure: HandshakeError | null = null;
  #isOver = false;
  /** Ends the wait of `untilAbandoned`. */
  #onAbandoned: (() => void) | null = null;

  constructor(where: string) {
    this.where = where;
  }

  /** Now the attempt waits for this. */
  enter(phase: OpenPhase): void {
    this.#phase = phase;
  }

  /** Until `leaveProxy`, what happens is the proxy's doing. */
  enterProxy(proxy: Proxy): void {
    this.#proxy = proxy;
  }

  leaveProxy(): void {
    this.#proxy = null;
  }

  /** Takes care of a stream: it is destroyed when the attempt fails, at once where that was meanwhile. */
  track<Stream extends Duplex>(stream: Stream): Stream {
    // An error between two listeners is told by the next step, which finds the stream destroyed.
    stream.on("error", ignore);
    this.#streams.push(stream);
    if (this.#isOver) stream.destroy();
    return stream;
  }

  /** Destroys a stream that is of no use any more. */
  discard(stream: Duplex): void {
    const index = this.#streams.indexOf(stream);
    if (index >= 0) this.#streams.splice(index, 1);
    stream.destroy();
  }

  /** Stops the race when the attempt fails; null once it is over. */
  follow(race: Race | null): void {
    this.#race = race;
    if (this.#isOver) race?.stop();
  }

  /**
   * Does the work, and settles as it does; or rejects as soon as the attempt fails, as a function of the application
   * that the work waits for may hang.
   */
  untilAbandoned<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#isOver) return Promise.reject(this.endedEarly());
    return new Promise((resolve, reject) => {
      this.#onAbandoned = () => reject(this.endedEarly());
      work().then(resolve, reject);
    });
  }

  /** What else ends work under way when the attempt fails. One at a time; null for nothing. */
  onCancel(cancel: (() => void) | null): void {
    this.#cancel = cancel;
    if (this.#isOver) cancel?.();
  }

  /** Destroys everything. Idempotent. */
  abandon(): void {
    this.#isOver = true;
    this.#cancel?.();
    this.#cancel = null;
    this.#race?.stop();
    this.#race = null;
    this.#onAbandoned?.();
    this.#onAbandoned = null;
    // The newest first: TLS before the stream under it.
    for (const stream of this.#streams.reverse()) stream.destroy();
    this.#streams.length = 0;
  }

  /** The stream made last is the connection's from here on. */
  release(): void {
    this.#cancel = null;
    this.#streams.pop()?.off("error", ignore);
    this.#streams.length = 0;
  }

  /**
   * Resolves when the stream emits `event`.
   *
   * @throws HandshakeError where it fails or ends before
   */
  waitFor(stream: Duplex, event: "connect" | "secureConnect"): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        stream.off(event, onEvent).off("error", onError).off("close", onClose);
        act();
      };
      const fail = (error: unknown) => settle(() => reject(this.failure(this.#tlsFailure ?? error)));
      const onEvent = () => {
        // Without `rejectUnauthorized` Node goes on, whatever the check of the identity says.
        if (this.#tlsFailure === null) settle(resolve);
        else fail(null);
      };
      const onError = (error: unknown) => fail(error);
      const onClose = () => fail(this.endedEarly());
      stream.on(event, onEvent).on("error", onError).on("close", onClose);
      // It may have gone in the same turn in which the step before was done.
      if (stream.destroyed) queueMicrotask(onClose);
    });
  }

  /** Fails the TLS handshake that is under way. Returns the error, which Node may be given as well. */
  failTls(detail: string, cause?: unknown): HandshakeError {
    return (this.#tlsFailure ??= tlsError(this.where, detail, cause));
  }

  /** What an error, of the system or of a function of the application, means at this point. */
  failure(error: unknown): HoldfastError {
    const proxy = this.#proxy;
    if (error instanceof HoldfastError && (proxy === null || !(error instanceof HandshakeError)))
      return error;
    if (proxy === null) return openError(errorOf(error), this.#phase, this.where);
    if (error instanceof ProxyError) return error;
    const { message } =
      error instanceof HandshakeError
        ? error
        : openError(errorOf(error), this.#phase, `the proxy ${proxy.href}`);
    return this.proxyFailure(message, { cause: error });
  }

  /** The other side ended the stream. */
  endedEarly(): HandshakeError {
    const proxy = this.#proxy;
    if (proxy === null) return endedEarly(this.#phase, this.where);
    return this.proxyFailure(`The proxy ${proxy.href} ended the connection without an answer`);
  }

  /** @param message a sentence that names the proxy */
  proxyFailure(message: string, details: { cause?: unknown; answer?: ProxyAnswer } = {}): ProxyError {
    return new ProxyError(`${message} (on the way to ${this.where})`, details);
  }

  /** `openTimeout` is over. */
  timedOut(openTimeout: number | null): OpenTimeoutError {
    const whose = this.#proxy === null || this.#phase === "proxy" ? "" : " of the proxy";
    const proxy = this.#proxy === null ? "" : ` ${this.#proxy.href}`;
    const progress = this.#race?.describe() ?? "";
    return new OpenTimeoutError(
      `Expected ${this.where} to be open within ${openTimeout} ms, still waiting for ${PHASES[this.#phase]}${whose}${proxy}${progress === "" ? "" : ` (${progress})`}`,
      this.#phase,
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

/** Shared by all streams: a closure each would outlive the attempt. */
function ignore(): void {
  // What an error means is told by who waits for the stream.
}
