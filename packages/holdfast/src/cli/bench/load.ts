// Sends messages for the planned duration. Closed loop: each echo triggers the next message. Open loop (`--rate`): messages
// are due on a fixed grid, and latency counts from the due time. A stall of the server thus counts against all messages
// that it delayed; omitting them is known as coordinated omission.

import type { Lane } from "./lane.js";
import type { Plan } from "./plan.js";
import type { Tally } from "./tally.js";

/** Milliseconds between two checks for overdue echoes. */
const CHECK_INTERVAL = 100;

export class Load {
  readonly #lanes: readonly Lane[];
  readonly #plan: Plan;
  readonly #tally: Tally;
  readonly #began = performance.now();
  /** With `--rate`: how many messages of each lane were due, and how many of them were sent. */
  readonly #due: Float64Array;
  readonly #sent: Float64Array;
  readonly #indices = new Map<Lane, number>();
  #dueTotal = 0;
  #isSending = true;

  constructor(lanes: readonly Lane[], plan: Plan, tally: Tally) {
    this.#lanes = lanes;
    this.#plan = plan;
    this.#tally = tally;
    this.#due = new Float64Array(lanes.length);
    this.#sent = new Float64Array(lanes.length);
    lanes.forEach((lane, index) => this.#indices.set(lane, index));
  }

  /** Resolves after the last echo, with the duration of sending in milliseconds and the number of echoes in that time. */
  async run(signal: AbortSignal): Promise<{ readonly duration: number; readonly echoed: number }> {
    const { promise, resolve } = deferred();
    const step = (): void => {
      const now = performance.now();
      if (this.#plan.rate !== null) this.#sendDue(now, this.#plan.rate);
      if (now - this.#began >= this.#plan.duration || this.#isDone()) resolve();
    };
    const timeoutTimer = setInterval(() => this.#checkTimeouts(), CHECK_INTERVAL);
    const timer = setInterval(step, this.#plan.rate === null ? 10 : 1);
    signal.addEventListener("abort", resolve, { once: true });
    if (signal.aborted) resolve();
    if (this.#plan.rate === null) for (const lane of this.#lanes) this.#fill(lane);
    await promise;
    clearInterval(timer);
    this.#isSending = false;
    const outcome = { duration: performance.now() - this.#began, echoed: this.#tally.echoed };
    this.#tally.unsent = this.#countUnsent();
    if (!signal.aborted) await this.#drained(signal);
    clearInterval(timeoutTimer);
    this.#tally.abandoned = this.#inFlight();
    return outcome;
  }

  /** An echo has arrived: the lane has room again. */
  onEcho(lane: Lane): void {
    if (!this.#isSending) return;
    if (this.#plan.rate === null) this.#fill(lane);
    else this.#catchUp(lane, this.#plan.rate, performance.now());
  }

  #fill(lane: Lane): void {
    while (lane.hasRoom && this.#tally.sent < this.#plan.messages) {
      const now = performance.now();
      lane.send(now, now);
    }
  }

  #sendDue(now: number, rate: number): void {
    const { duration, messages } = this.#plan;
    // The first message is due at once, and none at the end.
    const elapsed = Math.floor(((now - this.#began) * rate) / 1000) + 1;
    const due = Math.min(elapsed, Math.ceil((duration * rate) / 1000), messages);
    for (; this.#dueTotal < due; this.#dueTotal++) {
      const index = this.#dueTotal % this.#lanes.length;
      this.#due[index]++;
      this.#catchUp(this.#lanes[index], rate, now);
    }
  }

  /** Sends the due messages of a lane, as far as it has room. */
  #catchUp(lane: Lane, rate: number, now: number): void {
    const index = this.#indices.get(lane) ?? 0;
    for (; this.#sent[index] < this.#due[index] && lane.hasRoom; this.#sent[index]++) {
      const number = index + this.#sent[index] * this.#lanes.length;
      const dueAt = this.#began + (number / rate) * 1000;
      this.#tally.lateness.record(Math.max(now - dueAt, 0));
      lane.send(dueAt, now);
    }
  }

  #countUnsent(): number {
    return this.#dueTotal - this.#sent.reduce((sum, count) => sum + count, 0);
  }

  /** All planned messages have been echoed, or no connection is open. */
  #isDone(): boolean {
    const isAllSent = this.#tally.sent >= this.#plan.messages && this.#inFlight() === 0;
    return isAllSent || !this.#lanes.some((lane) => lane.isOpen);
  }

  #checkTimeouts(): void {
    const now = performance.now();
    for (const lane of this.#lanes) lane.checkTimeout(now);
  }

  /** Waits for the echoes in flight. `#checkTimeouts` bounds this to the timeout of an echo. */
  async #drained(signal: AbortSignal): Promise<void> {
    while (this.#inFlight() > 0 && !signal.aborted) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  #inFlight(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.inFlight, 0);
  }
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}
