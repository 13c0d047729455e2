// The heartbeat decides when to ping, what a pong means, and when a peer is dead. It is a pure state machine: it takes
// an observation and the time, and returns actions. It judges the peer and the network, never our own process: time in
// which the event loop was blocked, the machine suspended or reading paused does not count against the peer.

/* eslint max-lines: ["warn", { "max": 320, "skipBlankLines": true, "skipComments": true }] -- One state machine, which is easier to follow in one file. */

import type { AdaptiveDetection, Suspicion } from "./adaptive-detection.js";
import { GapDetector } from "./gap-detector.js";
import { areTooManyInFlight, gapThreshold, periodOf } from "./limits.js";
import { LatencyStatistics } from "./latency-statistics.js";
import { dropOldest, excusePause, excuseSent, postpone, restartAfterGap } from "./ping-deadlines.js";
import { PingGrid } from "./ping-grid.js";
import { Ping, PingsInFlight } from "./pings-in-flight.js";
import type { Action, HeartbeatSettings, Observation } from "./signals.js";

/** A ping is overdue after three smoothed round trips, but not before this many milliseconds. */
const OVERDUE_AT_LEAST = 1000;
const OVERDUE_ROUND_TRIPS = 3;

/** Milliseconds between probes. Their triggers often come together: a page is shown, becomes visible and is online. */
const PROBES_APART = 1000;

/**
 * After a gap the peer gets a fresh ping with the whole `pingTimeout`, but only this many times in a row without a
 * pong: a process that stalls all the time must still detect a dead peer.
 */
const MAX_GRACES = 3;

/**
 * While reading is paused, pongs queue up in the kernel after other data. So each ping gets its whole timeout again after
 * a pause. A peer that makes us pause repeatedly gets this only so many times without a pong. After that, the time in
 * which we read adds up.
 */
const MAX_RESTARTS = 3;

const NOTHING: readonly Action[] = [];
const SEND_PING: readonly Action[] = [{ type: "send-ping" }];
/** Nothing is ever added to it. */
const NONE_IN_FLIGHT = new PingsInFlight();

/** How the peer is judged. Durations are milliseconds. */
export interface HeartbeatDeadlines {
  readonly detection: "adaptive" | "fixed";
  /** Silence from which the peer is suspected; null for never. */
  readonly suspectAfter: number | null;
  /** The time that a ping may stay unanswered; null for any time. */
  readonly deadAfter: number | null;
}

export class Heartbeat {
  readonly statistics = new LatencyStatistics();
  /** Null while none is in flight, as in most connections most of the time. */
  #pings: PingsInFlight | null = null;
  readonly #options: HeartbeatSettings;
  readonly #gaps = new GapDetector();
  /** When the first ping becomes late or the peer suspicious, as of the last observation; Infinity for never. */
  #lateAt = Infinity;
  /** Null for fixed detection. */
  readonly #adaptive: AdaptiveDetection | null;

  #isRunning = false;
  #grid: PingGrid | null = null;
  #pausedAt: number | null = null;
  /** When the poll phase before a verdict was requested; null if none is running. */
  #pollingSince: number | null = null;
  /** The gap that the next verdict has to discount. */
  #recentGap: "none" | "stall" | "suspension" = "none";
  #graces = 0;
  #restarts = 0;
  #unknownPongs = 0;

  constructor(options: HeartbeatSettings) {
    this.#options = options;
    const { adaptive, detection = null } = options;
    this.#adaptive = adaptive === undefined || detection === null ? null : new adaptive(options, detection);
  }

  /** The pings in flight, to read. */
  get pings(): PingsInFlight {
    return this.#pings ?? NONE_IN_FLIGHT;
  }

  /** Whether it wants to observe the next message, as `traffic`. */
  get isQuiet(): boolean {
    return this.#adaptive !== null && this.#adaptive.isQuiet;
  }

