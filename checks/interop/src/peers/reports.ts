// Collects the reports of a peer, and waits for more.

import { eventually } from "holdfast-testkit";
import type { Report } from "./peer.js";

/** Peers start slowly if two processors are busy. */
export const PATIENCE = 30_000;

export class Reports {
  readonly #name: string;
  readonly #reports: Report[] = [];
  /** Other output of the peer, for error messages. */
  #chatter = "";

  constructor(name: string) {
    this.#name = name;
  }

  add(report: Report): void {
    this.#reports.push(report);
  }

  addChatter(text: string): void {
    this.#chatter += text;
  }

  /** Waits for a report about the connection `id`, or about the peer itself. */
  async next<Event extends Report["event"]>(
    event: Event,
    id: string | null,
  ): Promise<Extract<Report, { event: Event }>> {
    const own = (): readonly Report[] =>
      this.#reports.filter((report) => ("id" in report ? report.id : null) === id);
    const find = (): Report | undefined => own().find((report) => report.event === event);
    try {
      await eventually(() => find() !== undefined, `${this.#name} to report "${event}"`, PATIENCE);
    } catch (error) {
      const seen = own()
        .map((report) => JSON.stringify(report))
        .join("\n");
      throw new Error(`${String(error)}; it reported:\n${seen}\nand said:\n${this.#chatter}`, {
        cause: error,
      });
    }
    return find() as Extract<Report, { event: Event }>; // The caller looks for exactly these.
  }
}
