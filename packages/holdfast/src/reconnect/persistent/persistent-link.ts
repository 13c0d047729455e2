// The life of a persistent connection: from one connection to the next. `PersistentConnection` is its face; the
// supervisor decides when to connect, the sender keeps what goes out, the receiver what comes in.

import type { CloseInfo } from "../../connection/close-info.js";
import { coreOf, type Connection } from "../../connection/connection.js";
import { connectionClosed, TooSlowError } from "../../connection/errors.js";
import type { Inbox } from "../../connection/inbox.js";
import { Listeners } from "../../connection/listeners.js";
import type { ConnectionSettings } from "../../connection/options.js";
import type { ReadableConnection } from "../../connection/readers.js";
import type { Runtime } from "../../connection/runtime.js";
import { Alarm, type TimerQueue } from "../../connection/timer-queue.js";
import type { LatencyStats } from "../../heartbeat/latency-statistics.js";
import type { CloseFrame } from "../../shared/close-code.js";
import { errorOf } from "../../shared/thrown.js";
import { LoopInterruptions } from "../interruptions.js";
import type { AttemptOutcome, Retry } from "../retry/retry-policy.js";
import type { SupervisorControls, SupervisorHandler } from "../supervisor.js";
import { OverallLatency } from "./overall-latency.js";
import type { PersistentSettings } from "./persistent-options.js";
import { Receiver } from "./receiver.js";
import { Sender } from "./sender.js";
import type { PersistentEvents, PersistentStatus } from "./status.js";

export interface PersistentLinkOptions {
  readonly runtime: Runtime;
  readonly connectionSettings: ConnectionSettings;
  readonly settings: PersistentSettings;
  readonly supervisor: (host: SupervisorHandler) => SupervisorControls;
  /** As in `Connector`. */
  readonly watchReturns: ((callback: () => void) => () => void) | undefined;
  readonly signal: AbortSignal | null;
}

export class PersistentLink implements SupervisorHandler, ReadableConnection {
  readonly sender: Sender;
  readonly listeners: Listeners<PersistentEvents>;
  readonly closed: Promise<CloseInfo>;
  readonly runtime: Runtime;
  readonly #settings: PersistentSettings;
  readonly #supervisor: SupervisorControls;
  readonly #receiver: Receiver;
  readonly #latency = new OverallLatency();
  readonly #interruptions: LoopInterruptions;
  readonly #aborter = new AbortController();
  #resolveClosed: (info: CloseInfo) => void = () => undefined;
  /** Ends listening for the return of the network. */
  readonly #stopWatching: (() => void) | undefined;
  #status: PersistentStatus;
  #connection: Connection | null = null;
  #hasOpened = false;
  /** The connection that is being probed. */
  #probed: Connection | null = null;
  #attemptBegunAt = 0;

  constructor(options: PersistentLinkOptions) {
    const { runtime, connectionSettings, settings } = options;
    this.runtime = runtime;
    this.#settings = settings;
    this.#receiver = new Receiver(runtime, connectionSettings);
    this.sender = new Sender(runtime, settings.sending, connectionSettings.writeLimit);
    this.listeners = new Listeners({
      platform: runtime.platform,
      faultLogger: connectionSettings.faultLogger,
    });
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
    this.#status = Object.freeze({ state: "connecting", attempt: 1, since: runtime.clock.wallNow() });
    this.#supervisor = options.supervisor(this);
    const signals = options.signal === null ? [] : [options.signal];
    this.#interruptions = new LoopInterruptions(signals, (reason) => this.#supervisor.stop(reason));
    this.#stopWatching = options.watchReturns?.(() => this.#onReturn());
  }

  start(): void {
    this.#interruptions.watch();
    this.#supervisor.begin();
  }

  get status(): PersistentStatus {
    return this.#status;
  }

  /** The open connection, from before `onOpen` to its end. */
  get connection(): Connection | null {
    return this.#connection;
  }

