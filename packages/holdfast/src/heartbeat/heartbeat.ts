// The heartbeat: when to ping, what a pong means, when a peer is dead. A pure state machine: it is told what was
// observed and when, and answers with what to do. It judges the peer and the network, never our own process:
// a blocked event loop, a suspended machine and paused reading are discounted.

/* eslint max-lines: ["warn", { "max": 325, "skipBlankLines": true, "skipComments": true }] -- One state machine: its states are understood together, or not at all. */

import { GapDetector } from "./gap-detector.js";
import { LatencyStatistics } from "./latency-statistics.js";
import { PingGrid } from "./ping-grid.js";
import { PingsInFlight, type Ping } from "./pings-in-flight.js";
import type { Action, HeartbeatSettings, Observation } from "./signals.js";

/** A ping is suspicious after three smoothed round trips, but not before this many milliseconds. */
const OVERDUE_AT_LEAST = 1000;
const OVERDUE_ROUND_TRIPS = 3;

/** What calls for a probe often comes in company: a page is shown, is visible and online again. In milliseconds. */
const PROBES_APART = 1000;

/** A gap in our own life counts from this many milliseconds on, or from half of `pingTimeout` where that is less. */
const GAP_AT_MOST = 1000;

/**
 * After a gap the peer gets a fresh ping with the whole `pingTimeout`, but only so many times without any
 * pong: a process that stalls all the time must still find out that its peer is dead.
 */
const MAX_GRACES = 3;

/**
 * Pongs may stand behind what piled up in the kernel while reading was paused, so after a pause each ping has its whole
 * time again. A peer that makes us pause time and again gets that only so many times without any pong: from then on
 * the time in which we read adds up.
 */
const MAX_RESTARTS = 3;

/**
 * Where nothing is judged (no `pingTimeout`, reading paused, traffic as life) only this bounds the table: the oldest
 * keepalive pings count as lost. At least as many, and twice those that can be in flight within a `pingTimeout`:
 * a ping that has yet to be judged is never forgotten.
 */
const KEEPALIVE_IN_FLIGHT_AT_LEAST = 128;

const NOTHING: readonly Action[] = [];

export class Heartbeat {
  readonly statistics = new LatencyStatistics();
  readonly pings = new PingsInFlight();
  readonly #options: HeartbeatSettings;
  readonly #gaps = new GapDetector();

  #isRunning = false;
  #grid: PingGrid | null = null;
  /** As of the last wake; kept for `liveness: "traffic"` only. */
  #lastReceivedAt: number | null = null;
  #pausedAt: number | null = null;
  /** When a poll phase was asked for, before a judgement; null outside of one. */
  #pollingSince: number | null = null;
  /** The gap that the next judgement has to make allowance for. */
  #recentGap: "none" | "stall" | "suspension" = "none";
  #graces = 0;
  #restarts = 0;
  #unknownPongs = 0;

  constructor(options: HeartbeatSettings) {
    this.#options = options;
  }

  /** When to report `wake`; null for never. */
  get nextWake(): number | null {
    if (!this.#isRunning || this.#pollingSince !== null) return null;
    const next = Math.min(this.#grid?.nextAt ?? Infinity, this.#nextLate());
    return next === Infinity ? null : next;
  }

  /** The longest time, in milliseconds, that our own process was seen not to run. */
  get longestGap(): number {
    return this.#gaps.longest;
  }

  /** Pongs that answered no ping in flight: unsolicited, late or forged. */
  get unknownPongs(): number {
    return this.#unknownPongs;
  }

  observe(now: number, observation: Observation): readonly Action[] {
    // Whatever is told first behind a stall shows it: a pong that the kernel held, an abort, a ping of the application.
    const suspended = this.#noticeStall(now);
    const actions = this.#react(now, observation);
    this.#gaps.ran(now);
    return suspended === null ? actions : [suspended, ...actions];
  }

  #react(now: number, observation: Observation): readonly Action[] {
    switch (observation.type) {
      case "opened":
        return this.#open(now, observation.wallNow);
      case "ping-queued":
        return this.#queue(
          now,
          observation.payload,
          observation.isKeepalive,
          observation.isKeepalive ? this.#options.pingTimeout : observation.timeout,
        );
      case "ping-sent":
        return this.#send(now, observation.payload);
      case "ping-abandoned":
        if (this.pings.remove(observation.payload)) this.statistics.lost++;
        return NOTHING;
      case "pong":
        return this.#answer(now, observation.payload);
      case "wake":
        return this.#wake(now, observation.wallNow, observation.lastReceivedAt);
      case "polled":
        return this.#endPoll(now, observation.wallNow, observation.lastReceivedAt);
      case "probe":
        return this.#probe(now);
      case "reading-paused":
        this.#pausedAt ??= now;
        return NOTHING;
      case "reading-resumed":
        return this.#resume(now);
      case "closing":
        return this.#retire();
      case "ended":
        return this.#end();
    }
  }

