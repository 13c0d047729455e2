import assert from "node:assert/strict";
import { test } from "node:test";
import { acceptDeflate } from "../../../build/protocol/deflate/negotiation.js";
import { chooseOffer, type DeflateParameters } from "../../../build/protocol/deflate/parameters.js";
import { parseExtensions } from "../../../build/protocol/handshake/extension-header.js";
import { PLAIN, settingsOf } from "./agreements.js";

const NAME = "permessage-deflate";

/** The answer of a server with these settings, and the parameters it agreed to; null if it declines. */
function answerTo(offer: string, wanted: Partial<DeflateParameters> = {}) {
  const answer = acceptDeflate(offer, settingsOf(wanted))?.header ?? null;
  const offers = parseExtensions(offer);
  const choice = typeof offers === "string" ? null : chooseOffer(offers, { ...PLAIN, ...wanted });
  assert.equal(choice === null, answer === null);
  return choice === null ? null : { answer, agreed: choice.agreed };
}

/** The answer `permessage-deflate; ${parameters}`, and what differs from no parameters at all. */
const agreed = (parameters: string, changes: Partial<DeflateParameters> = {}) => ({
  answer: parameters === "" ? NAME : `${NAME}; ${parameters}`,
  agreed: { ...PLAIN, ...changes },
});

test("E8: a server accepts every window of 8 to 15 bits and no other value (RFC 7692 section 7.1.2)", () => {
  for (let bits = 0; bits <= 99; bits++) {
    const isValid = bits >= 8 && bits <= 15;
    const server = `server_max_window_bits=${bits}`;
    const expected = isValid ? agreed(server, { serverMaxWindowBits: bits }) : null;
    assert.deepEqual(answerTo(`${NAME}; ${server}`), expected);
    assert.deepEqual(answerTo(`${NAME}; server_max_window_bits="${bits}"`), expected);

    const client = `client_max_window_bits=${bits}`;
    const limit = isValid ? agreed(bits === 15 ? "" : client, { clientMaxWindowBits: bits }) : null;
    assert.deepEqual(answerTo(`${NAME}; ${client}`), limit);
    assert.deepEqual(answerTo(`${NAME}; client_max_window_bits="${bits}"`), limit);
  }
});

test("E8: a server agrees to the smaller of the offered and its own window (RFC 7692 section 7.1.2)", () => {
  for (let offered = 8; offered <= 15; offered++) {
    for (let own = 8; own <= 15; own++) {
      const bits = Math.min(offered, own);
      assert.deepEqual(
        answerTo(`${NAME}; server_max_window_bits=${offered}`, { serverMaxWindowBits: own }),
        agreed(`server_max_window_bits=${bits}`, { serverMaxWindowBits: bits }),
      );
      assert.deepEqual(
        answerTo(`${NAME}; client_max_window_bits=${offered}`, { clientMaxWindowBits: own }),
        agreed(bits === 15 ? "" : `client_max_window_bits=${bits}`, { clientMaxWindowBits: bits }),
      );
    }
  }
});

test("E8: a server without settings of its own echoes each offered flag (RFC 7692 section 7.1.1)", () => {
  const flags = ["server_no_context_takeover", "client_no_context_takeover"];
  const fields = ["serverNoContextTakeover", "clientNoContextTakeover"] as const;
  for (const chosen of [[], [0], [1], [0, 1], [1, 0]]) {
    const offer = [NAME, ...chosen.map((index) => flags[index])].join("; ");
    const inOrder = [...chosen].sort();
    assert.deepEqual(
      answerTo(offer),
      agreed(
        inOrder.map((index) => flags[index]).join("; "),
        Object.fromEntries(chosen.map((index) => [fields[index], true])),
      ),
    );
  }
});

