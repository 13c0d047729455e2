// Waits, by the runtime's clock.

import type { Runtime } from "../connection/runtime.js";
import { Alarm } from "../connection/timer-queue.js";

export function pause({ timers, clock }: Runtime, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    timers.set(new Alarm({ onAlarm: () => resolve() }), clock.now() + milliseconds);
  });
}
