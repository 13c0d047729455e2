// The way from a connection to its core, for code that works with connections but makes none: a page loads such code before
// it has a connection.

import type { ConnectionCore } from "./connection-core.js";
import type { Connection } from "./connection.js";

// The class sets this: the core is private.
let readCore: (connection: Connection) => ConnectionCore;

/** Gives the library access to the core of a connection. */
export function coreOf(connection: Connection): ConnectionCore {
  return readCore(connection);
}

export function setCoreReader(reader: typeof readCore): void {
  readCore = reader;
}
