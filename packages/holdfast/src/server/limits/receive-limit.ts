// How fast one connection may send to a server: counted as bytes and messages arrive, without an allocation.

import { coreOf, type Connection } from "../../connection/connection.js";
import type { ReceiveMeter } from "../../transport/frames/receive-meter.js";
import type { Logger } from "../../connection/ports.js";
import type { Runtime } from "../../connection/runtime.js";
import { Deadline } from "../../connection/timer-queue.js";
import { Episode } from "./episode.js";
import type { LimitName, Limits } from "./limit-options.js";
import { overdrawnFor, rateOf, take, type Rate } from "./quota.js";
import { reportExceeding } from "./report.js";

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

  /** For a new connection; null where it may send as fast as it likes. */
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

  constructor(shared: ReceiveLimits) {
    super();
    this.#shared = shared;
  }

  /** Names the connection that is held back; before it starts. */
  watch(connection: Connection): void {
    this.#connection = connection;
  }

  onBytes(count: number): void {
    const rate = this.#shared.bytes;
    if (rate === null) return;
    const now = this.#shared.runtime.clock.now();
    this.#bytesFullAt = take(this.#bytesFullAt, now, count, rate);
    if (overdrawnFor(this.#bytesFullAt, now, rate) > 0) this.#exceed("bytesPerSecond", now);
  }

  onMessage(): void {
    const rate = this.#shared.messages;
    if (rate === null) return;
    const now = this.#shared.runtime.clock.now();
    this.#messagesFullAt = take(this.#messagesFullAt, now, 1, rate);
    if (overdrawnFor(this.#messagesFullAt, now, rate) > 0) this.#exceed("messagesPerSecond", now);
  }

  /** The average allows more: reading goes on. */
  onAlarm(): void {
    if (this.#connection !== null) coreOf(this.#connection).resumeReading();
  }

  /** The connection has ended. */
  stop(): void {
    this.#shared.runtime.timers.cancel(this);
    this.#connection = null;
  }

  #exceed(limit: LimitName, now: number): void {
    const connection = this.#connection;
    // Messages that are still told of a chunk, and of a connection that is closing, change nothing.
    if (connection?.state !== "open") return;
    const { limits, runtime, logger } = this.#shared;
    if (!this.isSet) {
      const unit = limit === "bytesPerSecond" ? "bytes" : "messages";
      const reason = `Expected at most ${limits[limit]} ${unit} a second, got more.`;
      const { remoteAddress } = connection;
      reportExceeding({ limit, reason, remoteAddress, connection }, { episode: this.#episode, now, logger });
    }
    if (limits.onExceeded === "close") {
      const reason = limit === "bytesPerSecond" ? "too many bytes a second" : "too many messages a second";
      coreOf(connection).closeWithCause("local-close", { code: 1008, reason }, null, true);
      return;
    }
    coreOf(connection).pauseReading();
    const { messages, bytes } = this.#shared;
    const delay = Math.max(
      this.#delay(messages, this.#messagesFullAt, now),
      this.#delay(bytes, this.#bytesFullAt, now),
    );
    runtime.timers.set(this, now + delay);
  }

  /** Milliseconds until a batch of some size may be read again: waking up for each message would cost more. */
  #delay(rate: Rate | null, fullAt: number, now: number): number {
    return rate === null ? 0 : overdrawnFor(fullAt, now, rate) + Math.min(BATCH, rate.depth / 2);
  }
}

/** Milliseconds whose worth of messages and bytes is read at a time. */
const BATCH = 100;
