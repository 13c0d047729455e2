// The ending of a connection: picks one cause when several things happen, bounds the closing handshake, and makes the
// CloseInfo and the error. Created when something begins to end the connection.

import { closeInfo, type CloseCause, type CloseInfo } from "./close-info.js";
import { connectionClosed, type ConnectionClosed } from "./errors.js";
import type { Runtime } from "./runtime.js";
import { Deadline } from "./timer-queue.js";
import type { MessageTransport } from "./message-transport.js";
import type { ConnectionCore } from "./connection-core.js";

/** Causes of a normal closing, which may still fail. */
const NORMAL: ReadonlySet<CloseCause> = new Set<CloseCause>([
  "local-close",
  "peer-close",
  "server-shutdown",
  "handler-failed",
]);

export class Ending extends Deadline {
  readonly #runtime: Runtime;
  readonly #transport: MessageTransport;
  readonly #handler: ConnectionCore;
  #cause: CloseCause | null = null;
  #error: Error | null = null;
  #info: CloseInfo | null = null;
  #closedError: ConnectionClosed | null = null;

  constructor(runtime: Runtime, transport: MessageTransport, handler: ConnectionCore) {
    super();
    this.#runtime = runtime;
    this.#transport = transport;
    this.#handler = handler;
  }

  /** Both Close frames were exchanged. */
  get isComplete(): boolean {
    return this.#transport.closeSent !== null && this.#transport.closeReceived !== null;
  }

  /** The connection failed or was abandoned: no closing handshake is expected any more. */
  get hasFailed(): boolean {
    return this.#cause !== null && !NORMAL.has(this.#cause);
  }

  /**
   * Records a cause. The first one stands, unless it began a normal closing and this one interrupts it before both Close
   * frames were exchanged.
   */
  note(cause: CloseCause, error: Error | null): void {
    if (this.#cause !== null && (this.hasFailed || NORMAL.has(cause) || this.isComplete)) return;
    this.#put(cause, error);
  }

  /** Records a cause that ends the connection at once. It replaces any other, unless the closing had failed or was complete. */
  cut(cause: CloseCause, error: Error | null): void {
    if (this.hasFailed || (this.#cause !== null && this.isComplete)) return;
    this.#put(cause, error);
  }

  /** Starts the deadline of the whole closing, whatever the buffers hold and whatever the peer does. */
  begin(closeTimeout: number | null): void {
    if (closeTimeout !== null) this.#runtime.timers.set(this, this.#runtime.clock.now() + closeTimeout);
  }

  /** Reads first what the kernel already holds. */
  onAlarm(): void {
    this.#runtime.clock.afterPoll(() => this.#handler.terminate("close-timeout", null));
  }

  /** Whether the outcome is fixed: later events change nothing. */
  get isSettled(): boolean {
    return this.#info !== null;
  }

  settle(): CloseInfo {
    return (this.#info ??= this.#judgedElsewhere() ?? this.#judge());
  }

  /**
   * The error that reports the end; every caller gets the same one. Created on demand: most ends are never asked for an
   * error, and capturing its stack costs more than the rest of the end.
   */
  get closedError(): ConnectionClosed {
    return (this.#closedError ??= connectionClosed(this.settle()));
  }

  /** The connection has ended. */
  finish(): CloseInfo {
    this.#runtime.timers.cancel(this);
    return this.settle();
  }

  #judge(): CloseInfo {
    const transport = this.#transport;
    return closeInfo({
      cause: this.#cause ?? "eof", // The stream ended without any cause.
      error: this.#error,
      received: transport.closeReceived,
      sent: transport.closeSent,
      receivedFirst: transport.receivedFirst,
      evidence: this.#handler.evidence(),
    });
  }

  /** The outcome that another thread decided; null if this thread decides. An error of this side is known only here. */
  #judgedElsewhere(): CloseInfo | null {
    const outcome = this.#transport.outcome ?? null;
    if (outcome === null || this.#error === null || outcome.cause !== this.#cause) return outcome;
    return Object.freeze({ ...outcome, error: this.#error });
  }

  #put(cause: CloseCause, error: Error | null): void {
    this.#cause = cause;
    this.#error = error;
    this.#handler.onCause(cause, error);
  }
}
