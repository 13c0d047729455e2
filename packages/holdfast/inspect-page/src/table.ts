// The table of connections or endings. Rows keep their elements while they move, so that the focus stays on its row.

import type { ConnectionRow, EndingRow, RowWindow, SortKey, View } from "../../build/server/inspect/wire.js";
import { button, find, make, setText } from "./elements.js";
import { bytes, count, duration, milliseconds, timeOfDay } from "./format.js";
import { sparkline } from "./sparkline.js";

interface Column<Row> {
  readonly name: string;
  readonly className?: string;
  readonly sort?: SortKey;
  readonly fill: (cell: HTMLTableCellElement, row: Row) => void;
}

export interface TableHandler {
  onSort(key: SortKey): void;
  onOpen(row: ConnectionRow | EndingRow): void;
}

interface ShownRow {
  readonly element: HTMLTableRowElement;
  readonly cells: readonly HTMLTableCellElement[];
  row: ConnectionRow | EndingRow;
}

export class Table {
  readonly #head = find("head", HTMLTableSectionElement);
  readonly #body = find("body", HTMLTableSectionElement);
  readonly #empty = find("empty", HTMLParagraphElement);
  readonly #handler: TableHandler;
  #view: View | null = null;
  #rows = new Map<string, ShownRow>();

  constructor(handler: TableHandler) {
    this.#handler = handler;
  }

