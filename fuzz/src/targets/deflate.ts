// The parameters of permessage-deflate (RFC 7692 section 7.1): a server's choice among offers, and a client's reading
// of an answer.

import assert from "node:assert/strict";
import {
  chooseOffer,
  DEFLATE_NAME,
  offerOf,
  readAnswer,
  type DeflateParameters,
} from "../../../packages/holdfast/dist/protocol/deflate/parameters.js";
import {
  parseExtensions,
  serializeExtensions,
} from "../../../packages/holdfast/dist/protocol/handshake/extension-header.js";
import { Input } from "../input.js";

export { dictionary } from "./extensions.js";

/** A client that agrees to whatever a server may answer. */
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
    assertWithin(agreed, { ...wanted, clientMaxWindowBits: 15 });
    // What travels is what was agreed on, and the client understands it.
    assert.deepEqual(parseExtensions(serializeExtensions([answer])), [answer]);
    assert.deepEqual(readAnswer(answer, OPEN), agreed);
  }
  for (const answer of offers) {
    const told = readAnswer(answer, wanted);
    if (typeof told === "string") assert.match(told, /^Expected [\x20-\x7e…]+$/);
    else assertWithin(told, wanted);
  }
  assertAgreement(wanted, other);
}

/** Between two of our own there is always an agreement, and both sides see the same. */
function assertAgreement(client: DeflateParameters, server: DeflateParameters): void {
  const choice = chooseOffer([offerOf(client)], server);
  assert(choice !== null);
  const read = readAnswer(choice.answer, client);
  assert(typeof read !== "string");
  assert.equal(read.serverMaxWindowBits, choice.agreed.serverMaxWindowBits);
  assert.equal(read.serverNoContextTakeover, choice.agreed.serverNoContextTakeover);
  // A client may do better than it was asked to.
  assert(read.clientMaxWindowBits <= choice.agreed.clientMaxWindowBits);
  assert(read.clientNoContextTakeover || !choice.agreed.clientNoContextTakeover);
}

/** Windows no larger than wanted, nor smaller than there are, and what had to be forgotten is. */
function assertWithin(agreed: DeflateParameters, wanted: DeflateParameters): void {
  for (const bits of ["serverMaxWindowBits", "clientMaxWindowBits"] as const) {
    assert(agreed[bits] >= 8 && agreed[bits] <= wanted[bits], bits);
  }
  assert(agreed.serverNoContextTakeover || !wanted.serverNoContextTakeover);
  assert(agreed.clientNoContextTakeover || !wanted.clientNoContextTakeover);
}

function parametersOf(byte: number): DeflateParameters {
  return {
    serverNoContextTakeover: (byte & 1) !== 0,
    clientNoContextTakeover: (byte & 2) !== 0,
    serverMaxWindowBits: 8 + ((byte >> 2) & 7),
    clientMaxWindowBits: 8 + ((byte >> 5) & 7),
  };
}
