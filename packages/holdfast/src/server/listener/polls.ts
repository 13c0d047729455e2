// Waits for turns of the event loop, so that Node reads pending input and closes sockets.

import type { Clock } from "../../connection/ports.js";

/** Resolves after `count` polls for I/O; the first may be the rest of the current one. */
export async function polls(clock: Clock, count: number): Promise<void> {
  for (let poll = 0; poll < count; poll++) await new Promise<void>((resolve) => clock.afterPoll(resolve));
}
