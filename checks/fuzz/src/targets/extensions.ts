// Sec-WebSocket-Extensions (RFC 6455 section 9.1).

import assert from "node:assert/strict";
import {
  parseExtensions,
  serializeExtensions,
} from "../../../../packages/holdfast/build/protocol/handshake/extension-header.js";
import { isToken } from "../../../../packages/holdfast/build/shared/token.js";
import { Input } from "../input.js";

export const dictionary: readonly string[] =
  'permessage-deflate|server_no_context_takeover|client_max_window_bits|server_max_window_bits|__proto__|constructor|; |, |=|="15"|"|\\|\\"|15|8|\t| '.split(
    "|",
  );

export function fuzz(data: Uint8Array): void {
  const extensions = parseExtensions(new Input(data).text());
  if (typeof extensions === "string") {
    assert.match(extensions, /^Expected [\x20-\x7e…]+$/);
    return;
  }
  assert(extensions.length > 0);
  for (const { name, parameters } of extensions) {
    assert(isToken(name));
    for (const parameter of parameters) {
      assert(isToken(parameter.name));
      assert(parameter.value === null || isToken(parameter.value));
    }
  }
  assert.deepEqual(parseExtensions(serializeExtensions(extensions)), extensions);
}
