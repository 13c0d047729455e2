import type { Logger } from "holdfast";

/** A logger that keeps what it is told. */
export function recordingLogger() {
  const lines: { readonly level: keyof Logger; readonly message: string; readonly details: object }[] = [];
  const level =
    (name: keyof Logger) =>
    (message: string, details: object = {}) => {
      lines.push({ level: name, message, details });
    };
  const logger: Logger = {
    debug: level("debug"),
    info: level("info"),
    warn: level("warn"),
    error: level("error"),
  };
  return { logger, lines };
}
