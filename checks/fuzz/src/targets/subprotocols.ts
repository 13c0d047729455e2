// Sec-WebSocket-Protocol (RFC 6455 section 4.2.2), and the lists of tokens that it shares with other fields.

import assert from "node:assert/strict";
import { HeaderList } from "../../../../packages/holdfast/build/protocol/handshake/header-list.js";
import {
  chooseSubprotocol,
  offeredSubprotocols,
} from "../../../../packages/holdfast/build/protocol/handshake/subprotocol.js";
import { isToken, listHasToken, parseTokenList } from "../../../../packages/holdfast/build/shared/token.js";
import { Input } from "../input.js";

export const dictionary: readonly string[] =
  'chat|superchat|__proto__|constructor|toString|, |,|\t| |"|upgrade'.split("|");

const SPOKEN = ["superchat", "chat", "__proto__"];

export function fuzz(data: Uint8Array): void {
  // Lines of a head contain no control characters.
  const text = new Input(data).text().replace(/[^\t\x20-\x7e\x80-\xff]/g, " ");
  const tokens = parseTokenList(text);
  if (typeof tokens === "string") {
    assert.match(tokens, /^Expected [\x20-\x7e…]+$/);
  } else {
    assert(tokens.length > 0 && tokens.every(isToken));
    assert.deepEqual(parseTokenList(tokens.join(", ")), tokens);
    assert.equal(
      listHasToken(text, "upgrade"),
      tokens.some((token) => token.toLowerCase() === "upgrade"),
    );
  }
  const offered = offeredSubprotocols(new HeaderList(`Sec-WebSocket-Protocol: ${text}\r\n`));
  if (typeof offered === "string") {
    assert.match(offered, /^[\x20-\x7e…]+$/);
    return;
  }
  assert.deepEqual(offered, tokens);
  assert.equal(new Set(offered).size, offered.length);
  for (const link of [0, 1, 2] as const) {
    const choice = chooseSubprotocol(offered, { subprotocols: SPOKEN, link });
    const isOffered = (name: string): boolean =>
      offered.includes(name) ||
      [1, 2].some((version) => version <= link && offered.includes(`holdfast.v${version}+${name}`));
    assert.equal(choice.subprotocol, SPOKEN.find(isOffered) ?? null);
    assert(choice.subprotocolAnswer === null || offered.includes(choice.subprotocolAnswer));
  }
}
