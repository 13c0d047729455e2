// `holdfast inspect`: shows the snapshots of a server's inspector, one a second.

import { connect, explain, HoldfastError, type Connection, type Message } from "../../index.js";
import {
  SELECTIONS,
  SORT_KEYS,
  type InspectAnswer,
  type LookRequest,
  type Query,
  type SnapshotAnswer,
} from "../../server/inspect/wire.js";
import type { Arguments } from "../arguments/arguments.js";
import { UsageError } from "../arguments/usage-error.js";
import { completeURL, peerOptions } from "../connection/peer-options.js";
import { EXIT } from "../exit-codes.js";
import type { Console } from "../terminal/console.js";
import { escaped } from "../terminal/escape.js";
import { jsonLine } from "../terminal/json.js";
import { openKeys, type Keys } from "./keys.js";
import { screen } from "./screen.js";

/** Milliseconds between snapshots. */
const PERIOD = 1_000;
/** The same while keys are pressed: the server accepts ten requests a second. */
const SHORTEST_PERIOD = 150;
/** Milliseconds for an answer. */
const ANSWER_TIMEOUT = 10_000;
const MOST_ROWS = 100;
/** Rows of the terminal that show no connection: the totals, the head of the table and the keys. */
const OTHER_ROWS = 9;
/** Of a terminal that does not report its rows. */
const USUAL_ROWS = 24;

export async function inspect(given: Arguments, console: Console): Promise<number> {
  const url = streamUrl(completeURL(given.operands[0]));
  const count = given.count("count", Infinity);
  const isJson = given.has("json") || !console.isOutputTerminal;
  const limit = given.count("limit", null, 1, MOST_ROWS);
  let query = firstQuery(given);
  const connection = await connect(url, { ...peerOptions(given), signal: console.interrupted });
  const view = isJson ? null : openScreen(console);
  let wake: () => void = () => undefined;
  const quitting = new AbortController();
  const keys = view === null ? null : keysFor(console);
  const stop = (): void => {
    quitting.abort();
    void connection.close();
    wake();
  };
  console.interrupted.addEventListener("abort", stop, { once: true });
  let hasChanged: boolean;
  let shown = 0;
  let total = 0;
  keys?.listen((key) => {
    hasChanged = true;
    if (key === "quit") stop();
    else query = { ...query, ...changeFor(key, query, shown, total) };
    wake();
  });
  try {
    for (let id = 1; id <= count && !quitting.signal.aborted; id++) {
      shown = limit ?? (isJson ? MOST_ROWS : rowsThatFit());
      hasChanged = false;
      const earliest = pause(SHORTEST_PERIOD);
      const snapshot = await look(connection, id, { ...query, limit: shown });
      if (snapshot === null) break;
      if (isJson) console.print(jsonLine(snapshot));
      else view?.draw(screen(snapshot, query, console));
      if (id === count) break;
      ({ total } = snapshot.window);
      if (query.offset > 0 && query.offset >= total) {
        // Rows have gone, and the page with them.
        query = { ...query, offset: 0 };
        hasChanged = true;
      }
      const change = hasChanged ? null : new Promise<void>((resolve) => (wake = resolve));
      await Promise.race([change, pause(PERIOD), connection.closed]);
      await Promise.race([earliest, connection.closed]);
    }
  } finally {
    keys?.close();
    view?.close();
  }
  const isOver = connection.state !== "open" && !quitting.signal.aborted;
  const info = await connection.close();
  if (isOver) console.say(`holdfast: ${escaped(explain(info))}`);
  if (console.interrupted.aborted) return EXIT.interrupted;
  return isOver ? EXIT.failed : EXIT.ok;
}

