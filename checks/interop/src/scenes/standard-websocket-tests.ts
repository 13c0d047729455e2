// Tests of the standard WebSocket, in browsers and runtimes, as a client of our server.

import { noteCell } from "../matrix/test-cell.js";
import type { Column, Row } from "../matrix/tables.js";
import * as common from "./common-tests.js";

const COMPRESSION = { options: { compression: { threshold: 0 } } };

/** Codes with which the standard lets a page close. */
const CODES = [1000, 3000, 4999];

export interface Abilities {
  /** Whether it offers permessage-deflate. */
  readonly compresses: boolean;
  readonly echoesReason: boolean;
}

export function testStandardWebSocket(
  peer: common.TestedPeer,
  { compresses, echoesReason }: Abilities,
): void {
  common.testMessages(peer, "client");
  common.testOurFragments(peer, "client");
  common.testOurPings(peer, "client");
  common.testCloses(peer, "client", { theirCodes: CODES, echoesReason });
  if (compresses) common.testVariant(peer, "client", "compression", async () => COMPRESSION);
  else note(peer.row, "compression", "does not offer compression");
  if (!echoesReason) note(peer.row, "close codes", "answers our Close with its code, without its reason");
  note(peer.row, "their pings", "the standard lets no application send pings");
}

function note(row: Row, column: Column, text: string): void {
  noteCell({ row, position: "client", column }, text);
}
