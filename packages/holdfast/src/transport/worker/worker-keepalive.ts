// The heartbeat of a connection in a worker. It runs and judges there; this side only receives its events.

import { quietly } from "../../shared/deferred.js";
import type { HeartbeatDeadlines } from "../../heartbeat/heartbeat.js";
import type { HeartbeatSettings } from "../../heartbeat/signals.js";
import type { LatencyStats } from "../../heartbeat/latency-statistics.js";
import { noLatency } from "../../heartbeat/no-latency.js";
import { keyOf, type Keepalive, type KeepaliveHandler } from "../../connection/keepalive/keepalive.js";
import { PingWaiters } from "../../connection/keepalive/ping-waiters.js";
import type { Runtime } from "../../connection/runtime.js";
import { Alarm } from "../../connection/timer-queue.js";
import { rebuildError } from "./error-copy.js";
import type { Mailbox } from "./mailbox.js";
import type { WorkerEvent, WorkerCommand } from "./signals.js";

/** Heartbeat events of the worker. */
export type KeepaliveEvent = Extract<
  WorkerEvent,
  { type: "alive" | "not-pinged" | "overdue" | "pinged" | "pong" | "suspect" | "suspended" }
>;

/** Milliseconds that the worker has to report, or to answer. */
const ANSWER_TIMEOUT = 1000;

export class WorkerKeepalive implements Keepalive {
  /** The worker's evidence contains it. */
  readonly oldestPingAt = null;
  readonly deadlines: HeartbeatDeadlines;
  /** Only the worker knows. */
  readonly suspicion = null;
  /** The worker observes the traffic. */
  readonly isQuiet = false;
  readonly #runtime: Runtime;
  readonly #handler: KeepaliveHandler;
  readonly #mailbox: Mailbox<WorkerCommand, WorkerEvent>;
  readonly #waiters = new PingWaiters();
  #stats: LatencyStats = noLatency();
  #roundTrip: number | null = null;
  #longestGap = 0;
  #lastPingAt: number | null = null;
  #lastPongAt: number | null = null;
  /** When the worker answered the last check. */
  #aliveAt = -Infinity;

  constructor(
    runtime: Runtime,
    handler: KeepaliveHandler,
    mailbox: Mailbox<WorkerCommand, WorkerEvent>,
    { detection = null, pingTimeout }: HeartbeatSettings,
  ) {
    // The worker's evidence contains what it measured.
    const kind = detection === null ? "fixed" : "adaptive";
    this.deadlines = { detection: kind, suspectAfter: null, deadAfter: pingTimeout };
    this.#runtime = runtime;
    this.#handler = handler;
    this.#mailbox = mailbox;
  }

  get latency(): number | null {
    return this.#stats.last;
  }

  get latencyStats(): LatencyStats {
    return this.#stats;
  }

  get lastPingAt(): number | null {
    return this.#lastPingAt;
  }

  get lastPongAt(): number | null {
    return this.#lastPongAt;
  }

  get pingsInFlight(): number {
    return this.#waiters.size;
  }

  get longestGap(): number {
    return this.#longestGap;
  }

  open(): void {
    // It is already running.
  }

  newPayload(): Uint8Array {
    return this.#runtime.randomBytes(8);
  }

  isInFlight(payload: Uint8Array): boolean {
    return this.#waiters.has(keyOf(payload));
  }

  ping(payload: Uint8Array, signal: AbortSignal | null, timeout: number | null = null): Promise<number> {
    const key = keyOf(payload);
    const answer = this.#waiters.add(key, timeout, signal, () => this.#mailbox.post({ type: "unping", key }));
    void quietly(answer);
    if (timeout !== null) this.#limit(key, answer, timeout);
    this.#lastPingAt = this.#runtime.clock.now();
    this.#mailbox.post({ type: "ping", key, payload, timeout });
    return answer;
  }

  /** The worker judges, as long as it answers. If it has ended, browsers do not report that. */
  #limit(key: string, answer: Promise<number>, timeout: number): void {
    const { clock, timers } = this.#runtime;
    let checkedAt: number | null = null;
    const onLate = (): void => {
      if (!this.#waiters.has(key)) return;
      if (checkedAt !== null && this.#aliveAt < checkedAt) {
        this.#waiters.expire(key);
        return;
      }
      checkedAt = clock.now();
      this.#mailbox.post({ type: "check" });
      timers.set(alarm, checkedAt + ANSWER_TIMEOUT);
    };
    const alarm = new Alarm({ onAlarm: () => clock.afterPoll(onLate) });
    timers.set(alarm, clock.now() + timeout + ANSWER_TIMEOUT);
    const cancel = (): void => timers.cancel(alarm);
    void answer.then(cancel, cancel);
  }

  onPingSent(): void {
    // The worker sends it.
  }

  onPong(): number | null {
    return this.#roundTrip;
  }

  probe(): void {
    this.#mailbox.post({ type: "probe" });
  }

  onTraffic(): void {
    // The worker observes it.
  }

  onPage(): void {
    // A worker has no page: the traffic decides how often it pings.
  }

  pauseReading(): void {
    // The worker pauses reading when this thread stops consuming messages.
  }

  resumeReading(): void {
    // It continues by itself.
  }

  beginClosing(): void {
    // The worker knows.
  }

  end(closedError: () => Error): void {
    this.#waiters.end(closedError);
  }

  // Events of the worker.

  onEvent(event: KeepaliveEvent): void {
    switch (event.type) {
      case "alive":
        this.#aliveAt = this.#runtime.clock.now();
        return;
      case "pinged":
        this.#waiters.resolve(event.key, event.elapsed);
        return;
      case "not-pinged":
        this.#waiters.reject(event.key, rebuildError(event.error));
        return;
      case "pong":
        this.#stats = event.stats;
        this.#roundTrip = event.roundTrip;
        if (event.roundTrip !== null) this.#lastPongAt = this.#runtime.clock.now();
        return;
      case "overdue":
        this.#stats = event.stats;
        this.#handler.onOverdue(event.elapsed, event.expected);
        return;
      case "suspect": {
        const { level, silence, expected } = event;
        this.#stats = event.stats;
        this.#handler.onSuspect({ level, silence, expected });
        return;
      }
      case "suspended":
        this.#longestGap = Math.max(this.#longestGap, event.gap);
        this.#handler.onSuspended(event.gap);
        return;
    }
  }
}
