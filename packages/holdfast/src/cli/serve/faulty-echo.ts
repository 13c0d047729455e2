// One connection of `holdfast serve`: echoes messages until a fault is due.

import { setTimeout as sleep } from "node:timers/promises";
import type { Connection } from "../../index.js";
import type { Faults, Moment } from "./faults.js";

/** The faults of the current socket. */
export interface SocketFaults {
  /** Stops reading from it. */
  readonly stall: () => void;
  /** Cuts it. */
  readonly drop: () => void;
}

/** Resolves when the connection has ended. The faults of a session are due again on each of its sockets. */
export async function echo(connection: Connection, faults: Faults, socket: SocketFaults): Promise<void> {
  let triggers = armFaults(connection, faults, socket);
  const disarm = (): void => triggers.forEach((trigger) => trigger.disarm());
  connection.on("detached", disarm);
  connection.on("resumed", ({ gap }) => {
    if (gap !== undefined) triggers = armFaults(connection, faults, socket); // Otherwise reading has resumed.
  });
  connection.signal.addEventListener("abort", disarm, { once: true });
  await connection.forEach(async (message) => {
    if (faults.delay > 0)
      await sleep(faults.delay, undefined, { signal: connection.signal }).catch(() => undefined);
    // If the connection has ended, `forEach` ends too.
    await connection.send(message).catch(() => undefined);
    for (const trigger of triggers) trigger.onMessage();
  });
}

function armFaults(connection: Connection, faults: Faults, { stall, drop }: SocketFaults): FaultTrigger[] {
  return [
    new FaultTrigger(faults.stallAt, stall),
    // Echoes of this turn of the event loop are written at its end: cut the connection after that.
    new FaultTrigger(faults.dropAt, () => setImmediate(drop)),
    new FaultTrigger(faults.closeAt, () => {
      void connection.close(faults.closeCode, "asked for by --close-after");
    }),
  ];
}

/** Calls `fire` once, at the given moment. */
class FaultTrigger {
  readonly #fire: () => void;
  #messagesLeft: number | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(moment: Moment | null, fire: () => void) {
    this.#fire = fire;
    if (moment === null) return;
    if (moment.kind === "time") this.#timer = setTimeout(fire, moment.milliseconds);
    else if (moment.count === 0) fire();
    else this.#messagesLeft = moment.count;
  }

  disarm(): void {
    clearTimeout(this.#timer);
    this.#messagesLeft = null;
  }

  onMessage(): void {
    if (this.#messagesLeft === null) return;
    this.#messagesLeft--;
    if (this.#messagesLeft > 0) return;
    this.#messagesLeft = null;
    this.#fire();
  }
}
