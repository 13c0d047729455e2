// Loggers take their arguments in two orders. `console`, winston and most others take the message first. Pino and its
// relatives take the details first, and silently drop details that follow the message. Loggers are application code, so
// this file catches their errors.

import { invalidArgument } from "../../shared/option-checks.js";
import { callSafely } from "../arguments.js";
import { SILENT_PLATFORM, type FaultLogger, type Platform } from "../platform.js";
import type { Logger } from "../ports.js";

type Level = "debug" | "error" | "info" | "warn";
type Write = (level: Level, message: string, details: object | undefined) => unknown;

/**
 * The option `logger`, adapted; null for none.
 * @throws InvalidArgumentError
 */
export function checkLogger(value: unknown, platform: Platform): Logger | null {
  if (value === undefined || value === null) return null;
  const logger = value as Logger;
  const hasAll = (["debug", "info", "warn", "error"] as const).every(
    (level) => typeof logger[level] === "function",
  );
  if (hasAll) return adaptLogger(logger, platform);
  throw invalidArgument("logger", "an object with debug, info, warn and error", value);
}

/** The logger for errors of the application's own code, and a few warnings: the option, or else stderr. */
export function checkFaultLogger(value: unknown, platform: Platform): FaultLogger | null {
  return value === undefined ? platform.faultLogger : checkLogger(value, platform);
}

/** Wraps a logger: calls it with its argument order, in the async context of this call, and never throws. */
export function adaptLogger(logger: Logger, platform: Platform = SILENT_PLATFORM): Logger {
  const write = writeOf(logger);
  const context = platform.captureContext();
  const onFailure = (error: unknown): void => warnOnce(platform, error);
  const run = <Result>(callback: () => Result): Result =>
    context === null ? callback() : context.runInAsyncScope(callback, undefined);
  const isVerbose = (): boolean => {
    try {
      return run(() => logger.isLevelEnabled?.("debug") ?? true);
    } catch (error) {
      onFailure(error);
      return true;
    }
  };
  const at =
    (level: Level) =>
    (message: string, details?: object): void =>
      callSafely(() => run(() => write(level, message, details)), onFailure);
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    isLevelEnabled: isVerbose,
  };
}

function writeOf(logger: Logger): Write {
  if (PINO in logger) return adaptPino(logger as unknown as PinoLogger); // The mark proves the type.
  if (logger === globalThis.console) return adaptConsole(globalThis.console);
  return (level, message, details) =>
    details === undefined ? logger[level](message) : logger[level](message, details);
}

/** The platforms that have warned. A process gets one warning: a logger that is created for each request fails every time. */
const warned = new WeakSet<Platform>();

function warnOnce(platform: Platform, error: unknown): void {
  if (warned.has(platform)) return;
  warned.add(platform);
  platform.warn(
    "The logger failed, and lines of the log are lost; connections are not affected. Fix the logger.",
    error,
  );
}

/** Pino marks its loggers and their children with this field (`pino.symbols.serializersSym`). */
const PINO = Symbol.for("pino.serializers");

type PinoLogger = Record<Level, (details: object, message: string) => void>;

function adaptPino(pino: PinoLogger): Write {
  return (level, message, details = {}) => pino[level](withSerializableError(details), message);
}

/** Pino serialises an error with stack and cause only under the name `err`. */
function withSerializableError(details: object): object {
  if (!("error" in details)) return details;
  const { error, ...others } = details;
  return { ...others, err: error };
}

/** A message may contain `%s` that the peer sent. A console would insert the details there. */
function adaptConsole(console: Record<Level, (...items: unknown[]) => void>): Write {
  return (level, message, details) =>
    console[level]("%s", message, ...(details === undefined ? [] : [details]));
}
