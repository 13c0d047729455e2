// HOLDFAST_DEBUG: what happens on every connection, on stderr, without a change to the program.
//
//   HOLDFAST_DEBUG=1          everything
//   HOLDFAST_DEBUG=frames     the handshake and the frames
//   HOLDFAST_DEBUG=heartbeat  round trips, gaps and timeouts
//
// States and errors are shown always. Several topics are separated by commas.

import { nodeModule } from "../../protocol/node-module.js";
import type { ConnectionSettings } from "../../connection/options.js";
import type { Logger } from "../../connection/ports.js";
import { readVariable } from "./environment.js";
import { formatFields } from "./format-fields.js";

/** The destination of log lines. */
export interface LineWriter {
  write(text: string): unknown;
}

let shared: Logger | null | undefined;

/** Adds a logger to stderr if HOLDFAST_DEBUG is set. The environment is read once. */
export function withDebugLog(settings: ConnectionSettings): ConnectionSettings {
  if (shared === undefined)
    shared = debugLog(readVariable("HOLDFAST_DEBUG", process.env) ?? "", standardError);
  if (shared === null) return settings;
  const logger = settings.logger === null ? shared : both(shared, settings.logger);
  return { ...settings, logger, faultLogger: logger };
}

/** Accesses stderr lazily: Node creates the stream on first use, and few processes log anything. */
const standardError: LineWriter = { write: (text) => process.stderr.write(text) };

/** Creates a logger for people; null if `value`, from the environment, disables it. */
export function debugLog(value: string, writer: LineWriter): Logger | null {
  const topics = value
    .toLowerCase()
    .split(",")
    .map((topic) => topic.trim());
  if (topics.every((topic) => OFF.has(topic))) return null;
  // An unknown topic enables everything: too much output is better than a silence that looks meaningful.
  const shown = topics.map((topic) => TOPICS.get(topic) ?? EVERYTHING).join("");
  return new DebugLog(`${shown}${ALWAYS}`, writer);
}

const OFF: ReadonlySet<string> = new Set(["", "0", "false"]);
/** The lines of each topic, by their first character. */
const TOPICS: ReadonlyMap<string, string> = new Map([
  ["frames", "<>"],
  ["heartbeat", "%-"],
]);
const EVERYTHING = "<>%-";
const ALWAYS = "=!";
/** The column of the connection's name, for lines that are shorter. */
const NAME_COLUMN = 56;

/** The details of a connection's log line. */
interface LineDetails {
  readonly id?: string;
  readonly side?: string;
  readonly error?: unknown;
}

class DebugLog implements Logger {
  readonly #shown: string;
  readonly #writer: LineWriter;
  /** The ids of open connections. */
  readonly #alive = new Set<string>();

  constructor(shown: string, writer: LineWriter) {
    this.#shown = shown;
    this.#writer = writer;
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

  /** An error in the program itself is logged with its stack. */
  error(message: string, { error, ...details }: LineDetails = {}): void {
    this.#print(`! ${message}${formatFields(details)}`);
    if (error !== undefined)
      this.#print(`! ${nodeModule("node:util").inspect(error).replaceAll("\n", "\n! ")}`);
  }

  #noteEnd(message: string, { id }: LineDetails): void {
    if (message === "connection closed" && id !== undefined) this.#alive.delete(id);
  }

  #print(line: string): void {
    if (this.#shown.includes(line.charAt(0))) this.#writer.write(`${line}\n`);
  }
}

/**
 * Writes to both loggers. Debug lines are created for the first one anyway; the second decides for itself
 * whether it wants them.
 */
function both(first: Logger, second: Logger): Logger {
  const log = (level: "debug" | "error" | "info" | "warn") => (message: string, details?: object) => {
    first[level](message, details);
    second[level](message, details);
  };
  return { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };
}
