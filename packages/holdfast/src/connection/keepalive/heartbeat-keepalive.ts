// Drives a connection's heartbeat: passes observations to the pure state machine, performs its actions, and settles the
// promises of `ping()`.

import type { LatencyStatistics, LatencyStats } from "../../heartbeat/latency-statistics.js";
import type { Action, HeartbeatSettings, Observation } from "../../heartbeat/signals.js";
import type { Suspicion } from "../../heartbeat/adaptive-detection.js";
import { Heartbeat, type HeartbeatDeadlines } from "../../heartbeat/heartbeat.js";
import { keyOf, type Keepalive, type KeepaliveFactory, type KeepaliveHandler } from "./keepalive.js";
import { pingSlot } from "./ping-slot.js";
import { PingWaiters } from "./ping-waiters.js";
import type { PollHandler, Runtime } from "../runtime.js";
import { Deadline } from "../timer-queue.js";

/** The payload size in bytes of a keepalive ping. A peer must not be able to guess the payload and answer early. */
const PAYLOAD_SIZE = 8;

/** Judges the peer in this thread. */
export const heartbeatKeepalive: KeepaliveFactory = (runtime, handler, settings) =>
  new HeartbeatKeepalive(runtime, handler, settings);

export class HeartbeatKeepalive extends Deadline implements Keepalive, PollHandler {
  readonly heartbeat: Heartbeat;
  readonly #runtime: Runtime;
  readonly #handler: KeepaliveHandler;
  readonly #options: HeartbeatSettings;
  #waiters: PingWaiters | null = null;
  // In whole milliseconds: V8 allocates an object for a fraction.
  #lastPingAt = NEVER;
  #lastPongAt = NEVER;
  #isClosing = false;
  #delaysPing = false;
  /** When the first ping of this turn of the event loop was queued. */
  #queuedSince = NEVER;
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
    return orNull(this.#lastPingAt);
  }

  get lastPongAt(): number | null {
    return orNull(this.#lastPongAt);
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
    this.#endTurn();
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
    this.#waiters ??= new PingWaiters();
    const answer = this.#waiters.add(key, timeout, signal, () => this.#abandon(key));
    this.#queuePing(payload, { type: "ping-queued", payload: key, isKeepalive: false, timeout });
    return answer;
  }

  onPingSent(key: string): void {
    this.#endTurn();
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
    waiters?.end(closedError);
  }

  onAlarm(now: number): void {
    this.#look(now, "wake");
  }

  override onStall(gap: number): void {
    this.#observe(this.#now(), { type: "stalled", gap });
  }

  #look(now: number, type: "polled" | "wake"): void {
    const { lastReceivedAt } = this.#handler;
    this.#observe(now, { type, wallNow: this.#wallNow(), lastReceivedAt });
  }

  #observe(now: number, observation: Observation): readonly Action[] {
    const actions = this.heartbeat.observe(now, observation);
    for (const action of actions) this.#perform(action, now);
    const wake = this.heartbeat.nextWakeOnGrid(pingSlot(this.#runtime.timers, this.#options));
    if (wake === null) {
      this.#runtime.timers.cancel(this);
      return actions;
    }
    this.#runtime.timers.set(this, wake);
    this.#runtime.watchStalls();
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
        this.#lastPongAt = Math.floor(now);
        this.#waiters?.resolve(action.payload, action.elapsed);
        return;
      case "pong-unmatched":
        this.#lastPongAt = Math.floor(now);
        this.#handler.onUnmatchedPong();
        return;
      case "expired":
        this.#withdraw(action.payload);
        this.#waiters?.expire(action.payload);
        return;
      case "overdue":
        this.#handler.onOverdue(action.elapsed, action.expected);
        return;
      case "suspended":
        if (this.#queuedSince !== NEVER) this.#queuedSince = Math.floor(now); // It counts once.
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
    this.#lastPingAt = Math.floor(now);
    this.#observe(now, observation);
    if (this.#isClosing) return; // A listener of `suspended` has closed the connection.
    const isFirst = this.#queuedSince === NEVER;
    if (isFirst) this.#queuedSince = this.#lastPingAt;
    if (this.#delaysPing) {
      this.#delayedPing = payload;
      return;
    }
    if (isFirst) this.#runtime.clock.atTurnEnd(() => this.#endTurn());
    this.#handler.queuePing(observation.payload, payload);
  }

  /** Until now the event loop delayed the pings of this turn. From now on, only a full write buffer does. */
  #endTurn(): void {
    const since = this.#queuedSince;
    this.#queuedSince = NEVER;
    if (since !== NEVER) this.#observe(this.#now(), { type: "turn-ended", since });
  }

  /** Removes the ping from the outbox, if it has not been written. */
  #withdraw(key: string): void {
    if (this.#delayedPing !== null && keyOf(this.#delayedPing) === key) this.#delayedPing = null;
    this.#handler.abandonPing(key);
  }

  #abandon(key: string): void {
    this.#withdraw(key);
    this.#observe(this.#now(), { type: "ping-abandoned", payload: key });
  }

  #now(): number {
    return this.#runtime.clock.now();
  }

  #wallNow(): number {
    return this.#runtime.clock.wallNow();
  }
}

const NEVER = -1;

function orNull(time: number): number | null {
  return time === NEVER ? null : time;
}
