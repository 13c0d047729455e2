// How much of its own processor the measuring took: a client at its limit measures itself.

import { performance } from "node:perf_hooks";

export interface ProcessorUse {
  /** Percent of one processor. */
  readonly cpu: number;
  /** Percent of the time in which the event loop had something to do. */
  readonly busy: number;
}

/** From here on this share of the time the event loop has no room to be punctual. */
export const SATURATED = 90;

/** Begins to measure; what it returns gives the figures up to then. */
export function measureProcessor(): () => ProcessorUse {
  const usage = process.cpuUsage();
  const loop = performance.eventLoopUtilization();
  const began = performance.now();
  return () => {
    const { user, system } = process.cpuUsage(usage);
    const { utilization } = performance.eventLoopUtilization(loop);
    const elapsed = (performance.now() - began) * 1000;
    return { cpu: ((user + system) / elapsed) * 100, busy: utilization * 100 };
  };
}
