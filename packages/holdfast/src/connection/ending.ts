// The end of a connection: which cause it is put down to when several things happen on the way, the deadline that
// bounds it, and the error that tells of it. There is none until something ends the connection.

import { closeInfo, type CloseCause, type CloseEvidence, type CloseInfo } from "./close-info.js";
import { connectionClosed, type ConnectionClosed } from "./errors.js";
import type { Runtime } from "./runtime.js";
import { Deadline } from "./timer-queue.js";
import type { MessageTransport } from "./message-transport.js";

/** What an ending needs of its connection. */
export interface EndingHandler {
  /** What the end is put down to from now on. */
  onCause(cause: CloseCause, error: Error | null): void;
  /** All that is known by now. */
  evidence(): CloseEvidence;
  /** Ends it now. */
  terminate(cause: CloseCause, error: Error | null): void;
}

/** Beginnings of a normal end, which may still go wrong. */
const NORMAL: ReadonlySet<CloseCause> = new Set<CloseCause>([
  "local-close",
  "peer-close",
  "server-shutdown",
  "handler-failed",
]);

export class Ending extends Deadline {
  readonly #runtime: Runtime;
  readonly #wire: MessageTransport;
  readonly #host: EndingHandler;
  #cause: CloseCause | null = null;
  #error: Error | null = null;
  #info: CloseInfo | null = null;
  #closedError: ConnectionClosed | null = null;

  constructor(runtime: Runtime, wire: MessageTransport, host: EndingHandler) {
    super();
    this.#runtime = runtime;
    this.#wire = wire;
    this.#host = host;
  }

  /** Both Close frames were exchanged. */
  get isComplete(): boolean {
    return this.#wire.closeSent !== null && this.#wire.closeReceived !== null;
  }

  /** We failed the connection, or gave it up: a polite end is not waited for any more. */
  get hasFailed(): boolean {
    return this.#cause !== null && !NORMAL.has(this.#cause);
  }

  /**
   * Something ends the connection. The first cause stands, unless a normal closing is cut short before both Close
   * frames were exchanged: then it is what cut it short.
   */
  note(cause: CloseCause, error: Error | null): void {
    if (this.#cause !== null && (this.hasFailed || NORMAL.has(cause) || this.isComplete)) return;
    this.#put(cause, error);
  }

  /** Something ends the connection at once: it is the cause, unless the connection was at its end already. */
  cut(cause: CloseCause, error: Error | null): void {
    if (this.hasFailed || (this.#cause !== null && this.isComplete)) return;
    this.#put(cause, error);
  }

  /** One deadline bounds all of the closing, whatever the buffers hold and whatever the peer does. */
  begin(closeTimeout: number | null): void {
    if (closeTimeout !== null) this.#runtime.timers.set(this, this.#runtime.clock.now() + closeTimeout);
  }

  /** What the kernel holds by now still counts. */
  onAlarm(): void {
    this.#runtime.clock.afterPoll(() => this.#host.terminate("close-timeout", null));
  }

  /** Whether it is settled how the connection ended: what happens later changes nothing. */
  get isSettled(): boolean {
    return this.#info !== null;
  }

  settle(): CloseInfo {
    return (this.#info ??= this.#judgedElsewhere() ?? this.#judge());
  }

  /**
   * The error that tells of the end, one for all who ask. Most connections end without anybody who does, and its stack
   * trace would be the dearest part of the end.
   */
  get closedError(): ConnectionClosed {
    return (this.#closedError ??= connectionClosed(this.settle()));
  }

  /** The connection is gone. */
  finish(): CloseInfo {
    this.#runtime.timers.cancel(this);
    return this.settle();
  }

  #judge(): CloseInfo {
    const wire = this.#wire;
    return closeInfo({
      cause: this.#cause ?? "eof", // A stream that just ended, ended.
      error: this.#error,
      received: wire.closeReceived,
      sent: wire.closeSent,
      receivedFirst: wire.receivedFirst,
      evidence: this.#host.evidence(),
    });
  }

  /** An error of this side is known here alone. */
  #judgedElsewhere(): CloseInfo | null {
    const outcome = this.#wire.outcome ?? null;
    if (outcome === null || this.#error === null || outcome.cause !== this.#cause) return outcome;
    return Object.freeze({ ...outcome, error: this.#error });
  }

  #put(cause: CloseCause, error: Error | null): void {
    this.#cause = cause;
    this.#error = error;
    this.#host.onCause(cause, error);
  }
}
