// Servers that break the rules of HTTP/2 (RFC 9113).

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo, type Server } from "node:net";
import { describe, test } from "node:test";
import { connect } from "holdfast";
import { END_HEADERS, headerBlock, http2Frame, PREFACE, TYPE, uint32 } from "../security/http2-frames.js";

const ENABLE_CONNECT = http2Frame(TYPE.settings, 0, 0, Buffer.concat([Buffer.of(0, 8), uint32(1)]));
const SETTINGS_ACK = http2Frame(TYPE.settings, 1, 0);

/** Answers the first request with `answer`. */
async function brokenServer(answer: Buffer): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined).write(ENABLE_CONNECT);
    let received = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (!hasRequest(received.subarray(PREFACE.length))) return;
      socket.removeAllListeners("data").resume();
      socket.write(Buffer.concat([SETTINGS_ACK, answer]));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function hasRequest(frames: Buffer): boolean {
  if (frames.length < 9) return false;
  return frames[3] === TYPE.headers || hasRequest(frames.subarray(9 + frames.readUIntBE(0, 3)));
}

describe("Servers that break the rules of HTTP/2", () => {
  const cases = [
    [
      "a PUSH_PROMISE, which SETTINGS forbid",
      http2Frame(TYPE.push, END_HEADERS, 1, Buffer.concat([uint32(2), headerBlock([[":method", "GET"]])])),
      { failure: "invalid-handshake", message: /^The handshake failed with ws:.*: Protocol error\.$/ },
    ],
    [
      "the status 101, which HTTP/2 does not have",
      http2Frame(TYPE.headers, END_HEADERS, 1, headerBlock([[":status", "101"]])),
      { failure: "reset", message: /: The HTTP\/2 stream was reset \(PROTOCOL_ERROR\)\.$/ },
    ],
  ] as const;
  for (const [what, answer, expected] of cases) {
    test(`B9, D6: ${what}, is reported as such`, async (t) => {
      const server = await brokenServer(answer);
      t.after(() => server.close());
      const { port } = server.address() as AddressInfo; // It listens on TCP.
      await assert.rejects(connect(`ws://127.0.0.1:${port}/`, { http2: true, openTimeout: 60_000 }), {
        name: "HandshakeError",
        ...expected,
      });
    });
  }
});
