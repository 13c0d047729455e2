// Loggers take their arguments in two orders. `console`, winston and most others take the message first; pino, and what
// is modelled on it, the details: given a message first, it would drop the details without a word.

import type { Logger } from "../ports.js";

type Level = "debug" | "error" | "info" | "warn";
type Write = (level: Level, message: string, details: object | undefined) => void;

/** The logger itself, or one that speaks to it in its own way. */
export function adaptLogger(logger: Logger): Logger {
  if (PINO in logger) return adaptPino(logger as unknown as PinoLogger); // Told by the mark.
  return logger === globalThis.console ? adaptConsole(globalThis.console) : logger;
}

/** Pino marks its loggers, and their children, with this field (`pino.symbols.serializersSym`). */
const PINO = Symbol.for("pino.serializers");

interface PinoLogger extends Record<Level, (details: object, message: string) => void> {
  isLevelEnabled(level: Level): boolean;
}

function adaptPino(pino: PinoLogger): Logger {
  return {
    ...levels((level, message, details = {}) => pino[level](withSerializableError(details), message)),
    isLevelEnabled: (level) => pino.isLevelEnabled(level),
  };
}

/** Pino writes errors out, with their stack and their cause, under the name `err` only. */
function withSerializableError(details: object): object {
  if (!("error" in details)) return details;
  const { error, ...others } = details;
  return { ...others, err: error };
}

/** A message may hold `%s`, which the peer sent, and which a console would take for a place to put the details. */
function adaptConsole(console: Record<Level, (...items: unknown[]) => void>): Logger {
  return levels((level, message, details) =>
    console[level]("%s", message, ...(details === undefined ? [] : [details])),
  );
}

function levels(write: Write): Logger {
  return {
    debug: (message, details) => write("debug", message, details),
    info: (message, details) => write("info", message, details),
    warn: (message, details) => write("warn", message, details),
    error: (message, details) => write("error", message, details),
  };
}
