// The three clients side by side. The tiles and the caption show the same figures: those of one moment.

import { openBare } from "./clients/bare.js";
import { openPartysocket } from "./clients/partysocket.js";
import { element, say } from "./elements.js";
import type { EventLog } from "./event-log.js";
import { HoldfastSide } from "./holdfast-side.js";
import { SocketSide } from "./socket-side.js";
import { Tally, type Figures } from "./tally.js";

interface Side {
  /** Whether the client has no connection, and nobody keeps the numbers for it. */
  readonly isDown: boolean;
  show(now: number): void;
}

interface Lane {
  /** Begins the ids of the client's elements; also the name of its module in `clients/`. */
  readonly id: string;
  readonly title: string;
  readonly tally: Tally;
  readonly side: Side;
}

export class Comparison {
  readonly #lanes: readonly Lane[];
  /** The newest number that the server reported; the page's breakable network does not carry the reports. */
  #sent = 0;
  #hasBegun = false;

  constructor(url: string, log: EventLog) {
    const lane = (id: string, title: string, makeSide: (tally: Tally) => Side): Lane => {
      const tally = new Tally();
      return { id, title, tally, side: makeSide(tally) };
    };
    this.#lanes = [
      lane("holdfast", "Holdfast", (tally) => new HoldfastSide(url, tally, log)),
      lane(
        "partysocket",
        "partysocket",
        (tally) =>
          new SocketSide("partysocket", "partysocket", log, () =>
            openPartysocket(url, (number) => tally.add(number)),
          ),
      ),
      lane(
        "bare",
        "the bare WebSocket",
        (tally) =>
          new SocketSide("bare", "Bare WebSocket", log, () => openBare(url, (number) => tally.add(number))),
      ),
    ];
    for (const { id } of this.#lanes) void showCode(id);
  }

  onSent(number: number): void {
    this.#sent = number;
  }

  show(now: number): void {
    for (const { side } of this.#lanes) side.show(now);
    if (!this.#hasBegun) this.#begin();
    if (this.#hasBegun) this.#showFigures();
  }

  /** Counts from the moment at which all clients receive numbers, so that the same numbers count for each. */
  #begin(): void {
    const newest = this.#lanes.map(({ tally }) => tally.newest ?? Infinity);
    const first = Math.max(...newest) + 1;
    if (first === Infinity) return;
    this.#hasBegun = true;
    for (const { tally } of this.#lanes) tally.begin(first);
  }

  #showFigures(): void {
    // A number may arrive before its report.
    const sent = Math.max(this.#sent, ...this.#lanes.map(({ tally }) => tally.newest ?? 0));
    const missed: string[] = [];
    let total = 0;
    for (const { id, title, tally, side } of this.#lanes) {
      if (side.isDown) tally.lose(sent);
      const figures = tally.figures(sent);
      if (figures === null) continue;
      showTiles(id, figures);
      missed.push(`${title} missed ${figures.missed}`);
      total = figures.received + figures.toCome + figures.missed;
    }
    say(
      element("comparison-caption", HTMLElement),
      `Of ${total} numbers, ${missed.slice(0, -1).join(", ")} and ${missed.at(-1) ?? ""}.`,
    );
  }
}

function showTiles(id: string, { received, toCome, missed, repeated }: Figures): void {
  const tile = (name: string, value: number, tone: string): void => {
    const where = element(`${id}-${name}`, HTMLElement);
    say(where, String(value));
    where.dataset["tone"] = tone;
  };
  tile("missed", missed, missed === 0 ? "good" : "dead");
  tile("received", received, "");
  tile("to-come", toCome, "");
  tile("repeated", repeated, repeated === 0 ? "" : "dead");
}

/** Shows the module that made the client, as this page runs it. */
async function showCode(id: string): Promise<void> {
  const response = await fetch(new URL(`./clients/${id}.js`, import.meta.url));
  const text = await response.text();
  // The columns are narrow, and the compiler indents by four spaces.
  const narrower = text.replaceAll(/^(?: {4})+/gm, (indent) => indent.slice(indent.length / 2));
  element(`${id}-code`, HTMLElement).textContent = narrower
    .replace(/^\/\/# sourceMappingURL=.*$/m, "")
    .trim();
  // On a narrow screen, the code would push the next client out of sight.
  element(`${id}-details`, HTMLDetailsElement).open = matchMedia("(min-width: 50rem)").matches;
}
