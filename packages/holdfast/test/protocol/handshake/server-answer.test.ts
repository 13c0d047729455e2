import assert from "node:assert/strict";
import { test } from "node:test";
import { checkServerAnswer } from "../../../build/protocol/handshake/client-handshake.js";
import { responseHead, SAMPLE_ACCEPT, SAMPLE_KEY } from "./heads.js";

const EXPECTED = {
  key: SAMPLE_KEY,
  subprotocols: ["chat", "superchat"],
  offeredExtensions: ["permessage-deflate"],
};
const STATUS = "HTTP/1.1 101 Switching Protocols";
const UPGRADE = "Upgrade: websocket";
const CONNECTION = "Connection: Upgrade";
const ACCEPT = `Sec-WebSocket-Accept: ${SAMPLE_ACCEPT}`;

test("B3: the minimal response is accepted (RFC 6455 section 4.1)", () => {
  assert.deepEqual(check(STATUS, UPGRADE, CONNECTION, ACCEPT), {
    outcome: "accepted",
    subprotocol: null,
    extensions: null,
  });
});

test("B3: the response with everything is accepted, in any case and order of what has none", () => {
  const lines = [
    "SEC-WEBSOCKET-PROTOCOL: superchat",
    `sec-websocket-accept:\t${SAMPLE_ACCEPT} `,
    "connection: keep-alive, UPGRADE",
    "upgrade: WebSocket",
    "sec-websocket-extensions: permessage-deflate; server_no_context_takeover",
  ];
  assert.deepEqual(check("HTTP/1.2 101", ...lines), {
    outcome: "accepted",
    subprotocol: "superchat",
    extensions: "permessage-deflate; server_no_context_takeover",
  });
});

test("B3: Connection may be spread over several lines", () => {
  const { outcome } = check(STATUS, UPGRADE, "Connection: keep-alive", CONNECTION, ACCEPT);
  assert.equal(outcome, "accepted");
});

test("B4: another status is the caller's to report, whatever its headers", () => {
  assert.deepEqual(check("HTTP/1.1 403 Forbidden"), { outcome: "refused-status" });
  assert.deepEqual(check("HTTP/1.0 200 OK", UPGRADE, CONNECTION, ACCEPT), { outcome: "refused-status" });
});

const UPGRADE_EXPECTED = 'Expected the header "Upgrade: websocket", got';
const CONNECTION_EXPECTED = 'Expected the header "Connection: Upgrade", got';
const ACCEPT_EXPECTED = `Expected Sec-WebSocket-Accept to be "${SAMPLE_ACCEPT}", got`;
const SUBPROTOCOL_EXPECTED =
  'Expected the server to choose one subprotocol among "chat" and "superchat", got';
const OTHER_CASE = SAMPLE_ACCEPT.replace("s3p", "S3p");