/** The path of the inspector, and then its stream. */
function streamUrl(text: string): string {
  const match = /^([a-z+.-]+:\/\/[^/?#]*)([^?#]*)(.*)$/i.exec(text);
  if (match === null) return text; // A Unix socket: its user has to name the whole path.
  const [, origin = "", path = "", rest = ""] = match;
  const base = path === "" || path === "/" ? "/holdfast" : path.replace(/\/+$/, "");
  return `${origin.replace(/^http/i, "ws")}${base.endsWith("/stream") ? base : `${base}/stream`}${rest}`;
}

/** @throws UsageError */
function firstQuery(given: Arguments): Query {
  return {
    view: given.has("endings") ? "endings" : "connections",
    sort: choice(given, "sort", SORT_KEYS) ?? "trouble",
    descending: !given.has("ascending"),
    only: choice(given, "only", SELECTIONS) ?? "all",
    filter: (given.text("filter") ?? "").slice(0, 200),
    offset: 0,
    limit: MOST_ROWS,
  };
}

function choice<Choice extends string>(
  given: Arguments,
  name: string,
  choices: readonly Choice[],
): Choice | undefined {
  const text = given.text(name);
  const found = choices.find((each) => each === text);
  if (text === undefined || found !== undefined) return found;
  throw new UsageError(`Expected \`--${name}\` to be one of ${choices.join(", ")}, got "${text}".`);
}

/** Null if the stream has ended. @throws HoldfastError for an answer that is not a snapshot */
async function look(connection: Connection, id: number, query: Query): Promise<SnapshotAnswer | null> {
  const request: LookRequest = { type: "look", id, process: null, query };
  try {
    await connection.send(JSON.stringify(request));
    const answer = answerIn(await connection.recv({ timeout: ANSWER_TIMEOUT }));
    if (answer.type === "snapshot") return answer;
    throw new UsageError(`The inspector answered: ${answer.text}`);
  } catch (error) {
    if (connection.state === "open") throw error;
    return null;
  }
}

/** @throws HoldfastError if the server is no inspector */
function answerIn(message: Message): InspectAnswer {
  let answer: Partial<InspectAnswer> | null = null;
  try {
    answer = JSON.parse(String(message)) as Partial<InspectAnswer> | null;
  } catch {
    // Not JSON.
  }
  const isFailure = answer !== null && "text" in answer && typeof answer.text === "string";
  if (answer?.type === "snapshot" || isFailure) return answer as InspectAnswer; // The server's own form.
  throw new HoldfastError(
    `Expected the answer of an inspector, got ${JSON.stringify(String(message).slice(0, 60))}. Pass the URL that inspect() returned.`,
  );
}

function changeFor(key: Exclude<Keys, "quit">, query: Query, shown: number, total: number): Partial<Query> {
  switch (key) {
    case "sort":
      return {
        sort: SORT_KEYS[(SORT_KEYS.indexOf(query.sort) + 1) % SORT_KEYS.length] ?? "trouble",
        offset: 0,
      };
    case "reverse":
      return { descending: !query.descending, offset: 0 };
    case "endings":
      return { view: query.view === "endings" ? "connections" : "endings", offset: 0 };
    case "trouble":
      return { only: query.only === "trouble" ? "all" : "trouble", offset: 0 };
    case "next":
      return query.offset + shown < total ? { offset: query.offset + shown } : {};
    case "previous":
      return { offset: Math.max(0, query.offset - shown) };
  }
}

function keysFor(console: Console): ReturnType<typeof openKeys> | null {
  return console.isInputTerminal ? openKeys(process.stdin) : null;
}

function rowsThatFit(): number {
  return Math.max(1, Math.min(MOST_ROWS, (process.stdout.rows || USUAL_ROWS) - OTHER_ROWS));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The alternate screen of the terminal, so that the earlier output is there again afterwards. */
function openScreen(console: Console): { draw(lines: readonly string[]): void; close(): void } {
  if (console.isDumb) return { draw: (lines) => console.print(lines.join("\n")), close: () => undefined };
  process.stdout.write("\x1b[?1049h\x1b[?25l");
  return {
    draw: (lines) =>
      void process.stdout.write(`\x1b[H${lines.map((line) => `${line}\x1b[K`).join("\r\n")}\x1b[J`),
    close: () => void process.stdout.write("\x1b[?25h\x1b[?1049l"),
  };
}
