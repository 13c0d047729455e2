// The core of a persistent connection, across its connections. `PersistentConnection` is its facade. The supervisor
// decides when to connect, the preparation when a new connection can be used; the sender queues outgoing messages, the
// receiver incoming ones. In a page, loading-core.ts stands in for it until it is loaded.

/* eslint max-lines: ["warn", { "max": 370, "skipBlankLines": true, "skipComments": true }] -- It passes each event between its parts, which have their own files. */

import { ignore } from "../../shared/deferred.js";
import type { Bytes } from "../../connection/arguments.js";
import type { CloseInfo } from "../../connection/close-info.js";
import type { Connection } from "../../connection/connection.js";
import { coreOf } from "../../connection/core-of.js";
import type { SessionCarrier, SessionCarrierHandler } from "../../connection/session-carrier.js";
import type {
  ConnectionSession,
  SessionLostEvent,
  SessionResumedEvent,
} from "../../connection/session-state.js";
import { TooSlowError } from "../../connection/errors.js";
import { consumeAll } from "../../connection/reading/consume-all.js";
import type { Inbox, Message, ReadableConnection } from "../../connection/reading/inbox.js";
import { MessageIterator, receiveOne, type WaitOptions } from "../../connection/reading/readers.js";
import type { Runtime } from "../../connection/runtime.js";
import type { TimerQueue } from "../../connection/timer-queue.js";
import type { LatencyStats } from "../../heartbeat/latency-statistics.js";
import type { CloseFrame } from "../../shared/close-code.js";
import type { AttemptOutcome } from "../attempt.js";
import type { Connector, ConnectorOptions } from "../connector.js";
import type { Retry } from "../retry/retry-policy.js";
import type { SupervisorControls, SupervisorHandler } from "../supervisor.js";
import type { KeptState } from "../../session/kept-state.js";
import { Deliveries } from "./deliveries.js";
import type { KeptSession } from "./kept-session.js";
import type { Lifecycle } from "./lifecycle.js";
import { OverallLatency } from "./overall-latency.js";
import type { PersistentControls } from "./persistent-controls.js";
import type { PersistentSettings } from "./persistent-options.js";
import { SuspicionWatch, type SuspicionHandler } from "./suspicion-watch.js";
import type { Suspicion } from "../../heartbeat/adaptive-detection.js";
import type { RaceObserver } from "../race.js";
import { Preparation, type PreparationHandler } from "./preparation.js";
import { Receiver } from "./receiver.js";
import type { MessageSettings, Sender } from "./sender.js";
import type { PersistentParts } from "./set-up.js";

export interface PersistentCoreOptions extends PersistentParts {
  readonly runtime: Runtime;
  readonly supervisor: (handler: SupervisorHandler) => SupervisorControls;
  /** As in `Connector`. */
  readonly carrySession: Connector<ConnectorOptions>["carrySession"];
}

/** The received messages that the application has not taken. */
type Received = Pick<KeptState, "unread" | "untaken">;

