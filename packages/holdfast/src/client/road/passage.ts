// What an attempt is busy with while it makes its way to the server: its phase, the streams that were made so far,
// and what an error means at this point.

import type { Duplex } from "node:stream";
import {
  OpenTimeout,
  ProxyError,
  type HandshakeError,
  type ProxyAnswer,
  type OpenPhase,
} from "../../protocol/errors.js";
import { endedEarly, openError, type SystemError } from "../open-failure.js";
import type { Proxy } from "../proxy/proxy.js";

/** A request whose answer is awaited. */
export interface PendingExchange {
  /** Waits no longer for the body of a refusal: tells what came of it. Returns whether there is a refusal. */
  finishBody(): boolean;
}

export class Passage {
  /** The URL, for messages. */
  readonly where: string;
  /** The request that waits for its answer, of the proxy or of the server. */
  exchange: PendingExchange | null = null;
  #phase: OpenPhase = "connect";
  /** The proxy, while it is what we talk to. */
  #proxy: Proxy | null = null;
  readonly #streams: Duplex[] = [];
  #cancel: (() => void) | null = null;
  #isOver = false;

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
  carry<Stream extends Duplex>(stream: Stream): Stream {
    // An error between two listeners is told by the next step, which finds the stream destroyed.
    stream.on("error", ignore);
    this.#streams.push(stream);
    if (this.#isOver) stream.destroy();
    return stream;
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
    // The newest first: TLS before the stream under it.
    for (const stream of this.#streams.reverse()) stream.destroy();
    this.#streams.length = 0;
  }

  /** The stream made last is the connection's from here on. */
  handOver(): void {
    this.#cancel = null;
    this.#streams.pop()?.off("error", ignore);
    this.#streams.length = 0;
  }

  /**
   * Resolves when the stream emits `event`.
   *
   * @throws HandshakeError where it fails or ends before
   */
  arrival(stream: Duplex, event: "connect" | "secureConnect"): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        stream.off(event, onEvent).off("error", onError).off("close", onClose);
        act();
      };
      const onEvent = () => settle(resolve);
      const onError = (error: SystemError) => settle(() => reject(this.failure(error)));
      const onClose = () => settle(() => reject(this.endedEarly()));
      stream.on(event, onEvent).on("error", onError).on("close", onClose);
      // It may have gone in the same turn in which the step before was done.
      if (stream.destroyed) queueMicrotask(onClose);
    });
  }

  /** What an error of the system means at this point. */
  failure(error: SystemError): HandshakeError {
    const proxy = this.#proxy;
    if (proxy === null) return openError(error, this.#phase, this.where);
    return this.proxyFailure(openError(error, this.#phase, `the proxy ${proxy.href}`).message, {
      cause: error,
    });
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
  timedOut(openTimeout: number | null): OpenTimeout {
    const whose = this.#proxy === null || this.#phase === "proxy" ? "" : " of the proxy";
    const proxy = this.#proxy === null ? "" : ` ${this.#proxy.href}`;
    return new OpenTimeout(
      `Expected ${this.where} to be open within ${openTimeout} ms, still waiting for ${PHASES[this.#phase]}${whose}${proxy}`,
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
