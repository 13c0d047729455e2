// Drives a connection's heartbeat: passes observations to the pure state machine, performs its actions, and settles the
// promises of `ping()`.

/* eslint max-lines: ["warn", { "max": 280, "skipBlankLines": true, "skipComments": true }] -- The port, and the one implementation that judges. */

import { unwatchAbort, watchAbort } from "../shared/abort-watch.js";
import { Deferred, quietly } from "../shared/deferred.js";
import type { LatencyStatistics, LatencyStats } from "../heartbeat/latency-statistics.js";
import type { Action, HeartbeatSettings, Observation } from "../heartbeat/signals.js";
import type { Suspicion } from "../heartbeat/adaptive-detection.js";
import { Heartbeat, type HeartbeatDeadlines } from "../heartbeat/heartbeat.js";
import { rejectToCaller } from "./caller-stack.js";
import { TooSlowError } from "./errors.js";
import { pingSlot } from "./ping-slot.js";
import type { PollHandler, Runtime } from "./runtime.js";
import { Deadline } from "./timer-queue.js";

/** The payload size in bytes of a keepalive ping. A peer must not be able to guess the payload and answer early. */
const PAYLOAD_SIZE = 8;

/** The part of ConnectionCore that the keepalive uses. */
export interface KeepaliveHandler {
  /** Monotonic time of the last read. */
  readonly lastReceivedAt: number;
  /** Bytes that were handed to the socket. */
  readonly bytesSent: number;
  queuePing(key: string, payload: Uint8Array): void;
  abandonPing(key: string): void;
  onOverdue(elapsed: number, expected: number): void;
  onSuspended(gap: number): void;
  onSuspect(suspicion: Suspicion): void;
  /** A pong matched no ping while pings were in flight. */
  onUnmatchedPong(): void;
  onDead(silence: number): void;
}

/** Pings, latency and the verdict on the peer, whether judged in this thread or in a worker. Times are monotonic. */
export interface Keepalive {
  /** Round-trip time of the newest answered ping in milliseconds; null before the first. */
  readonly latency: number | null;
  readonly latencyStats: LatencyStats;
  /** The statistics themselves, which are cheaper to read than a snapshot; absent where another thread has them. */
  readonly statistics?: LatencyStatistics;
  /** When the last ping was queued; null before the first. */
  readonly lastPingAt: number | null;
  /** When the last pong arrived, matched or not; null before the first. */
  readonly lastPongAt: number | null;
  readonly pingsInFlight: number;
  /** When the oldest unanswered ping was queued; null for none. */
  readonly oldestPingAt: number | null;
  /** The longest gap in milliseconds during which our own process did not run. */
  readonly longestGap: number;
  /** How the peer is judged. */
  readonly deadlines: HeartbeatDeadlines;
  /** The suspicion against the peer that lasts; null for none. */
  readonly suspicion: Suspicion | null;
  /** Whether to call `onTraffic` for the next message. Always false with fixed detection. */
  readonly isQuiet: boolean;
  /** @param delaysPing sends the first ping in a later turn than this one. @default false */
  open(delaysPing?: boolean): void;
  /** Makes a payload that no ping in flight has. */
  newPayload(): Uint8Array;
  isInFlight(payload: Uint8Array): boolean;
  /** Sends a ping of the application; resolves with its round-trip time in milliseconds. */
  ping(payload: Uint8Array, signal: AbortSignal | null, timeout?: number | null): Promise<number>;
  onPingSent(key: string): void;
  /** Handles a pong; returns the round-trip time of the ping that it answers, or null if it answers none. */
  onPong(payload: Uint8Array, now: number): number | null;
  /** Pings now rather than at the next slot, so that a dead peer is detected within `pingTimeout`. */
  probe(): void;
  /** A message was sent or received. */
  onTraffic(): void;
  /** The page was shown or hidden. */
  onPage(isVisible: boolean): void;
  pauseReading(): void;
  resumeReading(): void;
  beginClosing(): void;
  /** The connection has ended: rejects the pings that wait for a pong. */
  end(closedError: () => Error): void;
}

export type KeepaliveFactory = (
  runtime: Runtime,
  handler: KeepaliveHandler,
  options: HeartbeatSettings,
) => Keepalive;

interface PingWaiter {
  readonly timeout: number | null;
  readonly answer: Deferred<number>;
  readonly stopWatching: () => void;
}

