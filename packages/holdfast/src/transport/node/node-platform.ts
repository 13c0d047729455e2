// The platform port on Node.js, Bun and Deno.

import { AsyncResource } from "node:async_hooks";
import { nodeModule } from "../../protocol/node-module.js";
import type { Platform } from "../../connection/platform.js";

export const nodePlatform = {
  captureContext: () => new AsyncResource("HoldfastCallback"),
  warn(message, error) {
    process.emitWarning(message, { type: "HoldfastWarning", detail: textOf(error) });
  },
  faultLogger: {
    error: (message, details) => print(message, details),
    warn: (message, details) => print(message, details),
  },
} satisfies Platform;

/** Prints the message on one line, followed by the error's stack if there is one. */
function print(message: string, details: object = {}): void {
  const { error } = details as { error?: unknown };
  process.stderr.write(`holdfast: ${message}\n${error === undefined ? "" : `${textOf(error)}\n`}`);
}

/** Any value can be thrown, including one that cannot be printed. */
function textOf(error: unknown): string {
  try {
    return nodeModule("node:util").inspect(error);
  } catch {
    return "a value that cannot be shown";
  }
}
