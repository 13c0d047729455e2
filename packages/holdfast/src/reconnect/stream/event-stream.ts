// The events of one iteration over a client: of one attempt, or of one after the other where a policy says so.

import type { CloseInfo } from "../../connection/close-info.js";
import type { Connection } from "../../connection/connection.js";
import { ConcurrencyError } from "../../connection/errors.js";
import type { Unread } from "../../connection/inbox.js";
import type { ConnectionState } from "../../connection/connection-core.js";
import type { ConnectionSettings } from "../../connection/options.js";
import { Attempt, type AttemptHandler } from "./attempt.js";
import type { ConnectorOptions } from "../connector.js";
import { EventQueue } from "./event-queue.js";
import type { ClientEvent, Close, EventTime } from "../events.js";
import { LoopInterruptions } from "../interruptions.js";
import { RetryLog } from "../retry/retry-log.js";
import type { AttemptOutcome, RetryPolicy } from "../retry/retry-policy.js";
import { BackoffTimer } from "../retry/backoff-timer.js";
import { stateAfter } from "./state.js";
import type { Target } from "../target.js";

export interface EventStreamOptions<Options extends ConnectorOptions> {
  readonly target: Target<Options>;
  readonly settings: ConnectionSettings;
  readonly pollInterval: number | null;
  /** Decides on trying again; null for one attempt. Made anew for each stream. */
  readonly policy: RetryPolicy | null;
  /** An abort of any of them ends the stream. */
  readonly signals: readonly AbortSignal[];
}

/** Who has at most one stream at a time: the client. */
export interface StreamHandler {
  /** @throws ConcurrencyError while another stream runs */
  onStreamBegun(stream: RunningStream): void;
  onStreamOver(stream: RunningStream): void;
}

/** What a client does with the stream that runs. */
export interface RunningStream {
  readonly state: ConnectionState;
  /** The open connection; null before `ready` was delivered and after `disconnected` was. */
  readonly connection: Connection | null;
  /** Ends the stream: an open connection by the closing handshake, anything else at once. */
  close(close: Close): Promise<CloseInfo | null>;
  /** Ends the stream now. */
  terminate(): void;
}

type Result = IteratorResult<ClientEvent, undefined>;

const DONE: Result = { value: undefined, done: true };