/** Judges the peer in this thread. */
export class HeartbeatKeepalive extends Deadline implements Keepalive, PollHandler {
  readonly heartbeat: Heartbeat;
  readonly #runtime: Runtime;
  readonly #handler: KeepaliveHandler;
  readonly #options: HeartbeatSettings;
  #waiters: Map<string, PingWaiter> | null = null;
  #lastPingAt: number | null = null;
  #lastPongAt: number | null = null;
  #isClosing = false;
  #delaysPing = false;
  /** The first ping, while it waits for a later turn; null for none. */
  #delayedPing: Uint8Array | null = null;

  constructor(runtime: Runtime, handler: KeepaliveHandler, options: HeartbeatSettings) {
    super();
    this.#runtime = runtime;
    this.#handler = handler;
    this.heartbeat = new Heartbeat(options);
    this.#options = options;
  }

  get latency(): number | null {
    return this.heartbeat.statistics.last;
  }

  get latencyStats(): LatencyStats {
    return this.heartbeat.statistics.snapshot();
  }

  get statistics(): LatencyStatistics {
    return this.heartbeat.statistics;
  }

  get pingsInFlight(): number {
    return this.heartbeat.pings.size;
  }

  get oldestPingAt(): number | null {
    return this.heartbeat.pings.oldest?.queuedAt ?? null;
  }

  get longestGap(): number {
    return this.heartbeat.longestGap;
  }

  get deadlines(): HeartbeatDeadlines {
    return this.heartbeat.deadlines;
  }

