// One connection of `holdfast serve`: echoes messages until a fault is due.

import { setTimeout as sleep } from "node:timers/promises";
import type { Connection } from "../../index.js";
import type { Faults, Moment } from "./faults.js";

/** Resolves when the connection has ended. `stall` stops reading from its socket. */
export async function echo(connection: Connection, faults: Faults, stall: () => void): Promise<void> {
  const stalled = new FaultTrigger(faults.stallAt, connection.signal, stall);
  const dropped = new FaultTrigger(faults.dropAt, connection.signal, () => {
    // Echoes of this turn of the event loop are written at its end: cut the connection after that.
    setImmediate(() => connection.terminate());
  });
  const closed = new FaultTrigger(faults.closeAt, connection.signal, () => {
    void connection.close(faults.closeCode, "asked for by --close-after");
  });
  await connection.forEach(async (message) => {
    if (faults.delay > 0)
      await sleep(faults.delay, undefined, { signal: connection.signal }).catch(() => undefined);
    // If the connection has ended, `forEach` ends too.
    await connection.send(message).catch(() => undefined);
    for (const trigger of [stalled, dropped, closed]) trigger.onMessage();
  });
}

/** Calls `fire` once, at the given moment. */
class FaultTrigger {
  readonly #fire: () => void;
  #messagesLeft: number | null = null;

  constructor(moment: Moment | null, ended: AbortSignal, fire: () => void) {
    this.#fire = fire;
    if (moment === null) return;
    if (moment.kind === "messages") {
      if (moment.count === 0) fire();
      else this.#messagesLeft = moment.count;
      return;
    }
    const timer = setTimeout(fire, moment.milliseconds);
    ended.addEventListener("abort", () => clearTimeout(timer), { once: true });
  }

  onMessage(): void {
    if (this.#messagesLeft === null) return;
    this.#messagesLeft--;
    if (this.#messagesLeft > 0) return;
    this.#messagesLeft = null;
    this.#fire();
  }
}
