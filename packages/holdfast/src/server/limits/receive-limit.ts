// Limits how fast one connection may send to a server. It counts bytes and messages as they arrive, without allocating.

import type { Connection } from "../../connection/connection.js";
import { coreOf } from "../../connection/core-of.js";
import type { ReceiveMeter } from "../../transport/frames/receive-meter.js";
import type { Logger } from "../../connection/ports.js";
import { isOwnMessage } from "../../transport/link/link-message.js";
import type { Runtime } from "../../connection/runtime.js";
import { Deadline } from "../../connection/timer-queue.js";
import type { LimitName, Limits } from "./limit-options.js";
import { overdrawnBy, rateOf, take, type Rate } from "./quota.js";
import { Episode, reportExceededLimit } from "./report.js";

/**
 * The limits that all connections of a server share. Its deadline measures the time for which the event loop is blocked:
 * what arrives meanwhile is read all at once, so the allowance covers that time. It ticks while there are connections.
 */
export class ReceiveLimits extends Deadline {
  readonly limits: Limits;
  readonly messages: Rate | null;
  /** Messages of the link protocol, which do not count as messages of the application. */
  readonly linkMessages: Rate | null;
  readonly bytes: Rate | null;
  readonly runtime: Runtime;
  readonly logger: Logger | null;
  #connections = 0;
  #tickedAt = 0;
  #stall = 0;

  constructor(limits: Limits, runtime: Runtime, logger: Logger | null) {
    super();
    this.limits = limits;
    this.messages = rateOf(limits.messagesPerSecond);
    this.linkMessages = rateOf(linkLimitOf(limits));
    this.bytes = rateOf(limits.bytesPerSecond);
    this.runtime = runtime;
    this.logger = logger;
  }

  /** Returns the meter of a new connection; null without a limit. */
  meter(speaksLink: boolean): ReceiveLimit | null {
    return this.messages === null && this.bytes === null ? null : new ReceiveLimit(this, speaksLink);
  }

  /** Milliseconds for which nothing was read before this time; 0 while the event loop runs. */
  stallAt(now: number): number {
    const gap = now - this.#tickedAt;
    return gap > LATE ? gap : this.#stall;
  }

  onAlarm(now: number): void {
    this.#stall = 0;
    this.#stall = this.stallAt(now);
    this.#tickedAt = now;
    this.runtime.timers.set(this, now + TICK);
  }

  /** @param count 1 for a new connection, -1 for one that has ended */
  count(count: 1 | -1): void {
    this.#connections += count;
    if (this.#connections === 0) this.runtime.timers.cancel(this);
    else if (!this.isSet) {
      this.#tickedAt = this.runtime.clock.now();
      this.onAlarm(this.#tickedAt);
    }
  }
}

export class ReceiveLimit extends Deadline implements ReceiveMeter {
  readonly #shared: ReceiveLimits;
  readonly #episode = new Episode();
  #connection: Connection | null = null;
  readonly #speaksLink: boolean;
  #messagesFullAt = 0;
  #linkMessagesFullAt = 0;
  #bytesFullAt = 0;
  isDropping = false;

  constructor(shared: ReceiveLimits, speaksLink: boolean) {
    super();
    this.#shared = shared;
    this.#speaksLink = speaksLink;
  }

  /** Sets the connection to pause; call it before the connection starts. */
  watch(connection: Connection): void {
    this.#connection = connection;
    // Full, and without an allowance for a stall before.
    const now = this.#shared.runtime.clock.now();
    this.#messagesFullAt = this.#linkMessagesFullAt = this.#bytesFullAt = now;
    this.#shared.count(1);
  }

  onBytes(count: number): void {
    const rate = this.#shared.bytes;
    if (rate === null) return;
    const now = this.#shared.runtime.clock.now();
    this.#bytesFullAt = take(this.#bytesFullAt, now - this.#shared.stallAt(now), count, rate);
    if (overdrawnBy(this.#bytesFullAt, now, rate) > 0) this.#exceed("bytes", now);
  }

  onMessage(message: Uint8Array | string | null): void {
    const { messages, linkMessages, runtime } = this.#shared;
    if (messages === null || linkMessages === null) return;
    const now = runtime.clock.now();
    const start = now - this.#shared.stallAt(now);
    if (this.#speaksLink && message !== null && isOwnMessage(message)) {
      this.#linkMessagesFullAt = take(this.#linkMessagesFullAt, start, 1, linkMessages);
      if (overdrawnBy(this.#linkMessagesFullAt, now, linkMessages) > 0) this.#exceed("link messages", now);
    } else {
      this.#messagesFullAt = take(this.#messagesFullAt, start, 1, messages);
      if (overdrawnBy(this.#messagesFullAt, now, messages) > 0) this.#exceed("messages", now);
    }
  }

  /** Resumes reading: the average allows more. */
  onAlarm(): void {
    if (this.#connection !== null) coreOf(this.#connection).resumeReading("rate");
  }

  stop(): void {
    this.#shared.runtime.timers.cancel(this);
    if (this.#connection !== null) this.#shared.count(-1);
    this.#connection = null;
  }

  #exceed(unit: "bytes" | "link messages" | "messages", now: number): void {
    const connection = this.#connection;
    if (connection === null || this.isDropping) return;
    const { limits, runtime, logger } = this.#shared;
    const isOpen = connection.state === "open";
    // A closing connection cannot pause, since it must read its end.
    this.isDropping = !isOpen || limits.onExceeded === "close";
    if (!isOpen) return;
    if (!this.isSet) {
      const limit: LimitName = unit === "bytes" ? "bytesPerSecond" : "messagesPerSecond";
      const most = unit === "link messages" ? linkLimitOf(limits) : limits[limit];
      const reason = `Expected at most ${most} ${unit} a second, got more.`;
      const { remoteAddress } = connection;
      reportExceededLimit(
        { limit, reason, remoteAddress, connection },
        { episode: this.#episode, now, logger },
      );
    }
    if (limits.onExceeded === "close") {
      const reason = `too many ${unit} a second`;
      coreOf(connection).closeWithCause("local-close", { code: 1008, reason }, null, true);
      return;
    }
    coreOf(connection).pauseReading("rate");
    const { messages, linkMessages, bytes } = this.#shared;
    const delay = Math.max(
      this.#delay(messages, this.#messagesFullAt, now),
      this.#delay(linkMessages, this.#linkMessagesFullAt, now),
      this.#delay(bytes, this.#bytesFullAt, now),
    );
    runtime.timers.set(this, now + delay);
  }

  /** Milliseconds until a batch may be read: a wake-up per message would cost more. */
  #delay(rate: Rate | null, fullAt: number, now: number): number {
    return rate === null ? 0 : overdrawnBy(fullAt, now, rate) + Math.min(BATCH_TIME, rate.depth / 2);
  }
}

/**
 * Link messages that one connection may send per second. A client that only listens confirms what it receives, and
 * subscribes to all its topics at once: far below this, which costs the server a few percent of a CPU.
 */
const LINK_MESSAGES = 2_000;

function linkLimitOf({ messagesPerSecond }: Limits): number | null {
  return messagesPerSecond && Math.max(messagesPerSecond, LINK_MESSAGES);
}

/** Messages and bytes are read in batches of this many milliseconds' worth. */
const BATCH_TIME = 100;

/** Milliseconds between two looks at the clock. */
const TICK = 500;
/** A look later than that after the one before shows a stall. Shorter ones hardly matter beside a second's worth. */
const LATE = TICK + 250;
