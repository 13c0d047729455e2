// The measured libraries: parts of this one, and other libraries that reconnect.

export interface Measured {
  readonly name: string;
  readonly program: string;
  /** The limit in bytes with gzip; null for other libraries. */
  readonly limit: number | null;
  /** Whether the code that is loaded later (sessions, and some options) is in files of its own. @default false */
  readonly splits?: boolean;
}

const KEEP = "globalThis.kept =";

export const MEASURED: readonly Measured[] = [
  {
    name: "holdfast: connect",
    program: `import { connect } from "holdfast"; ${KEEP} connect;`,
    limit: 11_300,
    splits: true,
  },
  {
    name: "holdfast: Client, persist",
    program: `import { Client, persist } from "holdfast"; ${KEEP} [Client, persist];`,
    limit: 21_700,
    splits: true,
  },
  {
    name: "holdfast: connectPersistent",
    program: `import { connectPersistent } from "holdfast"; ${KEEP} connectPersistent;`,
    limit: 20_480,
    splits: true,
  },
  {
    name: "holdfast: connectInWorker",
    program: `import { connectInWorker } from "holdfast"; ${KEEP} connectInWorker;`,
    limit: 12_200,
    splits: true,
  },
  { name: "holdfast: everything", program: `import * as all from "holdfast"; ${KEEP} all;`, limit: 78_600 },
  {
    name: "partysocket",
    program: `import { WebSocket } from "partysocket"; ${KEEP} WebSocket;`,
    limit: null,
  },
  {
    name: "reconnecting-websocket",
    program: `import WebSocket from "reconnecting-websocket"; ${KEEP} WebSocket;`,
    limit: null,
  },
];
