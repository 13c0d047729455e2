// The URL of a server (RFC 6455 section 3), and the request for it.

import assert from "node:assert/strict";
import { InvalidURLError } from "../../../../packages/holdfast/build/shared/errors.js";
import { createClientHandshake } from "../../../../packages/holdfast/build/protocol/handshake/client-handshake.js";
import {
  parseWebSocketURL,
  type WebSocketURL,
} from "../../../../packages/holdfast/build/protocol/handshake/url.js";
import { readHead } from "../heads.js";
import { Input } from "../input.js";

export const dictionary: readonly string[] =
  "ws://|wss://|ws+unix:|wss+unix:///|/run/a.sock:/|%3A|http://|https://|ftp://|ws:|//|///|/|\\|?|#|@|:|:0|:80|:443|:65535|[::1]|127.0.0.1|0x7f.1|localhost|%|%00|%0d%0a|%2f|user:password@|..|. |\u00e9|xn--|\t".split(
    "|",
  );

/** The password in the inputs; inputs that contain it elsewhere are skipped. */
const SECRET = "secret-passw0rd";

export function fuzz(data: Uint8Array): void {
  const input = new Input(data);
  const seed = input.byte();
  const text = (seed & 1) === 0 ? input.text() : Buffer.from(input.bytes()).toString("utf8");
  if (text.includes(SECRET)) return;
  check(text);
  check(text.replace(/^([a-z]+:\/\/)/i, `$1user:${SECRET}@`));
}

function check(text: string): void {
  let url: WebSocketURL;
  try {
    url = parseWebSocketURL(text);
  } catch (error) {
    assert(error instanceof InvalidURLError, String(error));
    assert.match(error.message, /^[\x20-\x7e…]+$/);
    assert(!error.message.includes(SECRET), error.message);
    return;
  }
  assert.match(url.target, /^\/[\x21-\x7e]*$/);
  assert.match(url.host, /^[\x21-\x7e]+$/);
  assert(url.port >= 0 && url.port <= 65_535);
  assert.equal(new URL(url.href).username + new URL(url.href).password, "");
  assert.equal(url.href, url.origin + url.target);
  // Parsing its own `href` gives the same result.
  const { authorization: _, ...again } = parseWebSocketURL(url.href);
  const { authorization, ...first } = url;
  assert.deepEqual(again, first);
  assert(authorization === null || /^Basic [A-Za-z0-9+/]+=*$/.test(authorization));
  assertOneRequest(url);
}

/** Nothing in a URL can add a line, a header or a request. */
function assertOneRequest(url: WebSocketURL): void {
  const { bytes } = createClientHandshake({ url, key: "dGhlIHNhbXBsZSBub25jZQ==" });
  if (bytes.length > 2000) return;
  const request = readHead(bytes, 1);
  assert(request?.rest.length === 0);
  assert.equal(request.head.startLine, `GET ${url.target} HTTP/1.1`);
  const names = [...request.head.headers].map(([name]) => name);
  assert.deepEqual(names, [
    ...["Host", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version"],
    ...(url.authorization === null ? [] : ["Authorization"]),
  ]);
}
