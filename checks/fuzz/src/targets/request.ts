// A request to a server (RFC 6455 section 4.2): parsed, judged and answered.

import assert from "node:assert/strict";
import { isHeadFailure } from "../../../../packages/holdfast/build/protocol/handshake/head-failure.js";
import type { AllowedOrigins } from "../../../../packages/holdfast/build/protocol/handshake/origin.js";
import { parseRequestHead } from "../../../../packages/holdfast/build/protocol/handshake/request-head.js";
import { parseResponseHead } from "../../../../packages/holdfast/build/protocol/handshake/response-head.js";
import { judgeRequest } from "../../../../packages/holdfast/build/protocol/handshake/server-handshake.js";
import {
  buildRefusal,
  buildUpgradeResponse,
} from "../../../../packages/holdfast/build/protocol/handshake/server-responses.js";
import { chooseSubprotocol } from "../../../../packages/holdfast/build/protocol/handshake/subprotocol.js";
import { readHead } from "../heads.js";
import { Input } from "../input.js";

export const dictionary: readonly string[] = [
  ..."GET |POST | HTTP/1.1| HTTP/1.0|\r\n|\r\n\r\n|: |, |localhost|://|http|https|ws|wss|//|[::1]|:80".split(
    "|",
  ),
  ..."Host|Upgrade|Connection|Origin|Content-Length|Transfer-Encoding|websocket|upgrade|null|chat".split("|"),
  ..."Sec-WebSocket-Key|Sec-WebSocket-Version|Sec-WebSocket-Protocol|Sec-WebSocket-Extensions|13".split("|"),
  "dGhlIHNhbXBsZSBub25jZQ==",
];

const LINKS = [0, 1, 2] as const;
const ORIGINS: readonly AllowedOrigins[] = [
  "same-origin",
  "any",
  ["http://localhost", /^https:\/\/.*\.example$/g],
];
const SUBPROTOCOLS = ["chat", "superchat"];

export function fuzz(data: Uint8Array): void {
  const input = new Input(data);
  const seed = input.byte();
  const result = readHead(input.bytes(), seed);
  if (result === null) return;
  const head = parseRequestHead(result.head);
  if (isHeadFailure(head)) {
    assertRefusal(head.status, head.reason);
    return;
  }
  const judgement = judgeRequest(head, {
    isSecure: (seed & 1) === 1,
    origins: ORIGINS[seed % ORIGINS.length] ?? "any",
  });
  if (judgement.outcome === "refuse") {
    assertRefusal(judgement.status, judgement.body, judgement.headers);
  } else if (judgement.outcome === "upgrade") {
    const { key, target, offeredSubprotocols } = judgement;
    const link = LINKS[seed % LINKS.length] ?? 0;
    const choice = chooseSubprotocol(offeredSubprotocols, { subprotocols: SUBPROTOCOLS, link });
    const { subprotocol, subprotocolAnswer } = choice;
    const host = head.headers.get("Host") ?? "";
    assert.match(target, /^\/[\x21-\x7e]*$/);
    assert(subprotocol === null || SUBPROTOCOLS.includes(subprotocol));
    assert(subprotocolAnswer === null || offeredSubprotocols.includes(subprotocolAnswer));
    const answer = buildUpgradeResponse({ key, subprotocol: subprotocolAnswer, extensions: null });
    assert.equal(readHead(answer, seed)?.rest.length, 0);
    // The connection's URL has the requested host, whatever the target.
    const url = `ws://${host}${target}`;
    assertSameHost(url, `ws://${host}`);
  }
}

/** The URL parser rejects some valid Host headers, such as an IPv4 address of five numbers. */
function assertSameHost(url: string, origin: string): void {
  let host: string;
  try {
    ({ host } = new URL(origin));
  } catch {
    return;
  }
  assert.equal(new URL(url).host, host);
}

/** The response is one head with its body, a sentence without control characters. */
function assertRefusal(status: number, body: string, headers: Readonly<Record<string, string>> = {}): void {
  assert.match(body, /^[\x20-\x7e…]+$/);
  assert([400, 403, 405, 408, 414, 426, 431, 505].includes(status));
  const answer = readHead(buildRefusal({ status, headers, body }), 1);
  assert(answer !== null);
  const head = parseResponseHead(answer.head);
  assert(!isHeadFailure(head) && head.status === status);
  assert.equal(Buffer.from(answer.rest).toString(), body);
}