  /** As in CloseEvidence. */
  get deadlines(): HeartbeatDeadlines {
    const adaptive = this.#adaptive;
    if (adaptive === null)
      return { detection: "fixed", suspectAfter: null, deadAfter: this.#options.pingTimeout };
    const { suspectAfter, deadAfter } = adaptive;
    return { detection: "adaptive", suspectAfter, deadAfter };
  }

  /** The suspicion against the peer that lasts; null for none. */
  suspicion(now: number): Suspicion | null {
    return this.#adaptive?.currentSuspicion(now, this.pings) ?? null;
  }

  /** When the caller has to report `wake`; null for never. */
  get nextWake(): number | null {
    return this.nextWakeOnGrid(0);
  }

  /**
   * As `nextWake`, with pings postponed to a multiple of `width` milliseconds, so that the wake-ups of many connections
   * coincide. Wake-ups for verdicts stay exact, and so does the grid of later pings.
   */
  nextWakeOnGrid(width: number): number | null {
    if (!this.#isRunning || this.#pollingSince !== null) return null;
    const ping = this.#grid?.nextAt ?? Infinity;
    const next = Math.min(width > 0 ? Math.ceil(ping / width) * width : ping, this.#lateAt);
    return next === Infinity ? null : next;
  }

  /** The longest time, in milliseconds, for which our own process did not run. */
  get longestGap(): number {
    return this.#gaps.longest;
  }

  /** Pongs that matched no ping in flight: unsolicited, late or forged. */
  get unknownPongs(): number {
    return this.#unknownPongs;
  }

  observe(now: number, observation: Observation): readonly Action[] {
    // The first observation after a stall reveals it: a pong from the kernel's buffer, an abort, an application's ping.
    const suspended = this.#noticeStall(now, observation);
    const actions = this.#react(now, observation);
    if (this.#pings?.size === 0) this.#pings = null;
    this.#gaps.ran(now);
    this.#lateAt = this.#nextLate();
    return suspended === null ? actions : [suspended, ...actions];
  }

  #react(now: number, observation: Observation): readonly Action[] {
    switch (observation.type) {
      case "opened":
        return this.#open(now, observation.wallNow);
      case "ping-queued":
        return this.#queue(now, observation);
      case "ping-sent":
        return this.#send(now, observation.payload, observation.bytesSent ?? 0);
      case "turn-ended":
      case "stalled":
        return NOTHING;
      case "ping-abandoned":
        return this.#abandon(observation.payload);
      case "pong":
        return this.#answer(now, observation.payload);
      case "wake":
        return this.#wake(now, observation.wallNow, observation.lastReceivedAt);
      case "polled":
        return this.#endPoll(now, observation.wallNow, observation.lastReceivedAt);
      case "probe":
        return this.#probe(now);
      case "traffic":
        this.#adaptive?.onTraffic(now, this.#grid);
        return NOTHING;
      case "page":
        this.#adaptive?.onPageVisibility(observation.isVisible, now, this.#grid);
        return NOTHING;
      case "reading-paused":
        this.#pausedAt ??= now;
        return NOTHING;
      case "reading-resumed":
        return this.#resume(now);
      case "closing":
        return this.#stop();
      case "ended":
        return this.#end();
    }
  }

  #open(now: number, wallNow: number): readonly Action[] {
    this.#isRunning = true;
    this.#gaps.start(now, wallNow);
    const period = periodOf(this.#options);
    if (period === null) return NOTHING;
    this.#grid = new PingGrid(now, period, this.#adaptive?.firstSlots);
    if (this.#options.delaysFirstPing === true) return NOTHING;
    return SEND_PING;
  }

  #queue(now: number, queued: Extract<Observation, { type: "ping-queued" }>): readonly Action[] {
    const { payload, isKeepalive } = queued;
    const timeout = (queued.isKeepalive ? this.#options.pingTimeout : queued.timeout) ?? Infinity;
    const overdueAt = now + this.#overdueAfter();
    const ping = new Ping(payload, isKeepalive, timeout, now, overdueAt, this.#pausedAt !== null);
    // Unless traffic counts as life, it never puts off a deadline beyond the fixed one.
    if (this.#options.liveness === "pong") ping.latest = ping.deadline;
    (this.#pings ??= new PingsInFlight()).add(ping);
    if (areTooManyInFlight(this.pings.keepaliveCount, this.#options)) {
      dropOldest(this.pings);
      this.statistics.lost++;
    }
    return NOTHING;
  }

  #send(now: number, payload: string, bytesSent: number): readonly Action[] {
    const ping = this.pings.get(payload);
    if (ping === undefined) return NOTHING;
    ping.sentAt = now;
    this.statistics.sent++;
    if (ping.isKeepalive && this.#adaptive !== null) {
      this.#adaptive.onSent(ping, bytesSent, now);
      this.pings.reschedule(ping);
    }
    return NOTHING;
  }

  /** A ping that was withdrawn before it was sent is not lost: the peer never saw it. */
  #abandon(payload: string): readonly Action[] {
    const ping = this.pings.get(payload);
    if (ping !== undefined && ping.sentAt < Infinity) this.statistics.lost++;
    this.pings.remove(payload);
    return NOTHING;
  }

  #answer(now: number, payload: string): readonly Action[] {
    const actions: Action[] = [];
    // A pong with the payload of an unsent ping was guessed. It does not count, and the peer still has to answer the ping.
    const sentAt = this.pings.get(payload)?.sentAt ?? Infinity;
    const answered = sentAt < Infinity ? this.pings.takeUpTo(payload) : [];
    this.#graces = 0;
    this.#restarts = 0;
    this.#adaptive?.trust();
    if (answered.length === 0) {
      this.#unknownPongs++;
      const dropped = excuseSent(this.pings);
      if (dropped !== null) {
        this.statistics.lost += dropped;
        actions.push({ type: "pong-unmatched" });
      }
    }
    for (const ping of answered) {
      const elapsed = now - (ping.sentAt < Infinity ? ping.sentAt : ping.queuedAt);
      this.statistics.answered++;
      // RFC 6455 section 5.5.3 lets a peer answer only the newest of several pings, so a pong answers the older ones
      // too. Only a ping's own pong measures its round trip.
      const measures = ping.payload === payload && !ping.isDisturbed;
      if (measures) this.statistics.add(elapsed);
      if (ping.isKeepalive) this.#adaptive?.onAnswered(ping, measures ? elapsed : null);
      actions.push({ type: "answered", payload: ping.payload, elapsed });
    }
    return actions;
  }

  #wake(now: number, wallNow: number, lastReceivedAt: number): readonly Action[] {
    if (!this.#isRunning) return NOTHING;
    this.#noteReceived(lastReceivedAt);
    const suspended = this.#noticeSuspension(now, wallNow);
    if (this.#recentGap !== "none" || this.#nextLate() <= now) {
      // The ping may only look late: its pong may wait in the kernel's buffer.
      this.#pollingSince = now;
      return [...suspended, { type: "poll" }];
    }
    return this.#takeSlot(now) ? SEND_PING : NOTHING;
  }

  #endPoll(now: number, wallNow: number, lastReceivedAt: number): readonly Action[] {
    if (!this.#isRunning) return NOTHING;
    this.#noteReceived(lastReceivedAt);
    const actions: Action[] = [...this.#noticeSuspension(now, wallNow)];
    this.#pollingSince = null;
    const needsProbe = this.#discountGap(now);
    if (this.#pausedAt === null) {
      const verdict = this.#judge(now, actions);
      if (verdict !== null) {
        this.#stop(); // Report one verdict only, however long closing takes.
        return [...actions, verdict];
      }
      const suspicion = this.#adaptive?.suspect(now, this.pings, this.#grid) ?? null;
      if (suspicion !== null) actions.push({ type: "suspect", ...suspicion });
    }
    if (this.#takeSlot(now) || needsProbe) actions.push({ type: "send-ping" });
    return actions;
  }

  /** Checks the pings, oldest first: reports overdue ones, and returns the verdict for an unanswered keepalive ping. */
  #judge(now: number, actions: Action[]): Action | null {
    for (const ping of this.pings.takeLate(now)) {
      const elapsed = now - ping.queuedAt;
      if (this.pings.effectiveDeadline(ping) <= now) {
        if (ping.isKeepalive) {
          this.#adaptive?.onVerdict(ping);
          return { type: "dead", silence: elapsed };
        }
        if (this.#restartLatePing(ping, now)) continue;
        this.pings.remove(ping.payload);
        this.statistics.lost++;
        actions.push({ type: "expired", payload: ping.payload });
        continue;
      }
      const expected = ping.overdueAt - ping.queuedAt;
      ping.overdueAt = Infinity;
      this.pings.reschedule(ping);
      actions.push({ type: "overdue", payload: ping.payload, elapsed, expected });
    }
    return null;
  }

  /**
   * If we notice the deadline of an application's ping late by half of its timeout or more, we may have sent it late as
   * well, so it gets its whole timeout again. Its timeout may be so short that a stall too short to count as a gap matters.
   */
  #restartLatePing(ping: Ping, now: number): boolean {
    if (now - ping.deadline < ping.timeout / 2 || this.#graces >= MAX_GRACES) return false;
    this.#graces++;
    ping.deadline = now + ping.timeout;
    this.pings.reschedule(ping);
    return true;
  }

  /**
   * After a gap, the earlier keepalive pings are no longer judged; a fresh one is judged in their place. The
   * application's pings get their whole timeout again. Returns whether the fresh ping is needed.
   */
  #discountGap(now: number): boolean {
    const gap = this.#recentGap;
    this.#recentGap = "none";
    if (gap === "none" || this.#graces >= MAX_GRACES) return false;
    let needsProbe = gap === "suspension" && this.#options.pingInterval !== null;
    if (restartAfterGap(this.pings, now, this.#overdueAfter())) needsProbe = true;
    if (needsProbe || this.pings.size > 0) this.#graces++;
    return needsProbe;
  }

  /** Sends a ping ahead of schedule, unless one was sent just now. */
  #probe(now: number): readonly Action[] {
    if (this.#grid === null) return NOTHING;
    for (const ping of this.pings.keepalive) {
      if (now - ping.queuedAt < PROBES_APART) return NOTHING;
    }
    return SEND_PING;
  }

  #resume(now: number): readonly Action[] {
    if (this.#pausedAt === null) return NOTHING;
    const pausedAt = this.#pausedAt;
    this.#pausedAt = null;
    this.#adaptive?.ignoreSilenceBefore(now);
    const restartsTimeouts = this.#restarts < MAX_RESTARTS;
    if (restartsTimeouts && this.pings.size > 0) this.#restarts++;
    excusePause(this.pings, restartsTimeouts ? null : pausedAt, now, this.#overdueAfter());
    return NOTHING;
  }

  /** Stops pinging and judging; pongs for pings in flight still count. */
  #stop(): readonly Action[] {
    this.#isRunning = false;
    this.#grid = null;
    return NOTHING;
  }

  #end(): readonly Action[] {
    this.statistics.lost += this.pings.size;
    this.#pings = null;
    return this.#stop();
  }

  #noticeStall(now: number, observation: Observation): Action | null {
    if (!this.#isRunning) return null;
    const wakeAt = this.#pollingSince ?? this.nextWake;
    const threshold = gapThreshold(this.#options);
    const gap =
      observation.type === "turn-ended"
        ? this.#gaps.note(now - observation.since, threshold)
        : this.#gaps.stallSince(
            observation.type === "stalled" ? now - observation.gap : wakeAt,
            now,
            threshold,
          );
    if (gap === 0) return null;
    // Otherwise the gap is known, and moving the deadlines by it is enough.
    if (this.#recentGap === "none" && now - (wakeAt ?? now) >= threshold) this.#recentGap = "stall";
    this.#adaptive?.forget();
    postpone(this.pings, gap);
    return { type: "suspended", gap };
  }

  #noticeSuspension(now: number, wallNow: number): readonly Action[] {
    const gap = this.#gaps.suspensionUntil(now, wallNow, gapThreshold(this.#options));
    if (gap === 0) return NOTHING;
    this.#recentGap = "suspension";
    this.#adaptive?.forget();
    for (const ping of this.pings) ping.isDisturbed = true;
    return [{ type: "suspended", gap }];
  }

  /** Received bytes count as life, or put off the deadlines of adaptive detection. */
  #noteReceived(lastReceivedAt: number): void {
    const counts = this.#options.liveness === "traffic" || this.#adaptive !== null;
    if (counts && this.#pings !== null) this.#pings.lastReceivedAt = lastReceivedAt;
  }

  /**
   * When the first ping becomes overdue or reaches its deadline, or the peer becomes suspicious; Infinity while reading
   * is paused.
   */
  #nextLate(): number {
    if (this.#pausedAt !== null) return Infinity;
    const { nextLateAt } = this.pings;
    return this.#adaptive === null ? nextLateAt : Math.min(nextLateAt, this.#adaptive.suspectAt(this.pings));
  }

  #takeSlot(now: number): boolean {
    if (this.#grid === null || !this.#grid.isDue(now)) return false;
    this.#grid.advance(now, this.#adaptive?.takeSlots());
    return true;
  }

  #overdueAfter(): number {
    return Math.max(OVERDUE_AT_LEAST, OVERDUE_ROUND_TRIPS * (this.statistics.smoothed ?? 0));
  }
}
