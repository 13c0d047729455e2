// Opens a connection in a worker, and returns its facade on this thread.

import { createConnection, type Connection } from "../../connection/connection.js";
import { coreOf } from "../../connection/core-of.js";
import type { ConnectionEndObserver } from "../../connection/connection-core.js";
import type { HandshakeRecord } from "../../connection/handshake-record.js";
import type { ConnectionSettings } from "../../connection/options.js";
import type { Runtime } from "../../connection/runtime.js";
import { Alarm } from "../../connection/timer-queue.js";
import { unwatchAbort, watchAbort } from "../../shared/abort-watch.js";
import { OpenTimeoutError } from "../../shared/errors.js";
import { rebuildError } from "./error-copy.js";
import { Mailbox } from "./mailbox.js";
import { PortTransport } from "./port-transport.js";
import { WorkerKeepalive } from "./worker-keepalive.js";
import {
  ASSIGNMENT,
  type Assignment,
  type HandshakeCopy,
  type WorkerEvent,
  type Opened,
  type WorkerCommand,
} from "./signals.js";
import { WorkerError } from "./worker-error.js";
import type { WorkerHost } from "./worker-host.js";

/**
 * Milliseconds beyond `openTimeout` in which the worker may report the timeout itself: it knows which phase
 * took so long.
 */
const GRACE = 500;

/** Milliseconds to wait, after the port closes, for the worker's own report, which is more detailed. */
const REPORT_TIME = 1000;

export interface OpenInWorker {
  readonly runtime: Runtime;
  readonly host: WorkerHost;
  readonly url: string;
  /** Plain data. */
  readonly options: object;
  readonly settings: ConnectionSettings;
  readonly openTimeout: number | null;
  readonly signal: AbortSignal | null;
  readonly owner: ConnectionEndObserver | null;
}

export function openInWorker(call: OpenInWorker): Promise<Connection> {
  return new Promise((resolve, reject) => {
    call.signal?.throwIfAborted();
    new Opening(call, resolve, reject);
  });
}

class Opening {
  readonly #call: OpenInWorker;
  readonly #resolve: (connection: Connection) => void;
  readonly #reject: (error: unknown) => void;
  readonly #mailbox: Mailbox<WorkerCommand, WorkerEvent>;
  readonly #release: () => void;
  readonly #alarm = new Alarm({ onAlarm: () => (this.#isGone ? this.#onUnexplained() : this.#onTimeout()) });
  #isGone = false;
  #wire: PortTransport | null = null;
  #keepalive: WorkerKeepalive | null = null;
  /**
   * Events that arrived before the caller could add listeners; null before the connection opens, and later.
   */
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
    else if (this.#wire !== null) this.#wire.onEvents(items);
    else if (first.type === "failed") this.#fail(this.#withWholeTime(rebuildError(first.error)));
    else if (first.type === "opened") this.#open(first.opened, rest);
  }

  /** The worker knows only the part of `openTimeout` that was left when it had started. */
  #withWholeTime(error: Error): Error {
    if (!(error instanceof OpenTimeoutError)) return error;
    const correct = (text: string) => text.replace(/within [\d.]+ ms/, `within ${this.#call.openTimeout} ms`);
    error.message = correct(error.message);
    error.stack = correct(error.stack ?? "");
    return error;
  }

  #open(opened: Opened, rest: readonly WorkerEvent[]): void {
    this.#stopWaiting();
    const { runtime, settings, owner } = this.#call;
    const mailbox = this.#mailbox;
    const connection = createConnection({
      runtime,
      // The worker answers pings.
      settings: { ...settings, autoPong: false },
      handshake: recordOf(opened.handshake),
      owner,
      keepalive: (_, handler) => (this.#keepalive = new WorkerKeepalive(runtime, handler, mailbox, settings)),
      transport: (handler) =>
        (this.#wire = new PortTransport(
          {
            runtime,
            mailbox,
            opened,
            writeLimit: settings.writeLimit,
            onKeepaliveEvent: (event) => this.#keepalive?.onEvent(event),
            onEnded: this.#release,
          },
          handler,
        )),
    });
    coreOf(connection).start();
    this.#resolve(connection);
    // Deliver them once the caller has the connection and can add listeners.
    this.#heldEvents = [...rest];
    runtime.clock.afterPoll(() => this.#deliverHeldEvents());
  }

  #deliverHeldEvents(): void {
    const events = this.#heldEvents;
    this.#heldEvents = null;
    if (events !== null && events.length > 0) this.#wire?.onEvents(events);
  }

  #onTimeout(): void {
    const message = `The worker did not open the connection within ${this.#call.openTimeout} ms (openTimeout): it may not have started, or its script does not import \`holdfast/worker\`.`;
    this.#fail(new OpenTimeoutError(message, "connect"));
  }

  readonly #onAbort = (): void => {
    this.#mailbox.post({ type: "abort" });
    this.#fail(this.#call.signal?.reason);
  };

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
    if (this.#wire === null) this.#fail(error);
    else this.#wire.onGone(error);
  }

  #fail(error: unknown): void {
    this.#stopWaiting();
    this.#mailbox.close();
    this.#release();
    this.#reject(error);
  }

  #stopWaiting(): void {
    this.#call.runtime.timers.cancel(this.#alarm);
    unwatchAbort(this.#call.signal, this.#onAbort);
  }
}

function recordOf({ request, response, ...rest }: HandshakeCopy): HandshakeRecord {
  const headersOf = (entries: readonly (readonly [string, string])[]): Headers =>
    new Headers(entries.map(([name, value]): [string, string] => [name, value]));
  return {
    ...rest,
    get request() {
      return { ...request, headers: headersOf(request.headers) };
    },
    get response() {
      return { ...response, headers: headersOf(response.headers) };
    },
  };
}
