// The totals of the process that is shown, and the list of processes.

import type { ProcessSummary, Totals } from "../../build/server/inspect/wire.js";
import { button, find, make, setText } from "./elements.js";
import { bytes, count, duration, milliseconds, short } from "./format.js";

interface Tile {
  readonly name: string;
  readonly value: (totals: Totals) => string;
  readonly note: (totals: Totals) => string;
  readonly isBad?: (totals: Totals) => boolean;
}

const perSecond = (value: number | undefined, text = short): string =>
  value === undefined ? "–" : `${text(value)}/s`;

const TILES: readonly Tile[] = [
  {
    name: "Connections",
    value: ({ connections }) => count(connections),
    note: ({ rates }) => `+${perSecond(rates?.opened)}  −${perSecond(rates?.ended)}`,
  },
  {
    name: "In trouble",
    value: ({ troubled }) => count(troubled),
    note: ({ paused, closing, detached }) =>
      [
        paused > 0 ? `${count(paused)} paused` : "",
        closing > 0 ? `${count(closing)} closing` : "",
        detached > 0 ? `${count(detached)} detached` : "",
      ]
        .filter((part) => part !== "")
        .join(", ") || "late, paused or full",
    isBad: ({ troubled }) => troubled > 0,
  },
  {
    name: "Latency (median)",
    value: ({ latency }) => (latency === null ? "–" : milliseconds(latency.p50)),
    note: ({ latency }) => (latency === null ? "no pong yet" : `95 % within ${milliseconds(latency.p95)}`),
  },
  {
    name: "Received",
    value: ({ rates }) => perSecond(rates?.messagesReceived),
    note: ({ rates }) => `messages, ${perSecond(rates?.bytesReceived, bytes)}`,
  },
  {
    name: "Sent",
    value: ({ rates }) => perSecond(rates?.messagesSent),
    note: ({ rates }) => `messages, ${perSecond(rates?.bytesSent, bytes)}`,
  },
  {
    name: "Buffered",
    value: ({ buffered }) => bytes(buffered),
    note: ({ unread }) => `to send; ${count(unread)} unread`,
  },
  {
    name: "Memory",
    value: ({ memory }) => bytes(memory),
    note: ({ uptime }) => `up ${duration(uptime)}`,
  },
];

export class Tiles {
  readonly #shown = TILES.map((tile) => {
    const value = make("dd", "value");
    const note = make("dd", "note");
    const element = make("div", "tile", make("dt", "", tile.name), value, note);
    return { tile, element, value, note };
  });

  constructor() {
    find("tiles", HTMLElement).append(...this.#shown.map(({ element }) => element));
  }

  show(totals: Totals): void {
    for (const { tile, element, value, note } of this.#shown) {
      setText(value, tile.value(totals));
      setText(note, tile.note(totals));
      element.classList.toggle("bad", tile.isBad?.(totals) === true);
    }
  }
}

/** The processes of a cluster; hidden if there is only one. */
export class Processes {
  readonly #list = find("processes", HTMLUListElement);
  readonly #section = find("process-section", HTMLElement);
  readonly #onChoice: (id: string) => void;
  readonly #buttons = new Map<
    string,
    { item: HTMLLIElement; choice: HTMLButtonElement; note: HTMLElement }
  >();

  constructor(onChoice: (id: string) => void) {
    this.#onChoice = onChoice;
  }

  show(processes: readonly ProcessSummary[], chosen: string): void {
    this.#section.hidden = processes.length < 2;
    const gone = new Set(this.#buttons.keys());
    for (const { id, name, totals, error } of processes) {
      gone.delete(id);
      const { choice, note } = this.#buttons.get(id) ?? this.#add(id, name);
      choice.setAttribute("aria-pressed", String(id === chosen));
      setText(note, totals === null ? (error ?? "") : noteOf(totals));
    }
    for (const id of gone) {
      this.#buttons.get(id)?.item.remove();
      this.#buttons.delete(id);
    }
  }

  #add(id: string, name: string): { item: HTMLLIElement; choice: HTMLButtonElement; note: HTMLElement } {
    const note = make("span", "muted");
    const choice = button("", "", () => this.#onChoice(id));
    choice.append(make("strong", "", name), note);
    const item = make("li", "", choice);
    const added = { item, choice, note };
    this.#buttons.set(id, added);
    this.#list.append(item);
    return added;
  }
}

function noteOf({ connections, troubled, latency }: Totals): string {
  const trouble = troubled > 0 ? `, ${count(troubled)} in trouble` : "";
  return `${count(connections)} connections${trouble}${latency === null ? "" : `, ${milliseconds(latency.p95)} at 95 %`}`;
}
