import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { UPGRADE_REQUIRED } from "../../../build/protocol/handshake/server-handshake.js";
import { buildRefusal, buildUpgradeResponse } from "../../../build/protocol/handshake/server-responses.js";
import { headBytes, SAMPLE_ACCEPT, SAMPLE_KEY } from "./heads.js";

test("B3: the answer of the example of RFC 6455 section 1.3", () => {
  assert.deepEqual(
    buildUpgradeResponse({ key: SAMPLE_KEY, subprotocol: "chat", extensions: null }),
    headBytes(
      "HTTP/1.1 101 Switching Protocols",
      "Upgrade: websocket",
      "Connection: Upgrade",
      `Sec-WebSocket-Accept: ${SAMPLE_ACCEPT}`,
      "Sec-WebSocket-Protocol: chat",
    ),
  );
});

test("B3: an answer with extensions and more headers", () => {
  assert.deepEqual(
    buildUpgradeResponse({
      key: SAMPLE_KEY,
      subprotocol: null,
      extensions: "permessage-deflate",
      headers: { "Set-Cookie": ["a=1", "b=\xe4"] },
    }),
    headBytes(
      "HTTP/1.1 101 Switching Protocols",
      "Upgrade: websocket",
      "Connection: Upgrade",
      `Sec-WebSocket-Accept: ${SAMPLE_ACCEPT}`,
      "Sec-WebSocket-Extensions: permessage-deflate",
      "Set-Cookie: a=1",
      "Set-Cookie: b=\xe4",
    ),
  );
});

test("B5: headers of the answer cannot break a line or replace those of the handshake", () => {
  for (const headers of [{ a: "b\r\n" }, { "Sec-WebSocket-Protocol": "x" }, { Connection: "close" }]) {
    assert.throws(
      () => buildUpgradeResponse({ key: SAMPLE_KEY, subprotocol: null, extensions: null, headers }),
      {
        name: "InvalidHeaderError",
      },
    );
  }
});

test("G3: a refusal is plain text of known length that ends the connection", () => {
  assert.equal(
    Buffer.from(buildRefusal(UPGRADE_REQUIRED)).toString(),
    [
      "HTTP/1.1 426 Upgrade Required",
      "Upgrade: websocket",
      "Content-Type: text/plain; charset=utf-8",
      "Content-Length: 55",
      "Connection: close, Upgrade",
      "",
      "Expected a WebSocket upgrade, got a plain HTTP request.",
    ].join("\r\n"),
  );
});

test("G3: a refusal's length counts bytes, its own headers win, and an unknown status has no reason phrase", () => {
  const headers = {
    "Retry-After": "5",
    connection: "keep-alive",
    "content-length": "0",
    "transfer-encoding": "x",
  };
  assert.equal(
    Buffer.from(buildRefusal({ status: 599, headers, body: "ä" })).toString(),
    [
      "HTTP/1.1 599 ",
      "Retry-After: 5",
      "Content-Type: text/plain; charset=utf-8",
      "Content-Length: 2",
      "Connection: close",
      "",
      "ä",
    ].join("\r\n"),
  );
});
