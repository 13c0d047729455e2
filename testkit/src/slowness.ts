import { readFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";

/** The tests alone keep so many processes for each core busy. */
const USUAL = 3;
const MOST = 8;

/**
 * How many times longer than usual this machine may let a process wait now: from 1 to 8, a whole number. Where an end judges another
 * process or thread by real time, and the test expects no verdict, that time is multiplied by it.
 */
export function slowness(): number {
  const busy = Math.max(loadavg()[0] ?? 0, runnable());
  return Math.min(MOST, Math.max(1, Math.round(busy / (USUAL * availableParallelism()))));
}

/** The threads that run or wait for a processor now: the average of a minute is late when a load begins. */
function runnable(): number {
  try {
    return Number(/ (\d+)\//.exec(readFileSync("/proc/loadavg", "utf8"))?.[1] ?? 0);
  } catch {
    return 0; // Only Linux has it.
  }
}
