// The client's own CPU use. A client that is saturated measures itself, not the server.

import { performance } from "node:perf_hooks";

export interface ProcessorUse {
  /** Percent of one processor. */
  readonly cpu: number;
  /** Percent of the time in which the event loop was busy. */
  readonly busy: number;
}

/** Above this `busy` percentage the event loop cannot keep its timers on time. */
export const SATURATED = 90;

/** Starts measuring. The returned function gives the figures up to its call. */
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
