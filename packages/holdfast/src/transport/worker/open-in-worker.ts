// Opens a connection in a worker, and returns its facade on this thread.

import { addCaller } from "../../connection/caller-stack.js";
import type { Connection } from "../../connection/connection.js";
import type { ConnectionSettings } from "../../connection/options.js";
import type { Runtime } from "../../connection/runtime.js";
import { Alarm } from "../../connection/timer-queue.js";
import { unwatchAbort, watchAbort } from "../../shared/abort-watch.js";
import { OpenTimeoutError } from "../../shared/errors.js";
import { rebuildError } from "./error-copy.js";
import { Mailbox } from "./mailbox.js";
import type { PortTransport } from "./port-transport.js";
import { ASSIGNMENT, type Assignment, type WorkerEvent, type Opened, type WorkerCommand } from "./signals.js";
import type { OpenedInWorker } from "./worker-connection.js";
import { WorkerError } from "./worker-error.js";
import type { WorkerHost } from "./worker-host.js";

/**
 * Milliseconds beyond `openTimeout` in which the worker may report the timeout itself: it knows which phase
 * took so long.
 */
const GRACE = 500;

/** Milliseconds to wait, after the port closes, for the worker's own report, which is more detailed. */
const REPORT_TIME = 1000;

/** Makes the connection once the worker has opened it. */
export type ConnectionStarter = (opened: OpenedInWorker) => Connection;

export interface OpenInWorker {
  /** Clock and timers of opening. */
  readonly runtime: Runtime;
  readonly host: WorkerHost;
  readonly url: string;
  /** Plain data. */
  readonly options: object;
  readonly settings: ConnectionSettings;
  readonly openTimeout: number | null;
  readonly signal: AbortSignal | null;
  /** A promise while its code loads. It has to reject after `openTimeout`, and when the signal aborts. */
  readonly start: ConnectionStarter | Promise<ConnectionStarter>;
}

export async function openInWorker(call: OpenInWorker): Promise<Connection> {
  call.signal?.throwIfAborted();
  try {
    return await new Promise((resolve, reject) => new Opening(call, resolve, reject));
  } catch (error) {
    throw addCaller(error);
  }
}

class Opening {
  readonly #call: OpenInWorker;
  readonly #resolve: (connection: Connection) => void;
  readonly #reject: (error: unknown) => void;
  readonly #mailbox: Mailbox<WorkerCommand, WorkerEvent>;
  readonly #release: () => void;
  readonly #alarm = new Alarm({ onAlarm: () => (this.#isGone ? this.#onUnexplained() : this.#onTimeout()) });
  #isGone = false;
  #hasFailed = false;
  #transport: PortTransport | null = null;
  /** Events that arrived before the caller could add listeners; null before the worker has opened, and later. */
  #heldEvents: WorkerEvent[] | null = null;

  constructor(
    call: OpenInWorker,
    resolve: (connection: Connection) => void,
    reject: (error: unknown) => void,
  ) {
    this.#call = call;
    this.#resolve = resolve;
    this.#reject = reject;
    const { runtime, host, url, options, openTimeout, signal } = call;
    const { port1, port2 } = new MessageChannel();
    this.#mailbox = new Mailbox(
      port1,
      runtime.clock,
      (items) => this.#onEvents(items),
      () => this.#onGone(),
    );
    const deadline = openTimeout === null ? null : runtime.clock.wallNow() + openTimeout;
    const assignment: Assignment = { type: ASSIGNMENT, url, options, deadline };
    try {
      this.#release = host.acquire(assignment, port2, (error) => this.#onFailed(error));
    } catch (error) {
      // An open port keeps the process alive.
      this.#mailbox.close();
      throw error;
    }
    if (openTimeout !== null) runtime.timers.set(this.#alarm, runtime.clock.now() + openTimeout + GRACE);
    watchAbort(signal, this.#onAbort);
  }

  #onEvents(items: readonly WorkerEvent[]): void {
    const [first, ...rest] = items;
    if (this.#heldEvents !== null) this.#heldEvents.push(...items);
    else if (this.#transport !== null) this.#transport.onEvents(items);
    else if (first.type === "failed") this.#fail(this.#withWholeTime(rebuildError(first.error)));
    else if (first.type === "opened") this.#onOpened(first.opened, rest);
  }

  /** The worker knows only the part of `openTimeout` that was left when it had started. */
  #withWholeTime(error: Error): Error {
    if (!(error instanceof OpenTimeoutError)) return error;
    const correct = (text: string) => text.replace(/within [\d.]+ ms/, `within ${this.#call.openTimeout} ms`);
    error.message = correct(error.message);
    error.stack = correct(error.stack ?? "");
    return error;
  }

  #onOpened(opened: Opened, rest: readonly WorkerEvent[]): void {
    const { runtime, start } = this.#call;
    this.#heldEvents = [...rest];
    runtime.timers.cancel(this.#alarm);
    if (start instanceof Promise) void this.#openWith(start, opened);
    else this.#open(start, opened);
  }

  async #openWith(loading: Promise<ConnectionStarter>, opened: Opened): Promise<void> {
    try {
      const start = await loading;
      if (!this.#hasFailed) this.#open(start, opened);
    } catch (error) {
      if (!this.#hasFailed) this.#abort(error);
    }
  }

  #open(start: ConnectionStarter, opened: Opened): void {
    const { runtime, settings, signal } = this.#call;
    unwatchAbort(signal, this.#onAbort);
    const connection = start({
      opened,
      settings,
      mailbox: this.#mailbox,
      onTransport: (transport) => (this.#transport = transport),
      onEnded: this.#release,
    });
    this.#resolve(connection);
    // Deliver them once the caller has the connection and can add listeners.
    runtime.clock.afterPoll(() => this.#deliverHeldEvents());
  }

  #deliverHeldEvents(): void {
    const events = this.#heldEvents;
    this.#heldEvents = null;
    if (events !== null && events.length > 0) this.#transport?.onEvents(events);
  }

  #onTimeout(): void {
    const message = `The worker did not open the connection within ${this.#call.openTimeout} ms (openTimeout): it may not have started, or its script does not import \`holdfast/worker\`.`;
    this.#fail(new OpenTimeoutError(message, "connect"));
  }

  readonly #onAbort = (): void => this.#abort(this.#call.signal?.reason);

  #abort(error: unknown): void {
    this.#mailbox.post({ type: "abort" });
    this.#fail(error);
  }

  #onGone(): void {
    const { clock, timers } = this.#call.runtime;
    this.#isGone = true;
    timers.cancel(this.#alarm);
    timers.set(this.#alarm, clock.now() + REPORT_TIME);
  }

  #onUnexplained(): void {
    this.#onFailed(new WorkerError("The worker of the connection has ended."));
  }

  #onFailed(error: Error): void {
    this.#call.runtime.timers.cancel(this.#alarm);
    this.#deliverHeldEvents();
    if (this.#transport === null) this.#fail(error);
    else this.#transport.onGone(error);
  }

  #fail(error: unknown): void {
    this.#hasFailed = true;
    this.#call.runtime.timers.cancel(this.#alarm);
    unwatchAbort(this.#call.signal, this.#onAbort);
    this.#mailbox.close();
    this.#release();
    this.#reject(error);
  }
}