  get suspicion(): Suspicion | null {
    return this.heartbeat.suspicion(this.#now());
  }

  get isQuiet(): boolean {
    return this.heartbeat.isQuiet;
  }

  get lastPingAt(): number | null {
    return this.#lastPingAt;
  }

  get lastPongAt(): number | null {
    return this.#lastPongAt;
  }

  open(delaysPing = false): void {
    this.#delaysPing = delaysPing;
    this.#observe(this.#now(), { type: "opened", wallNow: this.#wallNow() });
    this.#delaysPing = false;
    if (this.#delayedPing !== null) this.#runtime.afterTwoPolls(this);
  }

  /** Sends the first ping, which was delayed. */
  onPolledTwice(): void {
    const payload = this.#delayedPing;
    this.#delayedPing = null;
    if (payload !== null && !this.#isClosing) this.#handler.queuePing(keyOf(payload), payload);
  }

  newPayload(): Uint8Array {
    for (;;) {
      const payload = this.#runtime.randomBytes(PAYLOAD_SIZE);
      // Usually no ping is in flight, so no key is needed.
      if (this.heartbeat.pings.size === 0 || !this.heartbeat.pings.has(keyOf(payload))) return payload;
    }
  }

  isInFlight(payload: Uint8Array): boolean {
    return this.heartbeat.pings.has(keyOf(payload));
  }

  ping(payload: Uint8Array, signal: AbortSignal | null, timeout: number | null = null): Promise<number> {
    const key = keyOf(payload);
    const answer = new Deferred<number>();
    const onAbort = (): void => this.#abandon(key, signal?.reason);
    watchAbort(signal, onAbort);
    this.#waiters ??= new Map();
    this.#waiters.set(key, { timeout, answer, stopWatching: () => unwatchAbort(signal, onAbort) });
    this.#queuePing(payload, { type: "ping-queued", payload: key, isKeepalive: false, timeout });
    return answer.promise;
  }

  onPingSent(key: string): void {
    this.#observe(this.#now(), { type: "ping-sent", payload: key, bytesSent: this.#handler.bytesSent });
  }

  onPong(payload: Uint8Array, now: number): number | null {
    const key = keyOf(payload);
    let roundTrip: number | null = null;
    for (const action of this.#observe(now, { type: "pong", payload: key })) {
      if (action.type === "answered" && action.payload === key) roundTrip = action.elapsed;
    }
    return roundTrip;
  }

  probe(): void {
    this.#observe(this.#now(), { type: "probe" });
  }

  onTraffic(): void {
    this.#observe(this.#now(), { type: "traffic" });
  }

  onPage(isVisible: boolean): void {
    this.#observe(this.#now(), { type: "page", isVisible });
  }

  pauseReading(): void {
    this.#observe(this.#now(), { type: "reading-paused" });
  }

  resumeReading(): void {
    this.#observe(this.#now(), { type: "reading-resumed" });
  }

  beginClosing(): void {
    this.#isClosing = true;
    this.#observe(this.#now(), { type: "closing" });
  }

  end(closedError: () => Error): void {
    this.#isClosing = true;
    this.#observe(this.#now(), { type: "ended" });
    const waiters = this.#waiters;
    this.#waiters = null;
    for (const waiter of waiters?.values() ?? []) {
      waiter.stopWatching();
      waiter.answer.resolve(rejectToCaller(closedError(), waiter.answer.promise));
    }
  }

  onAlarm(now: number): void {
    this.#look(now, "wake");
  }

  #look(now: number, type: "polled" | "wake"): void {
    const { lastReceivedAt } = this.#handler;
    this.#observe(now, { type, wallNow: this.#wallNow(), lastReceivedAt });
  }

  #observe(now: number, observation: Observation): readonly Action[] {
    const actions = this.heartbeat.observe(now, observation);
    for (const action of actions) this.#perform(action, now);
    const wake = this.heartbeat.nextWakeOnGrid(pingSlot(this.#runtime.timers, this.#options));
    if (wake === null) this.#runtime.timers.cancel(this);
    else this.#runtime.timers.set(this, wake);
    return actions;
  }

  #perform(action: Action, now: number): void {
    // A listener called for an earlier action may have ended the connection.
    if (this.#isClosing && action.type !== "answered" && action.type !== "expired") return;
    switch (action.type) {
      case "send-ping": {
        const payload = this.newPayload();
        this.#queuePing(payload, { type: "ping-queued", payload: keyOf(payload), isKeepalive: true });
        return;
      }
      case "poll":
        this.#runtime.clock.afterPoll(() => this.#look(this.#now(), "polled"));
        return;
      case "answered":
        this.#lastPongAt = now;
        this.#takeWaiter(action.payload)?.answer.resolve(action.elapsed);
        return;
      case "pong-unmatched":
        this.#lastPongAt = now;
        this.#handler.onUnmatchedPong();
        return;
      case "expired":
        this.#withdraw(action.payload);
        this.#rejectAsTooSlow(action.payload);
        return;
      case "overdue":
        this.#handler.onOverdue(action.elapsed, action.expected);
        return;
      case "suspended":
        this.#handler.onSuspended(action.gap);
        return;
      case "suspect": {
        const { level, silence, expected } = action;
        this.#handler.onSuspect({ level, silence, expected });
        return;
      }
      case "dead":
        this.#handler.onDead(action.silence);
        return;
    }
  }

  #queuePing(payload: Uint8Array, observation: Extract<Observation, { type: "ping-queued" }>): void {
    const now = this.#now();
    this.#lastPingAt = now;
    this.#observe(now, observation);
    if (this.#isClosing) return; // A listener of `suspended` has closed the connection.
    if (this.#delaysPing) this.#delayedPing = payload;
    else this.#handler.queuePing(observation.payload, payload);
  }

  #withdraw(key: string): void {
    if (this.#delayedPing !== null && keyOf(this.#delayedPing) === key) this.#delayedPing = null;
    this.#handler.abandonPing(key);
  }

  #rejectAsTooSlow(key: string): void {
    const waiter = this.#takeWaiter(key);
    if (typeof waiter?.timeout !== "number") return;
    const message = `Expected the pong of a ping within ${waiter.timeout} ms, got none; the connection is still open`;
    waiter.answer.resolve(rejectToCaller(new TooSlowError(message, waiter.timeout), waiter.answer.promise));
  }

  /** Removes the ping everywhere, also from the outbox if it has not been written. */
  #abandon(key: string, reason: unknown): void {
    const waiter = this.#takeWaiter(key);
    if (waiter === null) return;
    this.#withdraw(key);
    this.#observe(this.#now(), { type: "ping-abandoned", payload: key });
    void quietly(waiter.answer.promise);
    waiter.answer.reject(reason);
  }

  #takeWaiter(key: string): PingWaiter | null {
    const waiter = this.#waiters?.get(key);
    if (waiter === undefined) return null;
    this.#waiters?.delete(key);
    waiter.stopWatching();
    return waiter;
  }

  #now(): number {
    return this.#runtime.clock.now();
  }

  #wallNow(): number {
    return this.#runtime.clock.wallNow();
  }
}

/** The heartbeat knows payloads as strings, a character for each byte. */
export function keyOf(payload: Uint8Array): string {
  // Cast: `apply` is declared for arrays but accepts any array-like. A spread would cost three times as much.
  return String.fromCharCode.apply(null, payload as unknown as number[]);
}
