// The parameters of permessage-deflate (RFC 7692 section 7.1): how a server chooses among offers, and how a
// client reads the answer.

import assert from "node:assert/strict";
import {
  chooseOffer,
  DEFLATE_NAME,
  offerOf,
  readAnswer,
  type DeflateParameters,
} from "../../../../packages/holdfast/build/protocol/deflate/parameters.js";
import {
  parseExtensions,
  serializeExtensions,
} from "../../../../packages/holdfast/build/protocol/handshake/extension-header.js";
import { Input } from "../input.js";

export { dictionary } from "./extensions.js";

/** A client that accepts every valid answer. */
const OPEN: DeflateParameters = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
};

export function fuzz(data: Uint8Array): void {
  const input = new Input(data);
  const wanted = parametersOf(input.byte());
  const other = parametersOf(input.byte());
  const offers = parseExtensions(input.text());
  if (typeof offers === "string") return;

  const choice = chooseOffer(offers, wanted);
  if (choice === null) {
    assert(offers.every(({ name, parameters }) => name !== DEFLATE_NAME || parameters.length > 0));
  } else {
    const { agreed, answer } = choice;
    assert(agreed.serverMaxWindowBits <= wanted.serverMaxWindowBits);
    assert(agreed.serverNoContextTakeover || !wanted.serverNoContextTakeover);
    // The agreement survives serialisation, and the client accepts it.
    assert.deepEqual(parseExtensions(serializeExtensions([answer])), [answer]);
    assertReadable(agreed, readAnswer(answer, OPEN, false));
  }
  for (const answer of offers) {
    const told = readAnswer(answer, wanted, false);
    if (typeof told === "string") {
      assert.match(told, /^Expected [\x20-\x7e…]+$/);
      continue;
    }
    assert(told.clientMaxWindowBits <= wanted.clientMaxWindowBits);
    assert(told.clientNoContextTakeover || !wanted.clientNoContextTakeover);
    for (const bits of [told.serverMaxWindowBits, told.clientMaxWindowBits]) assert(bits >= 8 && bits <= 15);
  }
  assertAgreement(wanted, other);
}

/**
 * A client and a server of this library always reach an agreement, and each can read what the other writes.
 */
function assertAgreement(client: DeflateParameters, server: DeflateParameters): void {
  const choice = chooseOffer([offerOf(client)], server);
  assert(choice !== null);
  assertReadable(choice.agreed, readAnswer(choice.answer, client, false));
}

/**
 * Neither side writes with a larger window than the other keeps, or refers to data that the other discards.
 */
function assertReadable(server: DeflateParameters, client: DeflateParameters | string): void {
  assert(typeof client !== "string");
  assert(server.serverMaxWindowBits <= client.serverMaxWindowBits);
  assert(client.clientMaxWindowBits <= server.clientMaxWindowBits);
  assert(server.serverNoContextTakeover || !client.serverNoContextTakeover);
  assert(client.clientNoContextTakeover || !server.clientNoContextTakeover);
}

function parametersOf(byte: number): DeflateParameters {
  return {
    serverNoContextTakeover: (byte & 1) !== 0,
    clientNoContextTakeover: (byte & 2) !== 0,
    serverMaxWindowBits: 8 + ((byte >> 2) & 7),
    clientMaxWindowBits: 8 + ((byte >> 5) & 7),
  };
}
