// Loggers take their arguments in two orders. `console`, winston and most others take the message first; pino, and what
// is modelled on it, the details: given a message first, it would drop the details without a word. Loggers are the
// application's code: what they throw goes no further than this file.

import { isThenable } from "../arguments.js";
import { SILENT_PLATFORM, type Platform } from "../platform.js";
import type { Logger } from "../ports.js";

type Level = "debug" | "error" | "info" | "warn";
type Write = (level: Level, message: string, details: object | undefined) => unknown;

/** A logger that calls this one in its own way and in the async context of this call, and that never throws. */
export function adaptLogger(logger: Logger, platform: Platform = SILENT_PLATFORM): Logger {
  const write = writeOf(logger);
  const context = platform.captureContext();
  const onFailure = (error: unknown): void => warnOnce(logger, platform, error);
  const guarded = (level: Level, message: string, details: object | undefined): void => {
    try {
      const result =
        context === null
          ? write(level, message, details)
          : context.runInAsyncScope(write, undefined, level, message, details);
      if (isThenable(result)) result.then(undefined, onFailure);
    } catch (error) {
      onFailure(error);
    }
  };
  const isVerbose = (): boolean => {
    try {
      return logger.isLevelEnabled?.("debug") ?? true;
    } catch (error) {
      onFailure(error);
      return true;
    }
  };
  return { ...levels(guarded), isLevelEnabled: isVerbose };
}

function writeOf(logger: Logger): Write {
  if (PINO in logger) return adaptPino(logger as unknown as PinoLogger); // The mark says so.
  if (logger === globalThis.console) return adaptConsole(globalThis.console);
  return (level, message, details) =>
    details === undefined ? logger[level](message) : logger[level](message, details);
}

/** Loggers that have failed. One warning for each: a logger that is broken fails at every line. */
const failed = new WeakSet<Logger>();

function warnOnce(logger: Logger, platform: Platform, error: unknown): void {
  if (failed.has(logger)) return;
  failed.add(logger);
  platform.warn(
    "The logger failed, and lines of the log are lost; connections are not affected. Fix the logger.",
    error,
  );
}

/** Pino marks its loggers, and their children, with this field (`pino.symbols.serializersSym`). */
const PINO = Symbol.for("pino.serializers");

type PinoLogger = Record<Level, (details: object, message: string) => void>;

function adaptPino(pino: PinoLogger): Write {
  return (level, message, details = {}) => pino[level](withSerializableError(details), message);
}

/** Pino writes errors out, with their stack and their cause, under the name `err` only. */
function withSerializableError(details: object): object {
  if (!("error" in details)) return details;
  const { error, ...others } = details;
  return { ...others, err: error };
}

/** A message may hold `%s`, which the peer sent, and which a console would take for a place to put the details. */
function adaptConsole(console: Record<Level, (...items: unknown[]) => void>): Write {
  return (level, message, details) =>
    console[level]("%s", message, ...(details === undefined ? [] : [details]));
}

function levels(write: (level: Level, message: string, details: object | undefined) => void): Logger {
  return {
    debug: (message, details) => write("debug", message, details),
    info: (message, details) => write("info", message, details),
    warn: (message, details) => write("warn", message, details),
    error: (message, details) => write("error", message, details),
  };
}
