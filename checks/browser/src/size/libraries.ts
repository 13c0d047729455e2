// What is measured: the library by its parts, and what else there is for connections that come back.

export interface Measured {
  readonly name: string;
  readonly program: string;
  /** Bytes that it may have with gzip; null for the libraries of others. */
  readonly limit: number | null;
}

const KEEP = "globalThis.kept =";

export const MEASURED: readonly Measured[] = [
  {
    name: "holdfast: connect",
    program: `import { connect } from "holdfast"; ${KEEP} connect;`,
    limit: 28_700,
  },
  {
    name: "holdfast: Client, persist",
    program: `import { Client, persist } from "holdfast"; ${KEEP} [Client, persist];`,
    limit: 35_200,
  },
  {
    name: "holdfast: connectPersistent",
    program: `import { connectPersistent } from "holdfast"; ${KEEP} connectPersistent;`,
    limit: 35_500,
  },
  {
    name: "holdfast: connectInWorker",
    program: `import { connectInWorker } from "holdfast"; ${KEEP} connectInWorker;`,
    limit: 26_400,
  },
  { name: "holdfast: everything", program: `import * as all from "holdfast"; ${KEEP} all;`, limit: 48_100 },
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
