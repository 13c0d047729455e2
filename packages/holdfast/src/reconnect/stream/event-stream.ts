// The events of one loop over a client: of a single attempt, or, with `persist()`, of one attempt after another.

import type { CloseInfo } from "../../connection/close-info.js";
import type { Connection } from "../../connection/connection.js";
import { ConcurrencyError } from "../../connection/errors.js";
import type { MessageWeight, QueueLimits } from "../../connection/reading/message-weight.js";
import type { ConnectionState } from "../../connection/connection-core.js";
import { AttemptEvents, timeOf, type AttemptEventsHandler } from "./attempt-events.js";
import type { ConnectorOptions } from "../connector.js";
import { EventQueue } from "./event-queue.js";
import type { ClientEvent, Close, EventTime } from "../events.js";
import type { TransportEnds } from "../../connection/open-observer.js";
import type { AttemptOutcome } from "../attempt.js";
import type { Retry } from "../retry/retry-policy.js";
import { Supervisor, type SupervisorHandler, type SupervisorOptions } from "../supervisor.js";
import { stateAfter } from "./state.js";

export interface EventStreamOptions<Options extends ConnectorOptions> extends SupervisorOptions<Options> {
  readonly pollInterval: number | null;
}

/** Implemented by the client, which has at most one stream at a time. */
export interface StreamHandler {
  /** @throws ConcurrencyError while another stream runs */
  onStreamStarted(stream: RunningStream): void;
  onStreamOver(stream: RunningStream): void;
}

/** The operations that the client has on its stream. */
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
  implements
    AsyncIterableIterator<ClientEvent, undefined>,
    SupervisorHandler,
    AttemptEventsHandler,
    RunningStream
{
  readonly #client: StreamHandler;
  readonly #options: EventStreamOptions<Options>;
  readonly #supervisor: Supervisor<Options>;
  readonly #queue = new EventQueue();
  #phase: "new" | "running" | "over" = "new";
  /** The events of the attempt in progress. */
  #attempt: AttemptEvents | null = null;
  /** No attempt follows: the stream ends once the queue is empty. */
  #isLastAttemptOver = false;
  #isClosing = false;
  /** The error that `retryable` threw, until the consumer gets it. */
  #failure: Error | null = null;
  #waiter: { readonly resolve: (result: Result) => void; readonly reject: (error: unknown) => void } | null =
    null;
  #delivered: ClientEvent | null = null;
  #state: ConnectionState = "closed";
  #connection: Connection | null = null;
  #lastInfo: CloseInfo | null = null;

  constructor(client: StreamHandler, options: EventStreamOptions<Options>) {
    this.#client = client;
    this.#options = options;
    this.#supervisor = new Supervisor(options, this);
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
    } catch (error) {
      return Promise.reject(error);
    }
    const event = this.#queue.shift();
    if (event !== undefined) return Promise.resolve(this.#deliver(event));
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
      this.#wake();
    });
  }

  /** The consumer leaves the loop: ends the connection now, and resolves once nothing of the attempt remains. */
  async return(): Promise<Result> {
    this.#supervisor.stop(undefined);
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

  async close(close: Close): Promise<CloseInfo | null> {
    this.#beginClosing();
    return this.#supervisor.close(close) ?? this.#lastInfo;
  }

  terminate(): void {
    this.#beginClosing();
    this.#supervisor.terminate();
  }

  // AttemptEventsHandler

  get isWaiting(): boolean {
    return this.#waiter !== null;
  }

  get unread(): MessageWeight {
    return this.#queue.unread;
  }

  get limits(): QueueLimits {
    return this.#options.settings;
  }

  push(event: ClientEvent): void {
    this.#queue.push(event);
    this.#wake();
  }

  // SupervisorHandler

  onAttempt(attempt: number): void {
    this.#state = "connecting";
    const { target, pollInterval } = this.#options;
    const { runtime } = target.connector;
    this.#attempt = new AttemptEvents(this, { runtime, attempt, pollInterval });
  }

  onConnecting(url: string): void {
    this.#attempt?.onConnecting(url);
  }

  onConnected(ends: TransportEnds): void {
    this.#attempt?.onConnected(ends);
  }

  onUpgraded(connection: Connection): void {
    this.#attempt?.onOpen(connection);
  }

  onWaiting(outcome: AttemptOutcome, retry: Retry): void {
    const time = timeOf(this.#options.target.connector.runtime.clock);
    this.#endAttempt(outcome, time);
    const retryAt = time.receivedAt + retry.delay;
    this.push({ type: "backOff", ...time, ...retry, reason: outcome.info.cause, retryAt });
  }

  onDue(): void {
    this.#wake();
  }

  onOver(outcome: AttemptOutcome, failure: Error | null): void {
    if (failure === null) this.#beginClosing();
    if (failure !== outcome.error) this.#failure = failure;
    this.#isLastAttemptOver = true;
    if (this.#queue.newest?.type === "backOff") this.#queue.dropNewest();
    this.#endAttempt(outcome, timeOf(this.#options.target.connector.runtime.clock));
    this.#wake();
  }

  #start(): void {
    this.#client.onStreamStarted(this);
    this.#phase = "running";
  }

  /** Does nothing during a delay. */
  #endAttempt(outcome: AttemptOutcome, time: EventTime): void {
    if (this.#attempt !== null) this.#lastInfo = outcome.info;
    this.#attempt?.finish(outcome, time);
    this.#attempt = null;
  }

  /** The consumer has finished with the previous event. */
  #consumed(): void {
    const event = this.#delivered;
    this.#delivered = null;
    if (event !== null) this.#attempt?.onConsumed(event);
  }

  /** Resolves the waiting `next()` if an event is available or the stream is over. Starts the attempt that is due. */
  #wake(): void {
    const waiter = this.#waiter;
    if (waiter === null) return;
    const event = this.#queue.shift();
    if (event !== undefined) {
      this.#waiter = null;
      waiter.resolve(this.#deliver(event));
    } else if (this.#isLastAttemptOver) {
      this.#waiter = null;
      this.#finish();
      this.#end().then(waiter.resolve, waiter.reject);
    } else if (this.#supervisor.isDue) {
      this.#supervisor.begin(); // Its first event wakes the waiter.
    }
  }

  #deliver(event: ClientEvent): Result {
    this.#delivered = event;
    this.#state = stateAfter(event.type, this.#state, this.#isClosing);
    if (event.type === "ready") this.#connection = event.connection;
    if (event.type === "disconnected") this.#connection = null;
    this.#attempt?.onDelivered(event);
    if (event.type === "text" || event.type === "binary") this.#attempt?.onTaken();
    return { value: event, done: false };
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
    if (hasStarted) this.#client.onStreamOver(this);
  }

  /** Ends the loop once nothing of the newest attempt remains. */
  async #end(): Promise<Result> {
    const failure = this.#failure;
    this.#failure = null;
    await this.#supervisor.gone;
    if (failure !== null) throw failure;
    return DONE;
  }
}

function concurrentNext(): ConcurrencyError {
  return new ConcurrencyError(
    "Expected one next() at a time, got another one while the first waits for an event. Await the first.",
  );
}