export class PersistentCore
  implements
    PersistentControls,
    PreparationHandler,
    SupervisorHandler,
    ReadableConnection,
    SessionCarrierHandler,
    SuspicionHandler
{
  readonly runtime: Runtime;
  /** Null without the option `session`. */
  session: SessionCarrier | null;
  readonly #carry: (saved: KeptState["session"]) => SessionCarrier | null;
  readonly #settings: PersistentSettings;
  readonly #supervisor: SupervisorControls;
  readonly #receiver: Receiver;
  readonly #preparation: Preparation;
  readonly #sender: Sender;
  readonly #lifecycle: Lifecycle;
  readonly #latency = new OverallLatency();
  #connection: Connection | null = null;
  /** The connection that is being probed. */
  #probed: Connection | null = null;
  #attemptStartedAt = 0;
  #attempt = 1;
  readonly #isAdaptive: boolean;
  /** Null with fixed detection, and before the first connection. */
  #suspicions: SuspicionWatch | null = null;
  /** Null without the option `keep`. */
  readonly #kept: KeptSession | null;
  /** The messages that were saved when the client was suspended; null while it runs. */
  #suspended: Received | null = null;

  constructor(options: PersistentCoreOptions) {
    const { runtime, connectionSettings, settings, kept } = options;
    this.runtime = runtime;
    this.#settings = settings;
    this.#lifecycle = options.lifecycle;
    this.#sender = options.sender;
    this.#receiver = new Receiver(runtime, connectionSettings);
    this.#isAdaptive = (connectionSettings.detection ?? null) !== null;
    this.#kept = kept;
    kept?.attach({ suspend: () => this.#suspend(), resume: () => this.#resume() });
    const state = kept?.state ?? null;
    this.#carry = (saved) => carrySession(options, saved, this);
    this.session = this.#carry(state?.session ?? null);
    this.#preparation = new Preparation(this, this.#receiver, settings);
    this.#supervisor = options.supervisor(this);
    if (state !== null) this.#takeBack(state);
  }

  #takeBack({ unread, untaken }: Received): void {
    // Their bytes are the session's own: never in shared memory.
    for (const message of unread) this.inbox.push(message as Message);
    this.#preparation.restore(untaken as readonly Message[] | null);
  }

  start(): void {
    this.#supervisor.begin();
  }

  // PersistentControls

  /** The open connection, from before `onOpen` to its end. */
  get connection(): Connection | null {
    return this.#connection;
  }

  get sessionState(): ConnectionSession | null {
    return this.session?.shownTo(this.inbox.inProgress > 0) ?? null;
  }

  get latencyStats(): LatencyStats {
    return this.#latency.snapshot();
  }

  expectEnd(): void {
    this.inbox.expectEnd();
  }

  recv(options: WaitOptions): Promise<Message> {
    return receiveOne(this, "recv()", options);
  }

  async forEach(callback: (message: Message) => unknown, signal: AbortSignal | null): Promise<CloseInfo> {
    await consumeAll(this, callback, signal, () => undefined);
    return this.#lifecycle.closed;
  }

  iterate(): AsyncIterator<Message, undefined> {
    return new MessageIterator(this);
  }

  discard(): void {
    this.inbox.discard();
  }

  close(close: CloseFrame): void {
    if (this.#isEnding) return;
    this.session?.willEnd();
    this.#stop(() => void this.#supervisor.close(close));
    this.inbox.queue.beginClosing();
  }

  terminate(): void {
    if (this.#lifecycle.status.state === "closed") return;
    this.session?.willEnd();
    this.#supervisor.terminate();
    this.#stop(ignore);
  }

  send(data: string | Bytes, settings: MessageSettings): Promise<void> {
    const sent = this.#sender.send(data, settings);
    this.#saveAgain();
    return sent;
  }

  probe(): void {
    const connection = this.#connection;
    const { state } = this.#lifecycle.status;
    if (this.#isEnding || this.#suspended !== null) return;
    if (state === "waiting") this.#supervisor.begin();
    else if (state === "open" && connection !== null) this.#probe(connection);
    else if (this.now() - this.#attemptStartedAt >= this.#settings.probeTimeout) this.#reconnectNow();
  }

  // ReadableConnection

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
    return this.#lifecycle.hasEndedWell;
  }

  closedError(): Error {
    return this.#lifecycle.closedError();
  }

  // SupervisorHandler

  onAttempt(attempt: number): void {
    this.#attemptStartedAt = this.now();
    const { status } = this.#lifecycle;
    // From the beginning, and after `#suspend`, the status is that of this attempt.
    if (status.state === "connecting" && status.attempt === attempt) return;
    this.#lifecycle.change({ state: "connecting", attempt });
  }

  onConnecting(url: string): void {
    if (this.#kept?.isFor(url) !== false) return;
    const unsent = this.#sender.dropRestored();
    this.session?.abandon("unknown", unsent);
  }

  onOpen(connection: Connection, attempt: number): void {
    this.#connection = connection;
    this.#attempt = attempt;
    this.#watch(connection);
    this.#preparation.begin(connection, attempt);
  }

  onReplaced(outcome: AttemptOutcome, attempt: number): void {
    if (!this.#onConnectionEnded(outcome)) return;
    this.#attemptStartedAt = this.now();
    this.#lifecycle.set({ state: "connecting", attempt });
    this.#lifecycle.report("disconnected", outcome);
  }

  onWaiting(outcome: AttemptOutcome, retry: Retry): void {
    if (!this.#onConnectionEnded(outcome)) return;
    const since = this.#lifecycle.now();
    this.#lifecycle.set({ state: "waiting", retryAt: since + retry.delay, ...retry, ...outcome }, since);
    this.#lifecycle.report("disconnected", outcome);
  }

  onDue(): void {
    this.#supervisor.begin();
  }

  /** The supervisor itself shortens a delay, unless the server requested it. */
  onReturn(): void {
    if (this.#lifecycle.status.state !== "waiting") this.probe();
  }

  onOver(outcome: AttemptOutcome, failure: Error | null): void {
    const { info } = outcome;
    const error = failure ?? outcome.error;
    this.#onConnectionEnded({ info, error }, true);
    this.#kept?.unwatch();
    const isSaved = this.#isTaken(); // The application has ended the session: no later client continues it.
    this.session?.end(isSaved);
    this.#sender.end(error, isSaved);
    this.#lifecycle.end({ info, error }, failure, () => {
      this.#preparation.releaseUntaken();
      this.#receiver.finish();
    });
  }

  // SessionCarrierHandler

  onAttached(isFresh: boolean): readonly Message[] {
    return this.#preparation.onAttached(isFresh);
  }

  get unread(): number {
    const own = this.#connection === null ? 0 : coreOf(this.#connection).inbox.length;
    return this.inbox.length + this.#preparation.untaken + own;
  }

  get isRefusing(): boolean {
    return this.#receiver.isRefusing;
  }

  onResumed(event: SessionResumedEvent): void {
    if (!this.#isEnding) this.#lifecycle.listeners.emit("resumed", event);
  }

  onLost(event: SessionLostEvent): void {
    this.#lifecycle.listeners.emit("lost", event);
  }

  // SuspicionHandler

  get canRace(): boolean {
    return this.session?.isAttached === true && this.#lifecycle.status.state === "open";
  }

  get spread(): number | null {
    return this.#supervisor.spread;
  }

  onSuspicion(suspicion: Suspicion | null): void {
    const lifecycle = this.#lifecycle;
    if (lifecycle.status.state !== "open") return;
    const { suspect: _, since, ...status } = lifecycle.status;
    lifecycle.change(suspicion === null ? status : { ...status, suspect: suspicion }, since);
    if (suspicion !== null) lifecycle.listeners.emit("suspect", suspicion);
  }

  race(observer: RaceObserver): void {
    this.#supervisor.race(observer);
  }

  cancelRace(): void {
    this.#supervisor.cancelRace();
  }

  // PreparationHandler

  isCurrent(connection: Connection): boolean {
    return this.#connection === connection && !this.#isEnding;
  }

  failAttempt(error: Error): void {
    this.#supervisor.failAttempt(error);
  }

  failUndeliverable(): number {
    return this.#sender.failUndeliverable();
  }

  onReady(connection: Connection, attempt: number, isFirst: boolean): void {
    this.#sender.open(connection, Deliveries);
    this.#lifecycle.set({ state: "open", attempt });
    this.#suspicions?.watch(connection);
    this.#lifecycle.report("open", { connection, attempt, isFirst });
  }

  #watch(connection: Connection): void {
    this.#latency.watch(connection);
    if (this.#isAdaptive) this.#suspicions ??= new SuspicionWatch(this.runtime, this);
  }

  /** Returns false if a listener has ended the persistent connection. */
  #onConnectionEnded({ info, error }: AttemptOutcome, isLast = false): boolean {
    const connection = this.#connection;
    this.#connection = null;
    if (connection !== null) this.#leave(info, error, isLast);
    return this.#lifecycle.status.state !== "closed";
  }

  #leave(info: CloseInfo, error: Error, isLast: boolean): void {
    this.#latency.unwatch();
    this.#suspicions?.unwatch();
    this.#receiver.detach();
    this.#sender.onConnectionEnded(error);
    this.#preparation.onConnectionEnded();
    const isDetached = this.session?.onSocketEnded(info, isLast) === true;
    if (isDetached) this.#lifecycle.listeners.emit("detached", { info });
  }

  /** The client is about to stop: ends the socket, and keeps the session for another client. */
  #suspend(): void {
    if (this.#isEnding || this.#suspended !== null) return;
    const outcome = this.#supervisor.suspend();
    if (outcome !== null && !this.#onConnectionEnded(outcome)) return;
    // Taken out, so that no reader gets a message that is saved.
    this.#suspended = { unread: this.inbox.takeAll(), untaken: this.#preparation.takeUntaken() };
    this.#saveAgain();
    const status = { state: "connecting", attempt: this.#attempt } as const;
    if (outcome === null) {
      this.#lifecycle.change(status);
    } else {
      this.#lifecycle.set(status);
      this.#lifecycle.report("disconnected", outcome);
    }
  }

  #saveAgain(): void {
    if (this.#suspended === null) return;
    const session = this.session?.save() ?? null;
    this.#kept?.save({ ...this.#suspended, session, queued: this.#sender.save() });
  }

  /** The client continues after all. */
  #resume(): void {
    if (this.#suspended === null || this.#isEnding) return;
    if (this.#isTaken()) {
      this.#suspended = null;
      this.#sender.forget();
      this.#continueWith(this.#kept?.adopt() ?? null);
    }
    this.#supervisor.begin();
  }

  /** Another client had the session. If it has stopped and kept it, this one continues it. */
  #continueWith(state: KeptState | null): void {
    if (state === null) {
      this.session?.abandon("moved");
      return;
    }
    this.session?.end(true);
    this.session = this.#carry(state.session);
    this.#sender.restore(state.queued);
    this.#takeBack(state);
  }

  /** Whether another client has taken what was saved. Otherwise this one takes it back. */
  #isTaken(): boolean {
    const received = this.#suspended;
    if (received === null) return false;
    if (this.#kept?.reclaim() !== true) return true;
    this.#suspended = null;
    this.#takeBack(received);
    return false;
  }

  /** Calls `end`, which ends the loop. No other connection follows. */
  #stop(end: () => void): void {
    if (!this.#isTaken()) this.#sender.finish();
    end();
    if (!this.#isEnding) this.#lifecycle.change({ state: "closing" });
  }

  get #isEnding(): boolean {
    return this.#lifecycle.isEnding;
  }

  #probe(connection: Connection): void {
    if (this.#probed === connection) return;
    this.#probed = connection;
    connection.ping(null, { timeout: this.#settings.probeTimeout }).then(
      () => this.#onProbeEnded(connection),
      (error: unknown) => {
        this.#onProbeEnded(connection);
        // Only a missing pong counts: other errors mean that the ping was not sent, or that the connection has ended.
        const isMissing = error instanceof TooSlowError && connection.state === "open";
        if (isMissing && this.isCurrent(connection)) this.#reconnectNow();
      },
    );
  }

  #onProbeEnded(connection: Connection): void {
    if (this.#probed === connection) this.#probed = null;
  }

  /** The server did not answer in time: ends the attempt or its connection, and connects again without a delay. */
  #reconnectNow(): void {
    const { probeTimeout } = this.#settings;
    const error = new TooSlowError(
      `Expected the server to answer a probe within ${probeTimeout} ms (probeTimeout), got no answer. The client reconnects.`,
      probeTimeout,
    );
    this.#supervisor.failAttempt(
      error,
      { code: 1011, reason: "keepalive ping timeout" },
      "heartbeat-timeout",
    );
    this.#supervisor.begin();
  }
}

function carrySession(
  { settings, carrySession: carry, connectionSettings }: PersistentCoreOptions,
  saved: KeptState["session"],
  handler: SessionCarrierHandler,
): SessionCarrier | null {
  if (settings.session === null || carry === undefined) return null;
  const { window, ackDelay } = settings.session;
  return carry({ window, ackDelay, writeLimit: connectionSettings.writeLimit, saved }, handler);
}
