// Calls a function once per connection, spread evenly over a time. Each connection has its own slot, and is called at a
// random moment within it.

import type { Connection } from "../../connection/connection.js";
import type { Runtime } from "../../connection/runtime.js";
import { Deadline } from "../../connection/timer-queue.js";

export class Stagger extends Deadline {
  readonly #runtime: Runtime;
  readonly #connections: readonly Connection[];
  readonly #call: (connection: Connection) => void;
  readonly #beganAt: number;
  /** The length of one connection's slot, in milliseconds. */
  readonly #slot: number;
  #next = 0;
  #nextAt = 0;

  /** Starts immediately; if `spread` is 0, it also finishes before it returns. */
  constructor(
    runtime: Runtime,
    connections: Iterable<Connection>,
    spread: number,
    call: (connection: Connection) => void,
  ) {
    super();
    this.#runtime = runtime;
    this.#connections = [...connections];
    this.#call = call;
    this.#beganAt = runtime.clock.now();
    this.#slot = spread / Math.max(1, this.#connections.length);
    this.#nextAt = this.#timeOfNext();
    this.onAlarm(this.#beganAt);
  }

  stop(): void {
    this.#runtime.timers.cancel(this);
  }

  onAlarm(now: number): void {
    while (this.#next < this.#connections.length && this.#nextAt <= now) {
      this.#call(this.#connections[this.#next++]);
      this.#nextAt = this.#timeOfNext();
    }
    if (this.#next < this.#connections.length) this.#runtime.timers.set(this, this.#nextAt);
  }

  #timeOfNext(): number {
    const [random = 0] = new Uint32Array(this.#runtime.randomBytes(4).buffer);
    return this.#beganAt + (this.#next + random / 2 ** 32) * this.#slot;
  }
}
