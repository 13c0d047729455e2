// HOLDFAST_DEBUG: what happens on every connection, on stderr, without a change to the program.
//
//   HOLDFAST_DEBUG=1          everything
//   HOLDFAST_DEBUG=frames     the handshake and the frames
//   HOLDFAST_DEBUG=heartbeat  round trips, gaps and timeouts
//
// States and errors are shown always. Several topics are separated by commas.

import { inspect } from "node:util";
import type { ConnectionSettings } from "../../connection/options.js";
import type { Logger } from "../../connection/ports.js";
import { formatFields } from "./format-fields.js";

/** Where lines go. */
export interface LineWriter {
  write(text: string): unknown;
}

let shared: Logger | null | undefined;

/** The settings, with stderr beside their logger where the environment asks for that. The environment is read once. */
export function withDebugLog(settings: ConnectionSettings): ConnectionSettings {
  if (shared === undefined) shared = debugLog(process.env["HOLDFAST_DEBUG"] ?? "", standardError);
  if (shared === null) return settings;
  const logger = settings.logger === null ? shared : both(shared, settings.logger);
  return { ...settings, logger, faultLogger: logger };
}

/** Not the stream itself: Node makes it when it is first asked for, and few processes log anything. */
const standardError: LineWriter = { write: (text) => process.stderr.write(text) };

/** A logger for people; null where `value`, as in the environment, asks for none. */
export function debugLog(value: string, sink: LineWriter): Logger | null {
  const topics = value
    .toLowerCase()
    .split(",")
    .map((topic) => topic.trim());
  if (topics.every((topic) => OFF.has(topic))) return null;
  // A topic that is not known asks for everything: better too much than a silence that seems to mean something.
  const shown = topics.map((topic) => TOPICS.get(topic) ?? EVERYTHING).join("");
  return new DebugLog(`${shown}${ALWAYS}`, sink);
}

const OFF: ReadonlySet<string> = new Set(["", "0", "false"]);
/** Which lines a topic is about, by their first character. */
const TOPICS: ReadonlyMap<string, string> = new Map([
  ["frames", "<>"],
  ["heartbeat", "%-"],
]);
const EVERYTHING = "<>%-";
const ALWAYS = "=!";
/** Where the name of the connection stands, behind lines that are not longer. */
const NAME_COLUMN = 56;

/** What goes with a line of a connection. */
interface LineDetails {
  readonly id?: string;
  readonly side?: string;
  readonly error?: unknown;
}

class DebugLog implements Logger {
  readonly #shown: string;
  readonly #sink: LineWriter;
  /** The ids of the connections that have opened and not ended. */
  readonly #alive = new Set<string>();

  constructor(shown: string, sink: LineWriter) {
    this.#shown = shown;
    this.#sink = sink;
  }

  debug(message: string, { id, side }: LineDetails = {}): void {
    if (id !== undefined) this.#alive.add(id);
    const isNamed = id !== undefined && this.#alive.size > 1;
    this.#print(isNamed ? `${message.padEnd(NAME_COLUMN)} (${side ?? ""} ${id})` : message);
  }

  info(message: string, details: LineDetails = {}): void {
    this.#print(`= ${message}${formatFields(details)}`);
    this.#noteEnd(message, details);
  }

  warn(message: string, details: LineDetails = {}): void {
    this.#print(`! ${message}${formatFields(details)}`);
    this.#noteEnd(message, details);
  }

  /** What went wrong in the program itself is worth its stack. */
  error(message: string, { error, ...details }: LineDetails = {}): void {
    this.#print(`! ${message}${formatFields(details)}`);
    if (error !== undefined) this.#print(`! ${inspect(error).replaceAll("\n", "\n! ")}`);
  }

  #noteEnd(message: string, { id }: LineDetails): void {
    if (message === "connection closed" && id !== undefined) this.#alive.delete(id);
  }

  #print(line: string): void {
    if (this.#shown.includes(line.charAt(0))) this.#sink.write(`${line}\n`);
  }
}

/** Debug lines are made for the first one anyway; whether the second wants them is its own business. */
function both(first: Logger, second: Logger): Logger {
  const tell = (level: "debug" | "error" | "info" | "warn") => (message: string, details?: object) => {
    first[level](message, details);
    second[level](message, details);
  };
  return { debug: tell("debug"), info: tell("info"), warn: tell("warn"), error: tell("error") };
}
