// Turns of the event loop, for what the kernel holds and for sockets that close.

import type { Clock } from "../../connection/ports.js";

/** Resolves after so many polls for I/O; the first may be the rest of the present one. */
export async function polls(clock: Clock, count: number): Promise<void> {
  for (let poll = 0; poll < count; poll++) await new Promise<void>((resolve) => clock.afterPoll(resolve));
}
