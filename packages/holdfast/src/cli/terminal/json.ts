// JSON on one line, fit for a terminal: what JSON lets stand of control characters is escaped as JSON escapes.

import { escaped } from "./escape.js";

export function jsonLine(value: object): string {
  return escaped(JSON.stringify(value));
}