test("B2: a server sends only offered parameters, and applies its own without sending them (RFC 7692 section 7.1)", () => {
  const wanted = {
    serverNoContextTakeover: true,
    clientNoContextTakeover: true,
    serverMaxWindowBits: 9,
    clientMaxWindowBits: 9,
  };
  const own = { serverNoContextTakeover: true, serverMaxWindowBits: 9 };
  assert.deepEqual(answerTo(NAME, wanted), agreed("", own));
  assert.deepEqual(
    answerTo(`${NAME}; client_max_window_bits`, wanted),
    agreed("client_max_window_bits=9", { ...own, clientMaxWindowBits: 9 }),
  );
  const everything =
    "server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=10";
  assert.deepEqual(
    answerTo(`${NAME}; ${everything}`, wanted),
    agreed(everything.replaceAll("=10", "=9"), wanted),
  );
});

test("E8: a server that does not limit the client's window does not mention it (RFC 7692 section 7.1.2.2)", () => {
  assert.deepEqual(answerTo(`${NAME}; client_max_window_bits`), agreed(""));
});

const INVALID = [
  "server_max_window_bits",
  "server_max_window_bits=010",
  "server_max_window_bits=08",
  "client_max_window_bits=09",
  "client_max_window_bits=+9",
  "client_max_window_bits=9.0",
  "client_max_window_bits=0xa",
  "client_max_window_bits=1e1",
  "client_max_window_bits=-10",
  "server_no_context_takeover=1",
  "server_no_context_takeover=true",
  "client_no_context_takeover=0",
  "server_no_context_takeover; server_no_context_takeover",
  "client_no_context_takeover; client_no_context_takeover",
  "server_max_window_bits=10; server_max_window_bits=10",
  "client_max_window_bits; client_max_window_bits",
  "client_max_window_bits; client_max_window_bits=10",
  "unknown",
  "mode=fast",
  "Server_No_Context_Takeover",
  "__proto__",
  "__proto__=9",
  "constructor",
  "toString=9",
  "hasOwnProperty",
];

test("E8 H: a server declines an offer with an invalid, repeated or unknown parameter (RFC 7692 section 7)", () => {
  for (const parameters of INVALID) assert.deepEqual(answerTo(`${NAME}; ${parameters}`), null, parameters);
});

test("E8: a server accepts the first acceptable offer (RFC 7692 sections 5 and 7.1.3)", () => {
  for (const parameters of INVALID) {
    const list = `${NAME}; ${parameters}, ${NAME}; client_max_window_bits=10, ${NAME}`;
    const expected = agreed("client_max_window_bits=10", { clientMaxWindowBits: 10 });
    assert.deepEqual(answerTo(list), expected, parameters);
  }
  assert.deepEqual(answerTo(`${NAME}, ${NAME}; server_max_window_bits=8`), agreed(""));
});

test("E8: a server answers the examples of RFC 7692 section 7.1.3", () => {
  assert.deepEqual(answerTo(NAME), agreed(""));
  const maximum = `${NAME}; client_max_window_bits; server_max_window_bits=10`;
  const bits = agreed("server_max_window_bits=10", { serverMaxWindowBits: 10 });
  assert.deepEqual(answerTo(maximum), bits);
  assert.deepEqual(answerTo(`${maximum}, ${NAME}; client_max_window_bits`), bits);
});

test("E8 H: other extensions beside it change nothing, whatever their names (RFC 6455 section 9.1)", () => {
  const others =
    "x-webkit-deflate-frame, __proto__; constructor=1, permessage-bzip2; server_max_window_bits=3";
  assert.deepEqual(answerTo(others), null);
  assert.deepEqual(answerTo(`${others}, ${NAME}, toString`), agreed(""));
});

test("E8 H: an offer that cannot be read, and none at all, are no compression (RFC 6455 section 9.1)", () => {
  for (const offer of [null, "", ",", ";", `${NAME};`, `${NAME}; =9`, `${NAME}; a="`, `${NAME} x`, "\0"]) {
    assert.equal(acceptDeflate(offer, settingsOf()), null, String(offer));
  }
});
