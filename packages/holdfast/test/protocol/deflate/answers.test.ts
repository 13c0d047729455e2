import assert from "node:assert/strict";
import { test } from "node:test";
import { checkCompression } from "../../../build/protocol/deflate/compression-options.js";
import {
  acceptDeflate,
  offerDeflate,
  readDeflateAnswer,
} from "../../../build/protocol/deflate/negotiation.js";
import { readAnswer, type DeflateParameters } from "../../../build/protocol/deflate/parameters.js";
import { NegotiationError } from "../../../build/shared/errors.js";
import {
  parseExtensions,
  type ExtensionElement,
} from "../../../build/protocol/handshake/extension-header.js";
import { PLAIN, settingsOf } from "./agreements.js";

const NAME = "permessage-deflate";

/** A client's interpretation of the answer to this offer: the agreed parameters, or an error message. */
function read(answer: string, offered: Partial<DeflateParameters> = {}): DeflateParameters | string {
  const negotiated = readDeflateAnswer(answer, settingsOf(offered));
  const elements = parseExtensions(answer);
  assert(typeof elements !== "string" && elements.length === 1);
  const judged = readAnswer(elements[0], { ...PLAIN, ...offered }, false);
  if (typeof judged === "string") assert.deepEqual(negotiated, new NegotiationError(judged));
  else assert(negotiated !== null && !(negotiated instanceof Error) && negotiated.header === answer);
  return judged;
}

const BOOLEANS = [false, true];

const PLAIN_OFFER = `${NAME}; client_max_window_bits`;

test("B2: by default a client offers what browsers offer, and once (RFC 7692 section 7.1)", () => {
  const settings = checkCompression(true);
  assert(settings !== null);
  assert.equal(offerDeflate(settings), PLAIN_OFFER);
  const explicit = checkCompression({ serverMaxWindowBits: 15, clientMaxWindowBits: 15 });
  assert(explicit !== null);
  assert.equal(offerDeflate(explicit), PLAIN_OFFER);
});

test("B2, E8: a client offers its own settings, and then those of browsers (RFC 7692 section 7.1)", () => {
  const offers: [Partial<DeflateParameters>, string][] = [
    [{ serverMaxWindowBits: 8, clientMaxWindowBits: 15 }, "server_max_window_bits=8; client_max_window_bits"],
    [
      { serverMaxWindowBits: 9, clientMaxWindowBits: 10 },
      "server_max_window_bits=9; client_max_window_bits=10",
    ],
    [{ serverNoContextTakeover: true }, "server_no_context_takeover; client_max_window_bits"],
    [{ clientNoContextTakeover: true }, "client_no_context_takeover; client_max_window_bits"],
  ];
  assert.equal(offerDeflate(settingsOf()), PLAIN_OFFER);
  for (const [wanted, parameters] of offers) {
    assert.equal(offerDeflate(settingsOf(wanted)), `${NAME}; ${parameters}, ${PLAIN_OFFER}`);
  }
});

test("B2, E8: a client accepts every window of the server, whatever it offered (RFC 7692 section 7.1.2.1)", () => {
  const parameter = "server_max_window_bits";
  for (let offered = 8; offered <= 15; offered++) {
    for (let bits = 0; bits <= 99; bits++) {
      const expected =
        bits < 8 || bits > 15
          ? `Expected a parameter of ${NAME} (RFC 7692 section 7.1), got "${parameter}=${bits}".`
          : { ...PLAIN, serverMaxWindowBits: bits };
      assert.deepEqual(read(`${NAME}; ${parameter}=${bits}`, { serverMaxWindowBits: offered }), expected);
      assert.deepEqual(read(`${NAME}; ${parameter}="${bits}"`, { serverMaxWindowBits: offered }), expected);
    }
  }
  assert.deepEqual(read(NAME, { serverMaxWindowBits: 10 }), PLAIN);
  assert.deepEqual(read(NAME, { clientMaxWindowBits: 10 }), { ...PLAIN, clientMaxWindowBits: 10 });
});

test("E8: a client's window is a hint: a server may answer with more (RFC 7692 section 7.1.2.2)", () => {
  const parameter = "client_max_window_bits";
  for (let hint = 8; hint <= 15; hint++) {
    for (let told = 0; told <= 99; told++) {
      const expected =
        told < 8 || told > 15
          ? `Expected a parameter of ${NAME} (RFC 7692 section 7.1), got "${parameter}=${told}".`
          : { ...PLAIN, clientMaxWindowBits: Math.min(hint, told) };
      assert.deepEqual(read(`${NAME}; ${parameter}=${told}`, { clientMaxWindowBits: hint }), expected);
    }
  }
});

