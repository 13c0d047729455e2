import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, explain, type Logger } from "../../build/index.js";
import { RawServer, type HeadersToSend } from "holdfast-testkit";
import { closeMessage } from "../../build/connection/close-info.js";
import { attacker, echoServer, readRefusal } from "./servers.js";

/** A line break, terminal control sequences in seven and eight bits, and right-to-left text. */
const REASON = "no\r\n2026-01-01 INFO admin logged in\x1b[2J\x9b2J\x7f\u2028\u202egpj.exe é 日本 👍";
const SHOWN =
  "no\\u000d\\u000a2026-01-01 INFO admin logged in\\u001b[2J\\u009b2J\\u007f\\u2028\\u202egpj.exe é 日本 👍";

const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

/** Every string in the logged or thrown value. */
function textsOf(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (value instanceof Error) return [value.message, ...textsOf(value.cause)];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsOf) : [];
}

function assertSafe(values: readonly unknown[]): void {
  const texts = values.flatMap(textsOf);
  assert.notEqual(texts.length, 0);
  assert.deepEqual(
    texts.filter((text) => UNSAFE.test(text)),
    [],
  );
}

class RecordingLogger implements Logger {
  readonly entries: unknown[] = [];
  readonly #note = (message: string, details?: object) => void this.entries.push(message, details);
  readonly debug = this.#note;
  readonly info = this.#note;
  readonly warn = this.#note;
  readonly error = this.#note;
}

test("H: the reason of a Close stays on its line of the log, and appears unescaped only in the API", async () => {
  await using server = await RawServer.start({}, async (peer) => {
    await peer.acceptUpgrade();
    peer.sendClose(4000, REASON);
    peer.end();
  });
  const connection = await connect(server.url());
  await assert.rejects(connection.recv(), (error) => {
    assertSafe([error]);
    return true;
  });
  const info = await connection.closed;
  assert.equal(info.reason, REASON);
  assert.equal(info.message, `received 4000 (private use) ${SHOWN}; then sent 4000 (private use) ${SHOWN}`);
  assertSafe([explain(info)]);
  const sent = { code: 1000, reason: REASON };
  assert.equal(closeMessage(null, sent, false), `sent 1000 (OK) ${SHOWN}; no close frame received`);
});

test("H: a client's data is escaped in the server's log and response", async () => {
  const logger = new RecordingLogger();
  await using server = await echoServer({ logger });
  const attacks: readonly HeadersToSend[] = [
    { Host: "local\x9bhost" },
    { Origin: "http://evil.example\x9b2J" },
    { Origin: "http://evil.example\x1b[2J" },
    { Connection: "\x9bclose" },
    { "Sec-WebSocket-Key": "\x85\x90" },
    { "Sec-WebSocket-Version": "13\x9b" },
    { "Sec-WebSocket-Protocol": "chat\x9b" },
    { "Content-Length": "1\x9b" },
    { "X\x9b": "" },
    { X: "a\nb" },
  ];
  for (const headers of attacks) {
    await using client = await attacker(server);
    client.sendUpgrade({ headers });
    assertSafe([await readRefusal(client)]);
  }
  for (const target of ["/\x9b", "/\x1b", "http://other.example/%1b", "\x9b"]) {
    await using client = await attacker(server);
    client.sendUpgrade({ path: target });
    assertSafe([await readRefusal(client)]);
  }
  assert.equal(logger.entries.length, 2 * (attacks.length + 4));
  assertSafe(logger.entries);
});

test("H: a server's response is escaped in a client's errors", async () => {
  const heads = [
    "HTTP/1.1 403 no\x9b2Jway\r\n\r\n",
    "HTTP/1.1 101 OK\r\nUpgrade: \x9bwebsocket\r\n\r\n",
    "HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: \x9b\r\n\r\n",
    "HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: \x9b\r\n\r\n",
    "HTTP/1.1 101 OK\r\nUp\x1bgrade: websocket\r\n\r\n",
    "\x1b]0;title\x07 HTTP/1.1\r\n\r\n",
    "HTTP/9.9 \x9b\r\n\r\n",
  ];
  for (const head of heads) {
    await using server = await RawServer.start({}, async (peer) => {
      await peer.readHead();
      peer.write(head);
      peer.end();
    });
    await assert.rejects(connect(server.url()), (error) => {
      assertSafe([error]);
      return true;
    });
  }
  for (const header of ["Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"]) {
    await using server = await RawServer.start({}, async (peer) => {
      await peer.acceptUpgrade({ headers: { [header]: "x\x9b" } });
    });
    await assert.rejects(connect(server.url()), (error) => {
      assertSafe([error]);
      return true;
    });
  }
});

test("H: the caller's data is escaped in errors about it", async () => {
  const attempts = [
    () => connect("ws://local\x1bhost/"),
    () => connect("ws://localhost/\x9b#\u202e"),
    () => connect("http\u202e://localhost/"),
    () => connect("ws://localhost/", { subprotocols: ["\x1b\u2028"] }),
    () => connect("ws://localhost/", { headers: { "X\r\n": "1" } }),
    () => connect("ws://localhost/", { headers: { X: "\x9b\x1b" } }),
    () => connect("ws://localhost/", { origin: "\x1b" }),
  ];
  for (const attempt of attempts) {
    await assert.rejects(attempt(), (error) => {
      assertSafe([error]);
      return true;
    });
  }
});
