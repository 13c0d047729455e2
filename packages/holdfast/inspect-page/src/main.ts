// The inspector's page: asks for a snapshot once a second while somebody can see it, and shows it.

import type { Query, Selection, SnapshotAnswer, SortKey, View } from "../../build/server/inspect/wire.js";
import { Charts } from "./charts.js";
import { Details } from "./details.js";
import { find, setText } from "./elements.js";
import { FIRST_QUERY } from "./first-query.js";
import { count } from "./format.js";
import { Stream } from "./stream.js";
import { Table } from "./table.js";
import { Processes, Tiles } from "./tiles.js";

const PERIOD = 1_000;
/** Milliseconds between snapshots while the viewer changes what is shown: the server accepts ten requests a second. */
const SHORTEST_PERIOD = 150;
/** Milliseconds by which answers that arrive in another order cannot differ. */
const CLOCK_STEP = 60_000;
const PAGE_SIZE = FIRST_QUERY.limit;
/** These are sorted from the smallest one first; the others from the largest. */
const ASCENDING_FIRST: ReadonlySet<SortKey> = new Set(["address", "state"]);

let query = FIRST_QUERY;
let process: string | null = null;
let isPaused = false;
let mayAct = false;
let timer: ReturnType<typeof setTimeout> | undefined;
let lookedAt = -Infinity;
let total = 0;
/** The time of the newest totals in the charts: several snapshots may contain the same ones. */
let chartedAt = 0;

const tiles = new Tiles();
const charts = new Charts();
const processes = new Processes((id) => {
  process = id;
  restartCharts(); // Its clock may differ.
  change({ offset: 0 });
});
const details = new Details({
  get mayAct() {
    return mayAct;
  },
  act: (action, connection) => stream.ask({ type: "act", process, action, connection }),
  explain: (ending) => stream.ask({ type: "explain", process, ending }),
});
const table = new Table({
  onSort: (sort) => {
    const descending = query.sort === sort ? !query.descending : !ASCENDING_FIRST.has(sort);
    change({ sort, descending, offset: 0 });
  },
  onOpen: (row) => details.open(row),
});

const stream = new Stream(streamUrl(), {
  onOpen: () => {
    setStatus("on", isPaused ? "Paused" : "Live");
    void look();
  },
  onLost: (code, reason, seconds) => {
    const why = reason === "" ? `${code}` : `${code}: ${reason}`;
    setStatus("off", `No stream (${why}). Next attempt in ${seconds} s; reload the page to log in again.`);
  },
});

function streamUrl(): string {
  const url = new URL(`${location.pathname.replace(/\/+$/, "")}/stream`, location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

async function look(): Promise<void> {
  clearTimeout(timer);
  if (!stream.isOpen) return; // Opening it looks again.
  const early = lookedAt + SHORTEST_PERIOD - performance.now();
  if (early > 0) {
    timer = setTimeout(() => void look(), early); // A key that is held, or a fast series of clicks.
    return;
  }
  lookedAt = performance.now();
  const asked = query;
  const answer = await stream.ask({ type: "look", process, query });
  if (answer?.type === "snapshot" && asked === query) show(answer);
  if (answer?.type === "failed") setStatus("off", answer.text);
  clearTimeout(timer);
  if (!isPaused && !document.hidden) timer = setTimeout(() => void look(), PERIOD);
}

function show(snapshot: SnapshotAnswer): void {
  const { window, watch } = snapshot;
  mayAct = snapshot.actions;
  setStatus("on", isPaused ? "Paused" : "Live");
  setText(find("viewer", HTMLParagraphElement), snapshot.who === null ? "" : `as ${snapshot.who}`);
  processes.show(snapshot.processes, snapshot.process);
  const totals = snapshot.processes.find(({ id }) => id === snapshot.process)?.totals ?? null;
  if (totals !== null) {
    tiles.show(totals);
    if (totals.at < chartedAt - CLOCK_STEP) restartCharts(); // The server's clock was set back.
    if (totals.at > chartedAt) {
      charts.add(totals);
      chartedAt = totals.at;
    }
  }
  table.show(window, query.sort, query.descending, query.filter !== "" || query.only !== "all");
  details.update(window, watch);
  total = window.total;
  const last = Math.min(window.offset + PAGE_SIZE, total);
  setText(
    find("range", HTMLSpanElement),
    total === 0 ? "" : `${count(window.offset + 1)}–${count(last)} of ${count(total)}`,
  );
  find("previous", HTMLButtonElement).disabled = query.offset === 0;
  find("next", HTMLButtonElement).disabled = last >= total;
  // Rows have gone, and the page with them.
  if (query.offset > 0 && query.offset >= total) change({ offset: 0 });
}

function restartCharts(): void {
  charts.clear();
  chartedAt = 0;
}

function change(changes: Partial<Query>): void {
  query = { ...query, ...changes };
  void look();
}

function setStatus(kind: "off" | "on", text: string): void {
  find("dot", HTMLSpanElement).className = `dot ${isPaused && kind === "on" ? "" : kind}`;
  setText(find("status", HTMLSpanElement), text);
}

function choose(view: View): void {
  for (const each of ["connections", "endings"] as const)
    find(`view-${each}`, HTMLButtonElement).setAttribute("aria-pressed", String(each === view));
  find("only", HTMLSelectElement).disabled = view === "endings";
  change({ view, offset: 0 });
}

function setPaused(paused: boolean): void {
  isPaused = paused;
  find("pause", HTMLButtonElement).setAttribute("aria-pressed", String(paused));
  setStatus(stream.isOpen ? "on" : "off", paused ? "Paused" : "Live");
  if (paused) clearTimeout(timer);
  else void look();
}

find("view-connections", HTMLButtonElement).addEventListener("click", () => choose("connections"));
find("view-endings", HTMLButtonElement).addEventListener("click", () => choose("endings"));
find("pause", HTMLButtonElement).addEventListener("click", () => setPaused(!isPaused));
find("previous", HTMLButtonElement).addEventListener("click", () =>
  change({ offset: Math.max(0, query.offset - PAGE_SIZE) }),
);
find("next", HTMLButtonElement).addEventListener("click", () => {
  if (query.offset + PAGE_SIZE < total) change({ offset: query.offset + PAGE_SIZE });
});
find("only", HTMLSelectElement).addEventListener("change", ({ target }) => {
  // Its options have exactly these values.
  if (target instanceof HTMLSelectElement) change({ only: target.value as Selection, offset: 0 });
});
let typing: ReturnType<typeof setTimeout> | undefined;
find("filter", HTMLInputElement).addEventListener("input", ({ target }) => {
  clearTimeout(typing);
  typing = setTimeout(() => {
    if (target instanceof HTMLInputElement) change({ filter: target.value, offset: 0 });
  }, 200);
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) clearTimeout(timer);
  else if (!isPaused) void look();
});
document.addEventListener("keydown", (event) => {
  const isTyping = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key !== "/") return;
  event.preventDefault();
  find("filter", HTMLInputElement).focus();
});