test("B2, E8: the server may send either flag unsolicited, and need not send any (RFC 7692 section 7.1.1)", () => {
  const server = "server_no_context_takeover";
  const client = "client_no_context_takeover";
  for (const serverAsked of BOOLEANS) {
    for (const clientAsked of BOOLEANS) {
      const offered = { serverNoContextTakeover: serverAsked, clientNoContextTakeover: clientAsked };
      const either = (serverToo: boolean, clientToo: boolean) => ({
        ...PLAIN,
        serverNoContextTakeover: serverToo,
        clientNoContextTakeover: clientToo,
      });
      assert.deepEqual(read(NAME, offered), either(false, clientAsked));
      assert.deepEqual(read(`${NAME}; ${client}`, offered), either(false, true));
      assert.deepEqual(read(`${NAME}; ${server}`, offered), either(true, clientAsked));
      assert.deepEqual(read(`${NAME}; ${server}; ${client}`, offered), either(true, true));
    }
  }
});

test("E8: a client whose zlib ignores dictionaries insists on the flag that spares them (RFC 7692 section 7.1.1.1)", () => {
  const [element] = parseExtensions(NAME) as readonly [ExtensionElement];
  const told = readAnswer(element, PLAIN, true);
  assert.equal(told, "Expected server_no_context_takeover, as it was offered, got an answer without it.");
});

test("E8 H: a client rejects invalid parameters in an answer (RFC 7692 section 7.1)", () => {
  const notOne = (got: string) => `Expected a parameter of ${NAME} (RFC 7692 section 7.1), got "${got}".`;
  const twice = (name: string) => `Expected each parameter of ${NAME} once, got "${name}" twice.`;
  const answers: [string, string][] = [
    ["client_max_window_bits", notOne("client_max_window_bits")], // Without a value only in an offer.
    ["server_max_window_bits", notOne("server_max_window_bits")],
    ["server_max_window_bits=010", notOne("server_max_window_bits=010")],
    ["client_max_window_bits=09", notOne("client_max_window_bits=09")],
    ["server_no_context_takeover=1", notOne("server_no_context_takeover=1")],
    ["client_no_context_takeover=true", notOne("client_no_context_takeover=true")],
    ["unknown", notOne("unknown")],
    ["__proto__=9", notOne("__proto__=9")],
    ["constructor", notOne("constructor")],
    ["server_max_window_bits=9; server_max_window_bits=9", twice("server_max_window_bits")],
    ["server_no_context_takeover; server_no_context_takeover", twice("server_no_context_takeover")],
    ["__proto__; __proto__", notOne("__proto__")],
  ];
  for (const [parameters, sentence] of answers) assert.equal(read(`${NAME}; ${parameters}`), sentence);
});

test("E8: a client accepts one answer only; no answer means no compression (RFC 7692 section 5.1)", () => {
  assert.equal(readDeflateAnswer(null, settingsOf()), null);
  assert.deepEqual(
    readDeflateAnswer(`${NAME}, ${NAME}`, settingsOf()),
    new NegotiationError("Expected one extension, got 2."),
  );
  for (const answer of ["", ";", `${NAME};`, `${NAME}; a="`]) {
    const error = readDeflateAnswer(answer, settingsOf());
    assert(error instanceof NegotiationError, answer);
    assert.equal(error.message, parseExtensions(answer));
  }
});

test("E8: our client accepts our server's answer, for all settings of both (RFC 7692 section 7.1)", () => {
  const wishes = BOOLEANS.flatMap((serverNoContextTakeover) =>
    BOOLEANS.flatMap((clientNoContextTakeover) =>
      [8, 9, 12, 15].flatMap((serverMaxWindowBits) =>
        [8, 9, 12, 15].map((clientMaxWindowBits) => ({
          serverNoContextTakeover,
          clientNoContextTakeover,
          serverMaxWindowBits,
          clientMaxWindowBits,
        })),
      ),
    ),
  );
  for (const client of wishes) {
    for (const server of wishes) {
      const accepted = acceptDeflate(offerDeflate(settingsOf(client)), settingsOf(server));
      assert(accepted !== null);
      assert.deepEqual(read(accepted.header, client), {
        serverNoContextTakeover: client.serverNoContextTakeover,
        clientNoContextTakeover: client.clientNoContextTakeover,
        // A window of 15 bits is not part of the offer.
        serverMaxWindowBits:
          client.serverMaxWindowBits === 15
            ? 15
            : Math.min(client.serverMaxWindowBits, server.serverMaxWindowBits),
        clientMaxWindowBits: Math.min(client.clientMaxWindowBits, server.clientMaxWindowBits),
      });
    }
  }
});