  #open(now: number, wallNow: number): readonly Action[] {
    this.#isRunning = true;
    this.#gaps.start(now, wallNow);
    if (this.#options.pingInterval === null) return NOTHING;
    this.#grid = new PingGrid(now, this.#options.pingInterval);
    return [{ type: "send-ping" }];
  }

  #queue(now: number, payload: string, isKeepalive: boolean, timeout: number | null): readonly Action[] {
    this.pings.add({
      payload,
      isKeepalive,
      timeout,
      queuedAt: now,
      sentAt: null,
      deadline: timeout === null ? null : now + timeout,
      overdueAt: now + this.#suspiciousAfter(),
      isDisturbed: this.#pausedAt !== null,
    });
    if (isKeepalive && this.pings.size > KEEPALIVE_IN_FLIGHT_AT_LEAST) this.#boundKeepaliveInFlight();
    return NOTHING;
  }

  #send(now: number, payload: string): readonly Action[] {
    const ping = this.pings.get(payload);
    if (ping === undefined) return NOTHING;
    ping.sentAt = now;
    this.statistics.sent++;
    return NOTHING;
  }

  #answer(now: number, payload: string): readonly Action[] {
    const actions: Action[] = [];
    // A payload that has not left yet was guessed: the pong is none, and the peer still has to answer the ping.
    const hasLeft = (this.pings.get(payload)?.sentAt ?? null) !== null;
    const answered = hasLeft ? this.pings.takeUpTo(payload) : [];
    this.#graces = 0;
    this.#restarts = 0;
    if (answered.length === 0) {
      this.#unknownPongs++;
      if (this.#excuseSent()) actions.push({ type: "pong-unmatched" });
    }
    for (const ping of answered) {
      const elapsed = now - (ping.sentAt ?? ping.queuedAt);
      this.statistics.answered++;
      // RFC 6455 section 5.5.3 lets a peer answer only the newest of several pings, so a pong answers the
      // older ones too; but how long they took, only their own pong could tell.
      if (ping.payload === payload && !ping.isDisturbed) this.statistics.add(elapsed);
      actions.push({ type: "answered", payload: ping.payload, elapsed });
    }
    return actions;
  }

  /**
   * A pong that matches no ping was still written by a peer that lives: the keepalive pings that have left are not judged
   * any more. They wait for their own pong, for the sake of the sample, until a later one is answered like this as well.
   * Returns whether there were any.
   */
  #excuseSent(): boolean {
    let newest: Ping | null = null;
    for (const ping of this.pings) {
      if (!ping.isKeepalive || ping.sentAt === null || ping.deadline === null) continue;
      ping.deadline = null;
      ping.overdueAt = null;
      newest = ping;
    }
    if (newest === null) return false;
    for (const ping of this.pings) {
      if (ping === newest) break;
      if (!ping.isKeepalive || ping.deadline !== null) continue;
      this.pings.remove(ping.payload);
      this.statistics.lost++;
    }
    return true;
  }

  #wake(now: number, wallNow: number, lastReceivedAt: number): readonly Action[] {
    if (!this.#isRunning) return NOTHING;
    const actions: Action[] = [];
    if (this.#options.liveness === "traffic") this.#lastReceivedAt = lastReceivedAt;
    this.#noticeSuspension(now, wallNow, actions);
    if (this.#recentGap !== "none" || this.#nextLate() <= now) {
      // It may only seem so: the pong may lie in the kernel.
      this.#pollingSince = now;
      return [...actions, { type: "poll" }];
    }
    if (this.#takeSlot(now)) actions.push({ type: "send-ping" });
    return actions;
  }

  #endPoll(now: number, wallNow: number, lastReceivedAt: number): readonly Action[] {
    if (!this.#isRunning) return NOTHING;
    const actions: Action[] = [];
    if (this.#options.liveness === "traffic") this.#lastReceivedAt = lastReceivedAt;
    this.#noticeSuspension(now, wallNow, actions);
    this.#pollingSince = null;
    const needsProbe = this.#makeAllowance(now);
    if (this.#pausedAt === null) {
      const verdict = this.#judge(now, actions);
      if (verdict !== null) {
        this.#retire(); // One verdict is enough, however long the end takes.
        return [...actions, verdict];
      }
    }
    if (this.#takeSlot(now) || needsProbe) actions.push({ type: "send-ping" });
    return actions;
  }

  /** Finds the pings that are late, oldest first: suspicious ones are told, an unanswered keepalive is the verdict. */
  #judge(now: number, actions: Action[]): Action | null {
    for (const ping of this.pings) {
      const elapsed = now - ping.queuedAt;
      if (this.#effectiveDeadline(ping) <= now) {
        if (ping.isKeepalive) return { type: "dead", silence: elapsed };
        if (this.#excuse(ping, now)) continue;
        this.pings.remove(ping.payload);
        this.statistics.lost++;
        actions.push({ type: "expired", payload: ping.payload });
        continue;
      }
      if (ping.overdueAt === null || ping.overdueAt > now) continue;
      const expected = ping.overdueAt - ping.queuedAt;
      ping.overdueAt = null;
      actions.push({ type: "overdue", payload: ping.payload, elapsed, expected });
    }
    return null;
  }

  /**
   * A ping of the application whose deadline we ourselves saw late, by half of its timeout or more, may have left late
   * as well: it gets the whole time again. Shorter timeouts than keepalive's know shorter stalls than gaps.
   */
  #excuse(ping: Ping, now: number): boolean {
    if (ping.timeout === null || ping.deadline === null) return false;
    if (now - ping.deadline < ping.timeout / 2 || this.#graces >= MAX_GRACES) return false;
    this.#graces++;
    ping.deadline = now + ping.timeout;
    return true;
  }

  /**
   * After a gap, keepalive pings from before it are not judged any more: a fresh one is, in their place. Those of the
   * application get their whole time again.
   */
  #makeAllowance(now: number): boolean {
    const gap = this.#recentGap;
    this.#recentGap = "none";
    if (gap === "none" || this.#graces >= MAX_GRACES) return false;
    let needsProbe = gap === "suspension" && this.#options.pingInterval !== null;
    for (const ping of this.pings) {
      // Nor are they suspected: nobody knows how much of their time was before the gap.
      if (ping.overdueAt !== null) ping.overdueAt = now + this.#suspiciousAfter();
      if (ping.deadline === null || ping.timeout === null) continue;
      ping.deadline = ping.isKeepalive ? null : now + ping.timeout;
      needsProbe ||= ping.isKeepalive;
    }
    if (needsProbe || this.pings.size > 0) this.#graces++;
    return needsProbe;
  }

  /** A ping ahead of its time, unless one has just been sent. */
  #probe(now: number): readonly Action[] {
    if (this.#grid === null) return NOTHING;
    for (const ping of this.pings) {
      if (ping.isKeepalive && now - ping.queuedAt < PROBES_APART) return NOTHING;
    }
    return [{ type: "send-ping" }];
  }

  #resume(now: number): readonly Action[] {
    if (this.#pausedAt === null) return NOTHING;
    const pausedAt = this.#pausedAt;
    this.#pausedAt = null;
    const startsAnew = this.#restarts < MAX_RESTARTS;
    if (startsAnew && this.pings.size > 0) this.#restarts++;
    for (const ping of this.pings) {
      ping.isDisturbed = true;
      if (ping.deadline !== null && ping.timeout !== null) {
        ping.deadline = startsAnew
          ? now + ping.timeout
          : ping.deadline + now - Math.max(pausedAt, ping.queuedAt);
      }
      if (ping.overdueAt !== null) ping.overdueAt = now + this.#suspiciousAfter();
    }
    return NOTHING;
  }

  /** No more pings and no verdict, but pongs of pings in flight are still welcome. */
  #retire(): readonly Action[] {
    this.#isRunning = false;
    this.#grid = null;
    return NOTHING;
  }

  #end(): readonly Action[] {
    this.statistics.lost += this.pings.size;
    this.pings.clear();
    return this.#retire();
  }

  #noticeStall(now: number): Action | null {
    if (!this.#isRunning) return null;
    const gap = this.#gaps.stallSince(this.#pollingSince ?? this.nextWake, now, this.#gapThreshold());
    if (gap === 0) return null;
    if (this.#recentGap === "none") this.#recentGap = "stall";
    for (const ping of this.pings) {
      ping.isDisturbed = true;
      if (ping.deadline !== null) ping.deadline += gap;
      if (ping.overdueAt !== null) ping.overdueAt += gap;
    }
    return { type: "suspended", gap };
  }

  #noticeSuspension(now: number, wallNow: number, actions: Action[]): void {
    const gap = this.#gaps.suspensionUntil(now, wallNow, this.#gapThreshold());
    if (gap === 0) return;
    this.#recentGap = "suspension";
    actions.push({ type: "suspended", gap });
    for (const ping of this.pings) ping.isDisturbed = true;
  }

  /** When the first ping is late, or suspicious; while reading is paused, none is. */
  #nextLate(): number {
    const { only, size } = this.pings;
    if (size === 0 || this.#pausedAt !== null) return Infinity;
    if (only !== null) return this.#lateAt(only);
    let next = Infinity;
    for (const ping of this.pings) next = Math.min(next, this.#lateAt(ping));
    return next;
  }

  #lateAt(ping: Ping): number {
    return Math.min(ping.overdueAt ?? Infinity, this.#effectiveDeadline(ping));
  }

  #takeSlot(now: number): boolean {
    if (this.#grid === null || !this.#grid.isDue(now)) return false;
    this.#grid.advance(now);
    return true;
  }

  #effectiveDeadline(ping: Ping): number {
    if (ping.deadline === null) return Infinity;
    // Who sets a ping a time of its own wants to know when the pong comes, and not whether the peer lives.
    if (!ping.isKeepalive || this.#lastReceivedAt === null || ping.timeout === null) return ping.deadline;
    return Math.max(ping.deadline, this.#lastReceivedAt + ping.timeout);
  }

  #gapThreshold(): number {
    return Math.min(GAP_AT_MOST, (this.#options.pingTimeout ?? Infinity) / 2);
  }

  #suspiciousAfter(): number {
    return Math.max(OVERDUE_AT_LEAST, OVERDUE_ROUND_TRIPS * (this.statistics.smoothed ?? 0));
  }

  /** No ping is forgotten that is still to be judged, even where a gap has moved its deadline. */
  #maxKeepaliveInFlight(): number {
    const { pingInterval, pingTimeout } = this.#options;
    return Math.max(
      KEEPALIVE_IN_FLIGHT_AT_LEAST,
      Math.ceil((2 * (pingTimeout ?? 0)) / (pingInterval ?? Infinity)),
    );
  }

  #boundKeepaliveInFlight(): void {
    let oldest: Ping | null = null;
    let next: Ping | null = null;
    let count = 0;
    for (const ping of this.pings) {
      if (!ping.isKeepalive) continue; // The application bounds its own.
      if (oldest === null) oldest = ping;
      else next ??= ping;
      count++;
    }
    if (oldest === null || count <= this.#maxKeepaliveInFlight()) return;
    // The silence goes on: a pong of the next one would have answered this one, too.
    const deadline = next?.deadline ?? null;
    if (next !== null && deadline !== null && oldest.deadline !== null) {
      next.deadline = Math.min(deadline, oldest.deadline);
    }
    this.pings.remove(oldest.payload);
    this.statistics.lost++;
  }
}
