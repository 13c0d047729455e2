import type { Logger } from "../../build/index.js";

/** A logger that records its calls. It skips connections that open and end as they should; other tests cover those. */
export function recordingLogger() {
  const lines: { readonly level: keyof Logger; readonly message: string; readonly details: object }[] = [];
  const level =
    (name: keyof Logger) =>
    (message: string, details: object = {}) => {
      if (message === "connection open" || message === "connection closed") return;
      lines.push({ level: name, message, details });
    };
  const logger: Logger = {
    debug: level("debug"),
    info: level("info"),
    warn: level("warn"),
    error: level("error"),
    isLevelEnabled: () => false,
  };
  return { logger, lines };
}