  show(window: RowWindow, sort: SortKey, isDescending: boolean, isFiltered: boolean): void {
    if (window.view !== this.#view) this.#begin(window.view);
    for (const cell of this.#head.querySelectorAll("th[data-sort]")) {
      const order = isDescending ? "descending" : "ascending";
      cell.setAttribute("aria-sort", cell.getAttribute("data-sort") === sort ? order : "none");
    }
    if (window.view === "connections")
      this.#update(window.connections, CONNECTION_COLUMNS, ({ id }) => id, classOfConnection);
    else this.#update(window.endings, ENDING_COLUMNS, ({ number }) => String(number), classOfEnding);
    this.#empty.hidden = window.total > 0;
    setText(this.#empty, isFiltered ? "Nothing matches the filter." : EMPTY[window.view]);
  }

  #begin(view: View): void {
    this.#view = view;
    this.#rows.clear();
    this.#body.replaceChildren();
    const columns: readonly Column<never>[] = view === "connections" ? CONNECTION_COLUMNS : ENDING_COLUMNS;
    const cells = columns.map(({ name, className = "", sort }) => {
      const cell = make("th", `${className}${sort === undefined ? " plain" : ""}`);
      cell.scope = "col";
      if (sort === undefined) {
        cell.append(name);
      } else {
        cell.dataset["sort"] = sort;
        cell.append(button(name, "", () => this.#handler.onSort(sort)));
      }
      return cell;
    });
    this.#head.replaceChildren(make("tr", "", ...cells));
  }

  #update<Row extends ConnectionRow | EndingRow>(
    rows: readonly Row[],
    columns: readonly Column<Row>[],
    keyOf: (row: Row) => string,
    classOf: (row: Row) => string,
  ): void {
    const focused = document.activeElement;
    const before = this.#rows;
    this.#rows = new Map();
    rows.forEach((row, index) => {
      const key = keyOf(row);
      const shown = before.get(key) ?? this.#newRow(row, columns);
      before.delete(key);
      this.#rows.set(key, shown);
      shown.row = row;
      shown.element.className = classOf(row);
      columns.forEach(({ fill }, at) => {
        const cell = shown.cells[at];
        if (cell !== undefined) fill(cell, row);
      });
      const place = this.#body.children[index] ?? null;
      if (place !== shown.element) this.#body.insertBefore(shown.element, place);
    });
    for (const { element } of before.values()) element.remove();
    // Moving an element takes the focus from it.
    if (focused instanceof HTMLElement && focused.isConnected && document.activeElement !== focused)
      focused.focus({ preventScroll: true });
  }

  #newRow<Row extends ConnectionRow | EndingRow>(row: Row, columns: readonly Column<Row>[]): ShownRow {
    const cells = columns.map(({ className = "" }) => make("td", className));
    const shown: ShownRow = { element: make("tr", "", ...cells), cells, row };
    cells[0]?.append(
      button("", "open", () => this.#handler.onOpen(shown.row)),
      make("span", "sub"),
    );
    return shown;
  }
}

const EMPTY: Readonly<Record<View, string>> = {
  connections: "Nobody is connected.",
  endings: "No connection has ended since the inspector was set up.",
};

function fillName(cell: HTMLTableCellElement, { id, address, path }: ConnectionRow | EndingRow): void {
  const [name, sub] = cell.children;
  if (name === undefined || sub === undefined) return;
  setText(name, address ?? id);
  setText(sub, path);
  sub.setAttribute("title", `${path}  ${id}`);
}

/** Replaces the badges only if they change. */
function fillBadges(cell: HTMLTableCellElement, badges: readonly (readonly [string, string])[]): void {
  if (cell.textContent === badges.map(([text]) => text).join("")) return;
  cell.replaceChildren(...badges.map(([text, kind]) => make("span", `badge ${kind}`, text)));
}

export function badgesOf(row: ConnectionRow): readonly (readonly [text: string, kind: string])[] {
  const { state, overdue, suspicion, paused = [] } = row;
  return [
    ...(overdue === undefined ? [] : [[`no pong for ${duration(overdue)}`, "bad"] as const]),
    ...(suspicion === undefined || suspicion === 0 ? [] : [[`suspect ${suspicion}`, "bad"] as const]),
    ...paused.map((reason) => [`paused: ${reason}`, "warn"] as const),
    [state, state === "open" ? "good" : "warn"] as const,
  ];
}

function classOfConnection(row: ConnectionRow): string {
  const kinds = badgesOf(row).map(([, kind]) => kind);
  return kinds.includes("bad") ? "bad" : kinds.includes("warn") ? "warn" : "";
}

function classOfEnding({ ok }: EndingRow): string {
  return ok ? "" : "bad";
}

const text =
  <Row>(of: (row: Row) => string) =>
  (cell: HTMLTableCellElement, row: Row): void => {
    const shown = of(row);
    setText(cell, shown);
    cell.classList.toggle("none", shown === "–");
  };

const CONNECTION_COLUMNS: readonly Column<ConnectionRow>[] = [
  { name: "Connection", sort: "address", fill: fillName },
  { name: "State", sort: "trouble", fill: (cell, row) => fillBadges(cell, badgesOf(row)) },
  { name: "Age", sort: "age", className: "number medium", fill: text(({ age }) => duration(age)) },
  {
    name: "Latency",
    sort: "latency",
    className: "number",
    fill: (cell, { latency, samples }) => {
      const label = latency === undefined ? "–" : milliseconds(latency);
      const key = `${label} ${samples?.join(" ") ?? ""}`;
      if (cell.dataset["key"] === key) return;
      cell.dataset["key"] = key;
      const parts = samples === undefined ? [] : [sparkline(samples)];
      cell.replaceChildren(make("div", "latency", ...parts, make("span", "", label)));
    },
  },
  {
    name: "Jitter",
    sort: "jitter",
    className: "number wide",
    fill: text(({ jitter }) => (jitter === undefined ? "–" : milliseconds(jitter))),
  },
  {
    name: "Buffered",
    sort: "buffered",
    className: "number medium",
    fill: text(({ buffered }) => (buffered === undefined ? "–" : bytes(buffered))),
  },
  {
    name: "Unread",
    sort: "unread",
    className: "number medium",
    fill: text(({ unread }) => (unread === undefined ? "–" : count(unread))),
  },
  { name: "Session", className: "session wide", fill: text(({ session }) => session ?? "–") },
  {
    name: "Topics",
    sort: "topics",
    className: "topics wide",
    fill: text(({ topics = [], topicCount = 0 }) =>
      topicCount === 0
        ? "–"
        : `${topics.join(", ")}${topicCount > topics.length ? ` and ${count(topicCount - topics.length)} more` : ""}`,
    ),
  },
];

const ENDING_COLUMNS: readonly Column<EndingRow>[] = [
  { name: "Connection", fill: fillName },
  { name: "Ended", className: "medium", fill: text(({ at }) => timeOfDay(at)) },
  { name: "Cause", fill: (cell, { cause, ok }) => fillBadges(cell, [[cause, ok ? "good" : "bad"]]) },
  {
    name: "Code and reason",
    className: "why",
    fill: text(({ code, reason }) => (reason === "" ? String(code) : `${code} ${reason}`)),
  },
  { name: "Open for", className: "number medium", fill: text(({ age }) => duration(age)) },
];