  get latencyStats(): LatencyStats {
    return this.#latency.snapshot();
  }

  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  close(close: CloseFrame): void {
    if (!this.#isEnding) this.#leave(() => this.#supervisor.close(close));
  }

  terminate(): void {
    if (this.#status.state === "closed") return;
    this.#supervisor.terminate();
    this.#leave(() => undefined);
  }

  /** The network may be another one, or back: finds out what that means, now. */
  probe(): void {
    const connection = this.#connection;
    if (this.#isEnding) return;
    if (this.#status.state === "waiting") this.#supervisor.begin();
    else if (this.#status.state === "open" && connection !== null) this.#probe(connection);
    else if (this.now() - this.#attemptBegunAt >= this.#settings.probeTimeout) this.#connectAnew();
  }

  /** A wait is cut short by the supervisor, unless a server asked for it. */
  #onReturn(): void {
    if (this.#status.state !== "waiting") this.probe();
  }

  // What readers need.

  get inbox(): Inbox {
    return this.#receiver.inbox;
  }

  get timers(): TimerQueue {
    return this.runtime.timers;
  }

  now(): number {
    return this.runtime.clock.now();
  }

  get hasEndedWell(): boolean {
    return this.#status.state === "closed" && this.#status.error === null;
  }

  closedError(): Error {
    const status = this.#status;
    if (status.state !== "closed") throw new Error("Asked how it ended before it did"); // Readers ask at the end only.
    return status.error ?? connectionClosed(status.info);
  }

  // What the supervisor tells.

  onAttempt(attempt: number): void {
    this.#attemptBegunAt = this.now();
    this.#change({ state: "connecting", attempt, since: this.#wallNow() });
  }

  onOpen(connection: Connection, attempt: number): void {
    this.#connection = connection;
    coreOf(connection).willBeRead();
    this.#latency.watch(connection);
    if (this.#settings.onOpen === null) this.#ready(connection, attempt);
    else void this.#prepare(connection, attempt, this.#settings.onOpen);
  }

  onWaiting(ending: AttemptOutcome, { delay, attempt, requestedByServer }: Retry): void {
    this.#lose(ending.error);
    const since = this.#wallNow();
    const retryAt = since + delay;
    this.#status = Object.freeze({
      state: "waiting",
      attempt,
      since,
      delay,
      retryAt,
      requestedByServer,
      ...ending,
    });
    this.#tellEnd(ending);
  }

  onDue(): void {
    this.#supervisor.begin();
  }

  onOver(ending: AttemptOutcome, isFatal: boolean): void {
    const wasWaiting = this.#status.state === "waiting";
    this.#interruptions.stop();
    this.#stopWatching?.();
    this.#lose(ending.error);
    this.sender.end(ending.error);
    const { info } = ending;
    const error = isFatal ? ending.error : null;
    this.#status = Object.freeze({ state: "closed", since: this.#wallNow(), info, error });
    this.#receiver.finish();
    this.#resolveClosed(info);
    this.#aborter.abort(this.closedError());
    if (wasWaiting) this.listeners.emit("status", this.#status);
    else this.#tellEnd(ending);
    this.listeners.clear();
  }

  /** Lets the application say first what has to come first. */
  async #prepare(
    connection: Connection,
    attempt: number,
    onOpen: NonNullable<PersistentSettings["onOpen"]>,
  ): Promise<void> {
    const { openTimeout } = this.#settings;
    const { timers, clock } = this.runtime;
    const alarm = new Alarm({ onAlarm: () => this.#onUnprepared(connection) });
    if (openTimeout !== null) timers.set(alarm, clock.now() + openTimeout);
    // One that does not settle leaves with its connection, and so does its alarm.
    void coreOf(connection).whenEnded.then(() => timers.cancel(alarm));
    try {
      await onOpen(connection, { attempt, isFirst: !this.#hasOpened, signal: connection.signal });
      if (this.#isCurrent(connection)) this.#ready(connection, attempt);
    } catch (error) {
      // A connection that ended meanwhile ended for reasons of its own, of which this is the consequence.
      if (this.#isCurrent(connection)) this.#supervisor.giveUp(errorOf(error));
    } finally {
      timers.cancel(alarm);
    }
  }

  /** `onOpen` has not settled: the connection would be of no use to anybody. */
  #onUnprepared(connection: Connection): void {
    const { openTimeout } = this.#settings;
    if (openTimeout === null || !this.#isCurrent(connection)) return;
    const message = `Expected \`onOpen\` to settle within ${openTimeout} ms (openTimeout), got no end of it. Bound what it waits for, or raise \`openTimeout\`.`;
    this.#supervisor.giveUp(new TooSlowError(message, openTimeout));
  }

  #isCurrent(connection: Connection): boolean {
    return this.#connection === connection && connection.state === "open" && !this.#isEnding;
  }

  #ready(connection: Connection, attempt: number): void {
    this.#receiver.attach(connection);
    const isFirst = !this.#hasOpened;
    this.#hasOpened = true;
    this.sender.open(connection);
    this.#status = Object.freeze({ state: "open", attempt, since: this.#wallNow() });
    const status = this.#status;
    this.listeners.emit("open", { connection, attempt, isFirst });
    if (this.#status === status) this.listeners.emit("status", status);
  }

  #lose(error: Error): void {
    if (this.#connection === null) return;
    this.#connection = null;
    this.#latency.leave();
    this.#receiver.detach();
    this.sender.lose(error);
  }

  /** No other connection follows. */
  #leave(end: () => void): void {
    const isConnected = this.#connection !== null;
    this.sender.finish();
    end();
    if (isConnected && !this.#isEnding) this.#change({ state: "closing", since: this.#wallNow() });
  }

  get #isEnding(): boolean {
    return this.#status.state === "closing" || this.#status.state === "closed";
  }

  #probe(connection: Connection): void {
    if (this.#probed === connection) return;
    this.#probed = connection;
    connection.ping(null, { timeout: this.#settings.probeTimeout }).then(
      () => this.#probedWell(connection),
      (error: unknown) => {
        this.#probedWell(connection);
        // What cannot be pinged cannot be judged; and a connection that has ended needs no verdict.
        if (error instanceof TooSlowError && this.#isCurrent(connection)) this.#connectAnew();
      },
    );
  }

  #probedWell(connection: Connection): void {
    if (this.#probed === connection) this.#probed = null;
  }

  /** The server did not answer in time: there is no point in waiting for it, nor before the next attempt. */
  #connectAnew(): void {
    const { probeTimeout } = this.#settings;
    const error = new TooSlowError(
      `The server did not answer within ${probeTimeout} ms of a probe`,
      probeTimeout,
    );
    this.#supervisor.giveUp(error, { code: 1011, reason: "keepalive ping timeout" }, "heartbeat-timeout");
    this.#supervisor.begin();
  }

  /** A listener may change the status once more: then it is not told of the one before. */
  #tellEnd({ info, error }: AttemptOutcome): void {
    const status = this.#status;
    this.listeners.emit("disconnected", { info, error });
    if (this.#status === status) this.listeners.emit("status", status);
  }

  #change(status: PersistentStatus): void {
    this.#status = Object.freeze(status);
    this.listeners.emit("status", status);
  }

  #wallNow(): number {
    return this.runtime.clock.wallNow();
  }
}