const FAILED: readonly [why: string, name: string, message: string, lines: string[]][] = [
  [
    "HTTP/1.0",
    "InvalidUpgradeError",
    "Expected the server to upgrade in HTTP/1.1, got HTTP/1.0.",
    ["HTTP/1.0 101 x", UPGRADE, CONNECTION, ACCEPT],
  ],
  ["no Upgrade", "InvalidUpgradeError", `${UPGRADE_EXPECTED} none.`, [STATUS, CONNECTION, ACCEPT]],
  [
    "another Upgrade",
    "InvalidUpgradeError",
    `${UPGRADE_EXPECTED} "h2c".`,
    [STATUS, "Upgrade: h2c", CONNECTION, ACCEPT],
  ],
  [
    "a list as Upgrade",
    "InvalidUpgradeError",
    `${UPGRADE_EXPECTED} "websocket, h2c".`,
    [STATUS, "Upgrade: websocket, h2c", CONNECTION, ACCEPT],
  ],
  [
    "two Upgrades",
    "InvalidUpgradeError",
    `${UPGRADE_EXPECTED} "websocket" and "websocket".`,
    [STATUS, UPGRADE, UPGRADE, CONNECTION, ACCEPT],
  ],
  ["no Connection", "InvalidUpgradeError", `${CONNECTION_EXPECTED} none.`, [STATUS, UPGRADE, ACCEPT]],
  [
    "Connection without upgrade",
    "InvalidUpgradeError",
    `${CONNECTION_EXPECTED} "close, not-upgrade".`,
    [STATUS, UPGRADE, "Connection: close, not-upgrade", ACCEPT],
  ],
  ["no accept key", "InvalidUpgradeError", `${ACCEPT_EXPECTED} none.`, [STATUS, UPGRADE, CONNECTION]],
  [
    "an accept key that differs in case",
    "InvalidUpgradeError",
    `${ACCEPT_EXPECTED} "${OTHER_CASE}".`,
    [STATUS, UPGRADE, CONNECTION, `Sec-WebSocket-Accept: ${OTHER_CASE}`],
  ],
  [
    "the accept key twice",
    "InvalidUpgradeError",
    `${ACCEPT_EXPECTED} "${SAMPLE_ACCEPT}" and "${SAMPLE_ACCEPT}".`,
    [STATUS, UPGRADE, CONNECTION, ACCEPT, ACCEPT],
  ],
  [
    "control characters",
    "InvalidUpgradeError",
    `${ACCEPT_EXPECTED} "\\u009b31m".`,
    [STATUS, UPGRADE, CONNECTION, "Sec-WebSocket-Accept: \x9b31m"],
  ],
  [
    "a subprotocol that was not offered",
    "NegotiationError",
    `${SUBPROTOCOL_EXPECTED} "__proto__".`,
    [STATUS, UPGRADE, CONNECTION, ACCEPT, "Sec-WebSocket-Protocol: __proto__"],
  ],
  [
    "a subprotocol that differs in case",
    "NegotiationError",
    `${SUBPROTOCOL_EXPECTED} "Chat".`,
    [STATUS, UPGRADE, CONNECTION, ACCEPT, "Sec-WebSocket-Protocol: Chat"],
  ],
  [
    "an empty subprotocol",
    "NegotiationError",
    `${SUBPROTOCOL_EXPECTED} "".`,
    [STATUS, UPGRADE, CONNECTION, ACCEPT, "Sec-WebSocket-Protocol:"],
  ],
  [
    "two subprotocols",
    "NegotiationError",
    `${SUBPROTOCOL_EXPECTED} "chat, superchat".`,
    [STATUS, UPGRADE, CONNECTION, ACCEPT, "Sec-WebSocket-Protocol: chat, superchat"],
  ],
  [
    "two lines of subprotocols",
    "NegotiationError",
    `${SUBPROTOCOL_EXPECTED} "chat" and "superchat".`,
    [
      STATUS,
      UPGRADE,
      CONNECTION,
      ACCEPT,
      "Sec-WebSocket-Protocol: chat",
      "Sec-WebSocket-Protocol: superchat",
    ],
  ],
  [
    "an extension that was not offered",
    "NegotiationError",
    'Expected the server to accept only extensions among "permessage-deflate", got "constructor".',
    [STATUS, UPGRADE, CONNECTION, ACCEPT, "Sec-WebSocket-Extensions: permessage-deflate, constructor"],
  ],
  [
    "malformed extensions",
    "InvalidUpgradeError",
    "In Sec-WebSocket-Extensions: Expected at least one extension at offset 0 of the list of extensions, got the end.",
    [STATUS, UPGRADE, CONNECTION, ACCEPT, "Sec-WebSocket-Extensions:"],
  ],
  [
    "two lines of extensions",
    "InvalidUpgradeError",
    'Expected one header "Sec-WebSocket-Extensions", got "permessage-deflate" and "permessage-deflate".',
    [
      STATUS,
      UPGRADE,
      CONNECTION,
      ACCEPT,
      "Sec-WebSocket-Extensions: permessage-deflate",
      "Sec-WebSocket-Extensions: permessage-deflate",
    ],
  ],
];
for (const [why, name, message, lines] of FAILED) {
  test(`B3: ${why} fails the handshake (RFC 6455 section 4.1)`, () => {
    const answer = check(...lines);
    assert.ok(answer.outcome === "failed");
    assert.deepEqual({ name: answer.error.name, message: answer.error.message }, { name, message });
  });
}

function check(...lines: string[]) {
  return checkServerAnswer(responseHead(...lines), EXPECTED);
}
