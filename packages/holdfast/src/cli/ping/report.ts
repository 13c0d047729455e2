// The output of `holdfast ping`: a line per ping, and the counts for the summary.

import { explain, type Connection, type DisconnectedEvent } from "../../index.js";
import type { Console } from "../terminal/console.js";
import { escaped } from "../terminal/escape.js";
import { sparkline } from "../terminal/sparkline.js";
import { milliseconds } from "../terminal/milliseconds.js";
import { summarise, summaryLines, type PingSummary } from "./summary.js";
import { jsonLine } from "../terminal/json.js";
import { eventJSON } from "../connection/event-json.js";
import { sessionText, type SessionEvent } from "../connection/session-client.js";

export interface PingReportOptions {
  readonly isQuiet: boolean;
  readonly isJson: boolean;
}

export class PingReport {
  readonly #console: Console;
  readonly #options: PingReportOptions;
  /** Round-trip times in the order of the outcomes; null for a lost ping. */
  readonly #outcomes: (number | null)[] = [];
  #url = "";
  #sent = 0;
  #connections = 0;

  constructor(console: Console, options: PingReportOptions) {
    this.#console = console;
    this.#options = options;
  }

  /** A connection has opened: the first one, or one after `onDisconnected()`. */
  onOpen({ url, remoteAddress }: Connection): void {
    const address = remoteAddress?.address ?? null;
    const label = this.#connections === 0 ? "PING" : "connected again:";
    this.#connections++;
    this.#url = url;
    this.#line(`${label} ${url}${address === null ? "" : ` (${address})`}`, { type: "open", url, address });
  }

  /** @param delay milliseconds until the next attempt */
  onDisconnected(event: DisconnectedEvent, delay: number): void {
    const wait = `Next attempt in ${(delay / 1000).toFixed(1)} s`;
    this.#line(`disconnected: ${escaped(explain(event.info))} ${wait}.`, eventJSON(event));
  }

  /** The last attempt has failed: stderr says why. */
  onFailed(event: DisconnectedEvent): void {
    if (this.#options.isJson) this.#line("", eventJSON(event));
  }

  onSession(event: SessionEvent): void {
    const text = sessionText(event);
    if (text !== null || this.#options.isJson) this.#line(text ?? "", eventJSON(event));
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

  onLost(sequence: number, reason: string): void {
    this.#outcomes.push(null);
    this.#line(`seq=${sequence} lost: ${reason}`, { type: "lost", seq: sequence, reason });
    this.#showStatus();
  }

  /** The ping was in flight when the run was ended: neither answered nor lost. */
  onAbandoned(): void {
    this.#sent--;
  }

  end(): PingSummary {
    this.#console.showStatus(null);
    const summary = summarise(
      this.#sent,
      this.#outcomes.filter((outcome) => outcome !== null),
      Math.max(0, this.#connections - 1),
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

  /** @param json an object, or a line of JSON */
  #line(text: string, json: object | string): void {
    if (this.#options.isQuiet) return;
    if (!this.#options.isJson) this.#console.print(text);
    else this.#console.print(typeof json === "string" ? json : jsonLine(json));
  }

  #showStatus(): void {
    const { isOutputTerminal, width } = this.#console;
    if (isOutputTerminal && !this.#options.isJson)
      this.#console.showStatus(sparkline(this.#outcomes, Math.min(width - 1, 60)));
  }
}

/** To the microsecond: clocks are no more precise. */
function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