export class EventStream<Options extends ConnectorOptions>
  implements AsyncIterableIterator<ClientEvent, undefined>, AttemptHandler, RunningStream
{
  readonly #owner: StreamHandler;
  readonly #options: EventStreamOptions<Options>;
  readonly #queue = new EventQueue();
  readonly #log: RetryLog;
  readonly #wait: BackoffTimer<Options>;
  readonly #interruptions: LoopInterruptions;
  #phase: "new" | "running" | "over" = "new";
  /** The one under way. */
  #attempt: Attempt<Options> | null = null;
  #newestAttempt: Attempt<Options> | null = null;
  /** What follows when the queue is empty and no attempt is under way. */
  #next: "attempt" | "end" | "wait" = "attempt";
  #isLeaving = false;
  #failure: { readonly error: unknown } | null = null;
  #waiter: { readonly resolve: (result: Result) => void; readonly reject: (error: unknown) => void } | null =
    null;
  #delivered: ClientEvent | null = null;
  #state: ConnectionState = "closed";
  #connection: Connection | null = null;
  #lastInfo: CloseInfo | null = null;

  constructor(owner: StreamHandler, options: EventStreamOptions<Options>) {
    this.#owner = owner;
    this.#options = options;
    this.#log = new RetryLog(options.settings.logger);
    this.#wait = new BackoffTimer(options.target.connector, () => this.#onDue());
    this.#interruptions = new LoopInterruptions(options.signals, (reason) => this.#stop(reason));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next event. Queued ones cost one promise each; the first call begins to connect. */
  next(): Promise<Result> {
    if (this.#waiter !== null) return Promise.reject(concurrentNext());
    try {
      if (this.#phase === "new") this.#begin();
      this.#consumed();
      const event = this.#queue.shift() ?? this.#goOn();
      if (event !== undefined) return Promise.resolve(this.#deliver(event));
      if (this.#phase === "over") return this.#end();
    } catch (error) {
      return Promise.reject(error);
    }
    return new Promise((resolve, reject) => (this.#waiter = { resolve, reject }));
  }

  /** The consumer leaves: what is open ends now, and nothing of it is left when the promise resolves. */
  async return(): Promise<Result> {
    this.#stop(undefined);
    this.#queue.clear();
    this.#failure = null;
    this.#finish();
    this.#wake();
    return this.#end();
  }

  // For the client.

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
    this.#beginLeaving();
    return connection.close(code, reason);
  }

  terminate(): void {
    const connection = this.#attempt?.connection ?? null;
    if (connection === null) {
      this.#stop(undefined);
      return;
    }
    this.#beginLeaving();
    connection.terminate();
  }

  // For the attempt.

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

  onAttemptEnded(ending: AttemptOutcome, time: EventTime): void {
    this.#lastInfo = ending.info;
    this.#next = "end";
    try {
      this.#planRetry(ending, time);
    } catch (error) {
      this.#failure = { error }; // Thrown by `retryable`: the consumer's own.
    }
    this.#attempt = null;
    this.#wake();
  }

  #begin(): void {
    this.#owner.onStreamBegun(this);
    this.#phase = "running";
    this.#interruptions.watch();
  }

  #planRetry(ending: AttemptOutcome, time: EventTime): void {
    const { policy } = this.#options;
    if (this.#isLeaving || policy === null) return;
    const url = this.#attempt?.url ?? null;
    const retry = policy.afterEnd(ending, this.#attempt?.spread ?? null);
    if (retry === null) {
      this.#log.onGivenUp(url, ending);
      return;
    }
    this.#log.onRetry(url, ending, retry);
    this.#next = "wait";
    this.#wait.begin(retry, time.at);
    this.push({
      type: "backOff",
      ...time,
      ...retry,
      reason: ending.info.cause,
      retryAt: time.receivedAt + retry.delay,
    });
  }

  /** The consumer is through with the event before. */
  #consumed(): void {
    const event = this.#delivered;
    this.#delivered = null;
    if (event !== null) this.#attempt?.onConsumed(event);
  }

  /** Nothing waits: begins the attempt that is due, or ends. Returns the event that this makes, if any. */
  #goOn(): ClientEvent | undefined {
    if (this.#phase === "over" || this.#attempt !== null || this.#next === "wait") return undefined;
    if (this.#next === "end") {
      this.#finish();
      return undefined;
    }
    const { target, settings, pollInterval, policy } = this.#options;
    this.#state = "connecting";
    this.#next = "end";
    const attempt = policy?.attempt ?? 1;
    if (policy !== null) this.#log.onAttempt(attempt);
    this.#attempt = new Attempt(this, { target, settings, pollInterval, attempt });
    this.#newestAttempt = this.#attempt;
    this.#attempt.begin();
    return this.#queue.shift();
  }

  /** Hands over to who waits, if there is something now. */
  #wake(): void {
    const waiter = this.#waiter;
    if (waiter === null) return;
    const event = this.#queue.shift() ?? this.#goOn();
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
    this.#state = stateAfter(event.type, this.#state, this.#isLeaving);
    if (event.type === "ready") this.#connection = event.connection;
    if (event.type === "disconnected") this.#connection = null;
    this.#attempt?.onDelivered(event);
    if (this.#queue.isRoomy(this.#options.settings)) this.#attempt?.onRoomy();
    return { value: event, done: false };
  }

  /** Ends now, whatever is going on; what has been told already can still be consumed. */
  #stop(reason: unknown): void {
    this.#beginLeaving();
    if (this.#queue.newest?.type === "backOff") this.#queue.dropNewest();
    this.#wait.end();
    this.#next = "end";
    this.#attempt?.leave(reason);
    this.#wake();
  }

  #onDue(): void {
    this.#next = "attempt";
    this.#wake();
  }

  /** This side ends it: nothing follows on the attempt that is under way. */
  #beginLeaving(): void {
    this.#isLeaving = true;
    if (this.#state === "open") this.#state = "closing";
  }

  #finish(): void {
    if (this.#phase === "over") return;
    const hasBegun = this.#phase === "running";
    this.#phase = "over";
    this.#state = "closed";
    this.#connection = null;
    this.#interruptions.stop();
    if (hasBegun) this.#owner.onStreamOver(this);
  }

  /** Nothing is left when the consumer is told of the end. */
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
