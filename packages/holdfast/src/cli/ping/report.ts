// What `holdfast ping` shows, line by line, and counts.

import type { Connection } from "../../index.js";
import type { Console } from "../terminal/console.js";
import { sparkline } from "../terminal/sparkline.js";
import { milliseconds, summarise, summaryLines, type PingSummary } from "./summary.js";
import { jsonLine } from "../terminal/json.js";

export interface PingReportOptions {
  readonly isQuiet: boolean;
  readonly isJson: boolean;
}

export class PingReport {
  readonly #console: Console;
  readonly #options: PingReportOptions;
  /** In the order in which they were decided; null for a ping that was lost. */
  readonly #outcomes: (number | null)[] = [];
  #url = "";
  #sent = 0;

  constructor(console: Console, options: PingReportOptions) {
    this.#console = console;
    this.#options = options;
  }

  begin({ url, remoteAddress }: Connection): void {
    this.#url = url;
    const address = remoteAddress?.address ?? null;
    this.#line(`PING ${url}${address === null ? "" : ` (${address})`}`, { type: "open", url, address });
  }

  onSent(): void {
    this.#sent++;
  }

  onAnswer(sequence: number, time: number): void {
    this.#outcomes.push(time);
    this.#line(`seq=${sequence} time=${milliseconds(time)} ms`, {
      type: "pong",
      seq: sequence,
      time: rounded(time),
    });
    this.#showStatus();
  }

  /** `timeout` in milliseconds; null where the connection ended. */
  onLost(sequence: number, timeout: number | null): void {
    this.#outcomes.push(null);
    const why = timeout === null ? "the connection ended" : `no answer within ${timeout / 1000} s`;
    this.#line(`seq=${sequence} lost: ${why}`, { type: "lost", seq: sequence, reason: why });
    this.#showStatus();
  }

  /** It was on its way when the run was ended: neither answered nor lost. */
  onAbandoned(): void {
    this.#sent--;
  }

  end(): PingSummary {
    this.#console.showStatus(null);
    const summary = summarise(
      this.#sent,
      this.#outcomes.filter((outcome) => outcome !== null),
    );
    if (this.#options.isJson) {
      const { times, ...counts } = summary;
      const figures = Object.entries({ ...counts, ...times }).map(([name, value]) => [name, rounded(value)]);
      this.#console.print(
        jsonLine({ type: "summary", url: this.#url, ...(Object.fromEntries(figures) as object) }),
      );
    } else {
      for (const line of summaryLines(this.#url, summary)) this.#console.print(line);
    }
    return summary;
  }

  #line(text: string, json: object): void {
    if (this.#options.isQuiet) return;
    this.#console.print(this.#options.isJson ? jsonLine(json) : text);
  }

  #showStatus(): void {
    const { isOutputTerminal, width } = this.#console;
    if (isOutputTerminal && !this.#options.isJson)
      this.#console.showStatus(sparkline(this.#outcomes, Math.min(width - 1, 60)));
  }
}

/** A clock is no better than to the microsecond. */
function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
