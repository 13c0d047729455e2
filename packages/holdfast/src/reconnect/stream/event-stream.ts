// The events of one loop over a client: of a single attempt, or, with `persist()`, of one attempt after another.

import type { CloseInfo } from "../../connection/close-info.js";
import type { Connection } from "../../connection/connection.js";
import { ConcurrencyError } from "../../connection/errors.js";
import type { Unread } from "../../connection/inbox.js";
import type { ConnectionState } from "../../connection/connection-core.js";
import type { ConnectionSettings } from "../../connection/options.js";
import { AttemptEvents, type AttemptEventsHandler } from "./attempt-events.js";
import type { ConnectorOptions } from "../connector.js";
import { EventQueue } from "./event-queue.js";
import type { ClientEvent, Close, EventTime } from "../events.js";
import { StopSignals } from "../stop-signals.js";
import type { PersistSettings } from "../retry/persist-options.js";
import type { AttemptOutcome } from "../retry/retry-policy.js";
import { RetryScheduler } from "../retry/retry-scheduler.js";
import { stateAfter } from "./state.js";
import type { Target } from "../target.js";

export interface EventStreamOptions<Options extends ConnectorOptions> {
  readonly target: Target<Options>;
  readonly settings: ConnectionSettings;
  readonly pollInterval: number | null;
  /** Null for a single attempt. */
  readonly persist: PersistSettings | null;
  /** Any of them ends the stream when it aborts. */
  readonly signals: readonly AbortSignal[];
}

/** The client, which has at most one stream at a time. */
export interface StreamHandler {
  /** @throws ConcurrencyError while another stream runs */
  onStreamStarted(stream: RunningStream): void;
  onStreamOver(stream: RunningStream): void;
}

/** A stream as its client uses it. */
export interface RunningStream {
  readonly state: ConnectionState;
  /** The open connection; null before `ready` is delivered and after `disconnected` is. */
  readonly connection: Connection | null;
  /** Ends the stream. An open connection gets a closing handshake; an attempt or a delay ends at once. */
  close(close: Close): Promise<CloseInfo | null>;
  /** Ends the stream now. */
  terminate(): void;
}

type Result = IteratorResult<ClientEvent, undefined>;

const DONE: Result = { value: undefined, done: true };

