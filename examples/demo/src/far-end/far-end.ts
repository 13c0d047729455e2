// The far end: its thread, its proxy, and the server's view of each connection.

import { Worker } from "node:worker_threads";
import { withTimeout } from "holdfast-testkit";
import type { Sabotage } from "../sabotage.js";
import type { FarEndData, NumberedOrder, Order, Report, ServerEnding } from "./messages.js";

/** The thread answers at once or not at all. */
const PATIENCE = 30_000;

export class FarEnd {
  /** Called when the server finds a ping overdue. */
  onOverdue: (path: string, elapsed: number) => void = () => undefined;
  readonly #worker: Worker;
  readonly #ready = new Slot<string>();
  readonly #orders: Slot<number>[] = [];
  readonly #endings = new Map<string, Slot<ServerEnding>>();
  #url = "";

  static async start(sabotage: Sabotage | null): Promise<FarEnd> {
    const farEnd = new FarEnd({ sabotage });
    farEnd.#url = await withTimeout(farEnd.#ready.promise, PATIENCE, "the far end to start");
    return farEnd;
  }

  /** Use `FarEnd.start()`, which waits until it is ready. */
  constructor(workerData: FarEndData) {
    this.#worker = new Worker(new URL("./worker.js", import.meta.url), { workerData });
    this.#worker.on("message", (report: Report) => this.#take(report));
    this.#worker.on("error", (error) => this.#fail(error));
  }

  /** The URL of the proxy for a connection; the path identifies the connection. */
  url(path: string): string {
    return this.#url + path;
  }

  /** Executes a command in the thread. Resolves with the time of execution, in epoch milliseconds. */
  async order(order: Order): Promise<number> {
    const slot = new Slot<number>();
    const message: NumberedOrder = { number: this.#orders.push(slot) - 1, order };
    this.#worker.postMessage(message);
    return withTimeout(slot.promise, PATIENCE, `the proxy to ${order.type}`);
  }

  /** Resolves with the server's view of how the connection at that path ended. */
  ending(path: string): Promise<ServerEnding> {
    return this.#endingSlot(path).promise;
  }

  /** Ends the thread and everything in it. */
  async close(): Promise<void> {
    await this.order({ type: "close" }).catch(() => undefined);
    await this.#worker.terminate();
  }

  #take(report: Report): void {
    switch (report.type) {
      case "ready":
        this.#ready.resolve(report.url);
        break;
      case "done":
        this.#orders[report.number]?.resolve(report.at);
        break;
      case "overdue":
        this.onOverdue(report.path, report.elapsed);
        break;
      case "ended":
        this.#endingSlot(report.path).resolve(report.ending);
    }
  }

  #endingSlot(path: string): Slot<ServerEnding> {
    const slot = this.#endings.get(path) ?? new Slot();
    this.#endings.set(path, slot);
    return slot;
  }

  #fail(error: Error): void {
    for (const slot of [this.#ready, ...this.#orders, ...this.#endings.values()]) slot.reject(error);
  }
}

/** A promise that is settled from outside. */
class Slot<Value> {
  readonly promise: Promise<Value>;
  resolve: (value: Value) => void = () => undefined;
  reject: (error: Error) => void = () => undefined;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Nobody may be waiting when it rejects.
    this.promise.catch(() => undefined);
  }
}
