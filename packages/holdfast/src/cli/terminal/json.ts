// JSON on one line, safe for a terminal: control characters that JSON permits are escaped as well.

import { escaped } from "./escape.js";

export function jsonLine(value: object): string {
  return escaped(JSON.stringify(value));
}
