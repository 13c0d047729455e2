// A server's answer to a client (RFC 6455 section 4.1): parsed and judged, and the body of a refusal read.

import assert from "node:assert/strict";
import { RejectionBody } from "../../../../packages/holdfast/build/client/rejection-body.js";
import { InvalidUpgradeError, NegotiationError } from "../../../../packages/holdfast/build/shared/errors.js";
import { checkServerAnswer } from "../../../../packages/holdfast/build/protocol/handshake/client-handshake.js";
import { isHeadFailure } from "../../../../packages/holdfast/build/protocol/handshake/head-failure.js";
import type { HeaderList } from "../../../../packages/holdfast/build/protocol/handshake/header-list.js";
import {
  isInterimResponse,
  parseResponseHead,
} from "../../../../packages/holdfast/build/protocol/handshake/response-head.js";
import { parseRetryAfter } from "../../../../packages/holdfast/build/protocol/handshake/retry-after.js";
import { readHead } from "../heads.js";
import { cut, Input } from "../input.js";

export const dictionary: readonly string[] = [
  ...'HTTP/1.1 |101|100|103|200|403|503|Switching Protocols|\r\n|\r\n\r\n|: |, |; |"|0\r\n\r\n|5\r\nhello'.split(
    "|",
  ),
  ..."Upgrade|Connection|websocket|Content-Length|Transfer-Encoding|chunked|Retry-After|120".split("|"),
  ..."Sec-WebSocket-Accept|Sec-WebSocket-Protocol|Sec-WebSocket-Extensions|chat|x-test|GMT".split("|"),
  "s3pPLMBiTxaQ9kYGzhZRbK+xOo8=",
  "Fri, 31 Dec 1999 23:59:59 GMT",
];

const EXPECTED = {
  key: "dGhlIHNhbXBsZSBub25jZQ==",
  subprotocols: ["chat"],
  offeredExtensions: ["x-test"],
};

export function fuzz(data: Uint8Array): void {
  const input = new Input(data);
  const seed = input.byte();
  const result = readHead(input.bytes(), seed);
  if (result === null) return;
  const head = parseResponseHead(result.head);
  if (isHeadFailure(head)) {
    assert.match(head.reason, /^[\x20-\x7e…]+$/);
    return;
  }
  assert(head.status >= 100 && head.status <= 999);
  isInterimResponse(head);
  const answer = checkServerAnswer(head, EXPECTED);
  switch (answer.outcome) {
    case "accepted":
      assert.equal(head.headers.get("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzhZRbK+xOo8=");
      assert(answer.subprotocol === null || answer.subprotocol === "chat");
      break;
    case "failed":
      assert(answer.error instanceof InvalidUpgradeError || answer.error instanceof NegotiationError);
      assert.match(answer.error.message, /^[\x20-\x7e…]+$/);
      break;
    case "refused-status": {
      const whole = bodyOf(head.headers, [result.rest]);
      assert.deepEqual(bodyOf(head.headers, cut(result.rest, seed)), whole);
      const wait = parseRetryAfter(head.headers.get("Retry-After"), 946_684_799_000);
      assert(wait === null || (Number.isFinite(wait) && wait >= 0));
    }
  }
}

function bodyOf(headers: HeaderList, chunks: readonly Uint8Array[]): Uint8Array {
  const body = new RejectionBody({ status: 403, headers });
  for (const chunk of chunks) if (body.push(chunk)) break;
  const bytes = body.take();
  assert(bytes.length <= 64 * 1024);
  return bytes;
}
