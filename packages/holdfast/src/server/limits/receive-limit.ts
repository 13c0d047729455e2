// Limits how fast one connection may send to a server. It counts bytes and messages as they arrive, without allocating.

import type { Connection } from "../../connection/connection.js";
import { coreOf } from "../../connection/core-of.js";
import type { ReceiveMeter } from "../../transport/frames/receive-meter.js";
import type { Logger } from "../../connection/ports.js";
import type { Runtime } from "../../connection/runtime.js";
import { Deadline } from "../../connection/timer-queue.js";
import type { LimitName, Limits } from "./limit-options.js";
import { overdrawnBy, rateOf, take, type Rate } from "./quota.js";
import { Episode, reportExceededLimit } from "./report.js";

/** The limits that all connections of a server share. */
export class ReceiveLimits {
  readonly limits: Limits;
  readonly messages: Rate | null;
  readonly bytes: Rate | null;
  readonly runtime: Runtime;
  readonly logger: Logger | null;

  constructor(limits: Limits, runtime: Runtime, logger: Logger | null) {
    this.limits = limits;
    this.messages = rateOf(limits.messagesPerSecond);
    this.bytes = rateOf(limits.bytesPerSecond);
    this.runtime = runtime;
    this.logger = logger;
  }

  /** Returns the meter of a new connection; null without a limit. */
  meter(): ReceiveLimit | null {
    return this.messages === null && this.bytes === null ? null : new ReceiveLimit(this);
  }
}

export class ReceiveLimit extends Deadline implements ReceiveMeter {
  readonly #shared: ReceiveLimits;
  readonly #episode = new Episode();
  #connection: Connection | null = null;
  #messagesFullAt = -Infinity;
  #bytesFullAt = -Infinity;
  isDropping = false;

  constructor(shared: ReceiveLimits) {
    super();
    this.#shared = shared;
  }

  /** Sets the connection to pause; call it before the connection starts. */
  watch(connection: Connection): void {
    this.#connection = connection;
  }

  onBytes(count: number): void {
    const rate = this.#shared.bytes;
    if (rate === null) return;
    const now = this.#shared.runtime.clock.now();
    this.#bytesFullAt = take(this.#bytesFullAt, now, count, rate);
    if (overdrawnBy(this.#bytesFullAt, now, rate) > 0) this.#exceed("bytesPerSecond", now);
  }

  onMessage(): void {
    const rate = this.#shared.messages;
    if (rate === null) return;
    const now = this.#shared.runtime.clock.now();
    this.#messagesFullAt = take(this.#messagesFullAt, now, 1, rate);
    if (overdrawnBy(this.#messagesFullAt, now, rate) > 0) this.#exceed("messagesPerSecond", now);
  }

  /** Resumes reading: the average allows more. */
  onAlarm(): void {
    if (this.#connection !== null) coreOf(this.#connection).resumeReading("rate");
  }

  stop(): void {
    this.#shared.runtime.timers.cancel(this);
    this.#connection = null;
  }

  #exceed(limit: LimitName, now: number): void {
    const connection = this.#connection;
    if (connection === null || this.isDropping) return;
    const { limits, runtime, logger } = this.#shared;
    const isOpen = connection.state === "open";
    // A closing connection cannot pause, since it must read its end.
    this.isDropping = !isOpen || limits.onExceeded === "close";
    if (!isOpen) return;
    if (!this.isSet) {
      const unit = limit === "bytesPerSecond" ? "bytes" : "messages";
      const reason = `Expected at most ${limits[limit]} ${unit} a second, got more.`;
      const { remoteAddress } = connection;
      reportExceededLimit(
        { limit, reason, remoteAddress, connection },
        { episode: this.#episode, now, logger },
      );
    }
    if (limits.onExceeded === "close") {
      const reason = limit === "bytesPerSecond" ? "too many bytes a second" : "too many messages a second";
      coreOf(connection).closeWithCause("local-close", { code: 1008, reason }, null, true);
      return;
    }
    coreOf(connection).pauseReading("rate");
    const { messages, bytes } = this.#shared;
    const delay = Math.max(
      this.#delay(messages, this.#messagesFullAt, now),
      this.#delay(bytes, this.#bytesFullAt, now),
    );
    runtime.timers.set(this, now + delay);
  }

  /** Milliseconds until a batch may be read: a wake-up per message would cost more. */
  #delay(rate: Rate | null, fullAt: number, now: number): number {
    return rate === null ? 0 : overdrawnBy(fullAt, now, rate) + Math.min(BATCH_TIME, rate.depth / 2);
  }
}

/** Messages and bytes are read in batches of this many milliseconds' worth. */
const BATCH_TIME = 100;