export class EventStream<Options extends ConnectorOptions>
  implements AsyncIterableIterator<ClientEvent, undefined>, AttemptEventsHandler, RunningStream
{
  readonly #client: StreamHandler;
  readonly #options: EventStreamOptions<Options>;
  readonly #queue = new EventQueue();
  readonly #retries: RetryScheduler<Options> | null;
  readonly #stopSignals: StopSignals;
  #phase: "new" | "running" | "over" = "new";
  /** The attempt in progress. */
  #attempt: AttemptEvents<Options> | null = null;
  #newestAttempt: AttemptEvents<Options> | null = null;
  /** The next step once the queue is empty and no attempt is in progress. */
  #next: "attempt" | "end" | "wait" = "attempt";
  #isClosing = false;
  #failure: { readonly error: unknown } | null = null;
  #waiter: { readonly resolve: (result: Result) => void; readonly reject: (error: unknown) => void } | null =
    null;
  #delivered: ClientEvent | null = null;
  #state: ConnectionState = "closed";
  #connection: Connection | null = null;
  #lastInfo: CloseInfo | null = null;

  constructor(client: StreamHandler, options: EventStreamOptions<Options>) {
    this.#client = client;
    this.#options = options;
    const { target, settings, persist } = options;
    this.#retries =
      persist && new RetryScheduler(target.connector, persist, settings.logger, () => this.#onDue());
    this.#stopSignals = new StopSignals(options.signals, (reason) => this.#stop(reason));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Resolves with the next event. The first call starts to connect. A queued event costs one promise. */
  next(): Promise<Result> {
    if (this.#waiter !== null) return Promise.reject(concurrentNext());
    try {
      if (this.#phase === "new") this.#start();
      this.#consumed();
      const event = this.#queue.shift() ?? this.#startNextStep();
      if (event !== undefined) return Promise.resolve(this.#deliver(event));
      if (this.#phase === "over") return this.#end();
    } catch (error) {
      return Promise.reject(error);
    }
    return new Promise((resolve, reject) => (this.#waiter = { resolve, reject }));
  }

  /** The consumer leaves the loop: ends the connection now, and resolves once nothing of the attempt remains. */
  async return(): Promise<Result> {
    this.#stop(undefined);
    this.#queue.clear();
    this.#failure = null;
    this.#finish();
    this.#wake();
    return this.#end();
  }

  // RunningStream, for the client

  get state(): ConnectionState {
    return this.#state;
  }

  get connection(): Connection | null {
    return this.#connection;
  }

  async close({ code, reason }: Close): Promise<CloseInfo | null> {
    const connection = this.#attempt?.connection ?? null;
    if (connection === null) {
      this.#stop(undefined);
      return this.#lastInfo;
    }
    this.#beginClosing();
    return connection.close(code, reason);
  }

  terminate(): void {
    const connection = this.#attempt?.connection ?? null;
    if (connection === null) {
      this.#stop(undefined);
      return;
    }
    this.#beginClosing();
    connection.terminate();
  }

  // AttemptEventsHandler

  get isWaiting(): boolean {
    return this.#waiter !== null;
  }

  get isFull(): boolean {
    return this.#queue.isOver(this.#options.settings);
  }

  get unread(): Unread {
    return this.#queue.unread;
  }

  push(event: ClientEvent): void {
    this.#queue.push(event);
    this.#wake();
  }

  onAttemptEnded(outcome: AttemptOutcome, time: EventTime): void {
    this.#lastInfo = outcome.info;
    this.#next = "end";
    try {
      this.#scheduleRetry(outcome, time);
    } catch (error) {
      this.#failure = { error }; // `retryable` threw: the error is the consumer's own.
    }
    this.#attempt = null;
    this.#wake();
  }

  #start(): void {
    this.#client.onStreamStarted(this);
    this.#phase = "running";
    this.#stopSignals.watch();
  }

  #scheduleRetry(outcome: AttemptOutcome, time: EventTime): void {
    if (this.#isClosing || this.#retries === null) return;
    const { url = null, spread = null } = this.#attempt ?? {};
    const retry = this.#retries.schedule(url, outcome, spread, time.at);
    if (retry === null) return;
    this.#next = "wait";
    this.push({
      type: "backOff",
      ...time,
      ...retry,
      reason: outcome.info.cause,
      retryAt: time.receivedAt + retry.delay,
    });
  }

  /** The consumer has finished with the previous event. */
  #consumed(): void {
    const event = this.#delivered;
    this.#delivered = null;
    if (event !== null) this.#attempt?.onConsumed(event);
  }

  /** The queue is empty: starts the attempt that is due, or ends the stream. Returns the attempt's first event, if any. */
  #startNextStep(): ClientEvent | undefined {
    if (this.#phase === "over" || this.#attempt !== null || this.#next === "wait") return undefined;
    if (this.#next === "end") {
      this.#finish();
      return undefined;
    }
    const { target, settings, pollInterval } = this.#options;
    this.#state = "connecting";
    this.#next = "end";
    const attempt = this.#retries?.attempt ?? 1;
    this.#retries?.onAttempt(attempt);
    this.#attempt = new AttemptEvents(this, { target, settings, pollInterval, attempt });
    this.#newestAttempt = this.#attempt;
    this.#attempt.begin();
    return this.#queue.shift();
  }

  /** Resolves the waiting `next()`, if an event is available or the stream is over. */
  #wake(): void {
    const waiter = this.#waiter;
    if (waiter === null) return;
    const event = this.#queue.shift() ?? this.#startNextStep();
    if (event !== undefined) {
      this.#waiter = null;
      waiter.resolve(this.#deliver(event));
    } else if (this.#phase === "over") {
      this.#waiter = null;
      this.#end().then(waiter.resolve, waiter.reject);
    }
  }

  #deliver(event: ClientEvent): Result {
    this.#delivered = event;
    this.#state = stateAfter(event.type, this.#state, this.#isClosing);
    if (event.type === "ready") this.#connection = event.connection;
    if (event.type === "disconnected") this.#connection = null;
    this.#attempt?.onDelivered(event);
    if (this.#queue.isBelowLowWater(this.#options.settings)) this.#attempt?.onBelowLowWater();
    return { value: event, done: false };
  }

  /** Ends the stream now. The consumer still gets the queued events. */
  #stop(reason: unknown): void {
    this.#beginClosing();
    if (this.#queue.newest?.type === "backOff") this.#queue.dropNewest();
    this.#retries?.cancel();
    this.#next = "end";
    this.#attempt?.abandon(reason);
    this.#wake();
  }

  #onDue(): void {
    this.#next = "attempt";
    this.#wake();
  }

  /** This side ends the stream: no attempt follows the one in progress. */
  #beginClosing(): void {
    this.#isClosing = true;
    if (this.#state === "open") this.#state = "closing";
  }

  #finish(): void {
    if (this.#phase === "over") return;
    const hasStarted = this.#phase === "running";
    this.#phase = "over";
    this.#state = "closed";
    this.#connection = null;
    this.#stopSignals.stop();
    if (hasStarted) this.#client.onStreamOver(this);
  }

  /** Ends the loop once nothing of the newest attempt remains. */
  async #end(): Promise<Result> {
    const failure = this.#failure;
    this.#failure = null;
    await this.#newestAttempt?.gone;
    if (failure !== null) throw failure.error;
    return DONE;
  }
}

function concurrentNext(): ConcurrencyError {
  return new ConcurrencyError(
    "next() was called while another next() was waiting: only one can have the event",
  );
}
