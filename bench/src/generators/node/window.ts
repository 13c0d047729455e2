import { Histogram } from "./histogram.js";
import type { Report, Task } from "./task.js";

/** Counts events between the end of the warm-up and the end of the measurement. */
export class Window {
  readonly #report: (report: Report) => void;
  #count = 0;
  #latencies = new Histogram();

  constructor(task: Task, report: (report: Report) => void) {
    this.#report = report;
    setTimeout(() => this.#begin(task.duration), task.warmup);
  }

  /** `latency` in milliseconds. */
  add(latency: number): void {
    this.#count++;
    this.#latencies.add(latency * 1000);
  }

  #begin(duration: number): void {
    this.#count = 0;
    this.#latencies = new Histogram();
    this.#report({ type: "measuring" });
    const startedAt = performance.now();
    const used = process.cpuUsage();
    setTimeout(() => this.#finish(startedAt, used), duration);
  }

  #finish(startedAt: number, usedBefore: NodeJS.CpuUsage): void {
    const milliseconds = performance.now() - startedAt;
    const { user, system } = process.cpuUsage(usedBefore);
    this.#report({
      type: "measured",
      count: this.#count,
      seconds: milliseconds / 1000,
      p50: this.#latencies.percentile(0.5),
      p99: this.#latencies.percentile(0.99),
      share: (user + system) / (milliseconds * 1000),
    });
  }
}
