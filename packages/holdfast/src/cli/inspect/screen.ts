// A snapshot as lines for a terminal.

import type { ConnectionRow, EndingRow, Query, SnapshotAnswer, Totals } from "../../server/inspect/wire.js";
import type { Console } from "../terminal/console.js";
import { fitCells, padCells } from "../terminal/cells.js";
import { escaped } from "../terminal/escape.js";
import { milliseconds } from "../terminal/milliseconds.js";
import { sparkline } from "../terminal/sparkline.js";

interface Column<Row> {
  readonly name: string;
  readonly width: number;
  readonly isRight?: boolean;
  readonly of: (row: Row) => string;
}

const CONNECTIONS: readonly Column<ConnectionRow>[] = [
  { name: "connection", width: 22, of: ({ address, id }) => address ?? id },
  { name: "path", width: 18, of: ({ path }) => path },
  { name: "state", width: 18, of: stateOf },
  { name: "age", width: 8, isRight: true, of: ({ age }) => time(age) },
  {
    name: "ms",
    width: 7,
    isRight: true,
    of: ({ latency }) => (latency === undefined ? "–" : milliseconds(latency)),
  },
  { name: "", width: 16, of: ({ samples }) => (samples === undefined ? "" : sparkline(samples, 16)) },
  {
    name: "jitter",
    width: 7,
    isRight: true,
    of: ({ jitter }) => (jitter === undefined ? "–" : milliseconds(jitter)),
  },
  { name: "buffered", width: 8, isRight: true, of: ({ buffered = 0 }) => size(buffered) },
  { name: "unread", width: 6, isRight: true, of: ({ unread = 0 }) => String(unread) },
  { name: "topics", width: 6, isRight: true, of: ({ topicCount = 0 }) => String(topicCount) },
];

const ENDINGS: readonly Column<EndingRow>[] = [
  { name: "ended", width: 8, of: ({ at }) => new Date(at).toTimeString().slice(0, 8) },
  { name: "connection", width: 24, of: ({ address, id }) => address ?? id },
  { name: "open for", width: 8, isRight: true, of: ({ age }) => time(age) },
  { name: "cause", width: 18, of: ({ cause }) => cause },
  { name: "code", width: 5, isRight: true, of: ({ code }) => String(code) },
  { name: "reason", width: 40, of: ({ reason }) => reason },
];

export function screen(
  { processes, process, window }: SnapshotAnswer,
  query: Query,
  { style, width }: Pick<Console, "style" | "width">,
): readonly string[] {
  const totals = processes.find(({ id }) => id === process)?.totals ?? null;
  const last = window.offset + window.connections.length + window.endings.length;
  const range = window.total === 0 ? "none" : `${window.offset + 1}–${last} of ${window.total}`;
  const order =
    query.view === "endings" ? "newest first" : `by ${query.sort}${query.descending ? "" : ", ascending"}`;
  const rows =
    window.view === "connections"
      ? table(CONNECTIONS, window.connections, width).map((line, index) =>
          isTroubled(window.connections[index - 1]) ? style.bad(line) : line,
        )
      : table(ENDINGS, window.endings, width).map((line, index) =>
          hasFailed(window.endings[index - 1]) ? style.bad(line) : line,
        );
  const [head = "", ...body] = rows;
  return [
    ...(totals === null ? ["no totals"] : summary(totals)).map((line) => fit(line, width)),
    ...(processes.length > 1 ? [fit(othersOf(processes, process), width)] : []),
    "",
    style.bold(fit(`${query.view}, ${order}: ${range}`, width)),
    style.dim(head),
    ...body,
    style.dim(fit("s sort  r reverse  e endings  t trouble  n next  p previous  q quit", width)),
  ];
}

function summary(totals: Totals): readonly string[] {
  const { connections, troubled, paused, closing, detached, latency, rates, buffered, memory } = totals;
  const times =
    latency === null
      ? "no latency yet"
      : `latency ${milliseconds(latency.p50)} ms, 95 % ${milliseconds(latency.p95)} ms`;
  const messages =
    rates === null
      ? "counting …"
      : `received ${rates.messagesReceived}/s (${size(rates.bytesReceived)}/s)  sent ${rates.messagesSent}/s (${size(rates.bytesSent)}/s)  +${rates.opened}/s −${rates.ended}/s`;
  return [
    `${connections} connections  ${troubled} in trouble  ${paused} paused  ${closing} closing  ${detached} detached  ${times}`,
    `${messages}  buffered ${size(buffered)}  memory ${size(memory)}`,
  ];
}

function othersOf(processes: SnapshotAnswer["processes"], process: string): string {
  const others = processes.filter(({ id }) => id !== process);
  return `other processes: ${others.map(({ name, totals }) => `${name} ${totals?.connections ?? "?"}`).join(", ")}`;
}

/** The head and the rows. */
function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number): readonly string[] {
  const line = (cells: readonly string[]): string =>
    fit(
      columns.map(({ width: size_, isRight }, index) => cell(cells[index] ?? "", size_, isRight)).join(" "),
      width,
    );
  return [
    line(columns.map(({ name }) => name)),
    ...rows.map((row) => line(columns.map(({ of }) => of(row)))),
  ];
}

/** A peer's text must not control the terminal. */
function cell(text: string, width: number, isRight = false): string {
  return padCells(fit(text, width), width, isRight);
}

function fit(text: string, width: number): string {
  return fitCells(escaped(text), width);
}

function hasFailed(row: EndingRow | undefined): boolean {
  return row?.ok === false;
}

function isTroubled(row: ConnectionRow | undefined): boolean {
  return row !== undefined && (row.overdue !== undefined || (row.paused ?? []).length > 0);
}

function stateOf({ state, overdue, suspicion = 0, paused = [] }: ConnectionRow): string {
  if (overdue !== undefined) return `no pong for ${time(overdue)}`;
  if (suspicion > 0) return `suspect ${suspicion}`;
  return paused.length > 0 ? `paused: ${paused.join(", ")}` : state;
}

function time(value: number): string {
  const seconds = Math.floor(value / 1_000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m${seconds % 60}s`;
  return `${Math.floor(seconds / 3_600)}h${Math.floor((seconds % 3_600) / 60)}m`;
}

function size(value: number): string {
  if (value < 1_000) return `${Math.round(value)}B`;
  return value < 1e6 ? `${(value / 1e3).toFixed(1)}k` : `${(value / 1e6).toFixed(1)}M`;
}
