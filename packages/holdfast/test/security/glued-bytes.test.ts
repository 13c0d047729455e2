import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, serve, type Connection } from "../../build/index.js";
import { frame, OPCODE, RawServer, type FrameOptions } from "holdfast-testkit";
import { assertServes, attacker, echo, echoServer, readRefusal } from "./servers.js";

type Glued = readonly [what: string, code: number, bytes: (mask: boolean) => Uint8Array];

const glue = (what: string, code: number, options: FrameOptions): Glued => [
  what,
  code,
  (mask) => frame({ mask, ...options }),
];

/** Bytes that directly follow the handshake, and the close code that they cause. */
const GLUED: readonly Glued[] = [
  ["a frame masked the wrong way", 1002, (mask) => frame({ opcode: OPCODE.text, payload: "x", mask: !mask })],
  ["another request", 1002, () => Buffer.from("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")],
  ["bytes with all bits set", 1002, () => Buffer.alloc(1000, 0xff)],
  glue("reserved bits", 1002, { opcode: OPCODE.text, payload: "x", rsv: 4 }),
  glue("an unknown opcode", 1002, { opcode: 3 }),
  glue("a continuation of nothing", 1002, { opcode: OPCODE.continuation, payload: "x" }),
  glue("a Close of one byte", 1002, { opcode: OPCODE.close, payload: "\x03" }),
  glue("a Close with code 1006", 1002, { opcode: OPCODE.close, payload: "\x03\xee" }),
  glue("a length with its top bit set", 1002, { opcode: OPCODE.binary, declaredLength: 2n ** 63n }),
  glue("text that is not UTF-8", 1007, { opcode: OPCODE.text, payload: "\xc0\xaf" }),
  glue("a message of 2^53 bytes", 1009, { opcode: OPCODE.binary, declaredLength: 2n ** 53n - 1n }),
];

test("H: invalid bytes glued to a request: the server upgrades, says what was wrong, and ends the connection", async (t) => {
  const accepted: Connection[] = [];
  await using server = await serve(
    (connection) => {
      accepted.push(connection);
      return echo(connection);
    },
    { host: "127.0.0.1", pingInterval: null },
  );
  for (const [what, code, bytes] of GLUED) {
    await t.test(what, async () => {
      await using client = await attacker(server);
      await client.upgrade({ glue: bytes(true) });
      const { opcode, payload } = await client.readFrame();
      assert.deepEqual([opcode, Buffer.from(payload).readUInt16BE(0)], [OPCODE.close, code]);
      assert.equal(await client.ended, "fin");
      client.end();
      const info = await accepted.at(-1)?.closed;
      assert.deepEqual([info?.sent?.code, info?.received, info?.ok], [code, null, false]);
    });
  }
  await assertServes(server);
});

test("H: invalid bytes glued to an answer: the client opens, and its connection ends with the reason", async (t) => {
  for (const [what, code, bytes] of GLUED) {
    await t.test(what, async () => {
      await using server = await RawServer.start({}, async (peer) => {
        await peer.acceptUpgrade({
          glue: Buffer.concat([frame({ opcode: OPCODE.text, payload: "first" }), bytes(false)]),
        });
        const { opcode, payload } = await peer.readFrame();
        assert.deepEqual([opcode, Buffer.from(payload).readUInt16BE(0)], [OPCODE.close, code]);
        peer.end();
      });
      const connection = await connect(server.url(), { pingInterval: null });
      assert.equal(await connection.recv(), "first");
      await assert.rejects(connection.recv(), { name: "ConnectionClosedError" });
      const info = await connection.closed;
      assert.deepEqual([info.sent?.code, info.received, info.ok], [code, null, false]);
    });
  }
});

test("H: bytes glued to a refused request are not read as a request or a frame: one response, and the end", async () => {
  let opened = 0;
  await using server = await serve(() => opened++, { host: "127.0.0.1" });
  const good =
    "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
  for (const refused of [
    "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello",
    "GET /\x01 HTTP/1.1\r\n\r\n",
    good.replace("Host", "Content-Length: 500\r\nHost"),
  ]) {
    await using client = await attacker(server);
    client.write(refused + good + "\x81\x00");
    const { body } = await readRefusal(client);
    assert.doesNotMatch(body, /HTTP\/1\.1/);
  }
  assert.equal(opened, 0);
});

test("H: bytes that are not HTTP get one response, and the connection ends (RFC 9112 section 2.2)", async () => {
  await using server = await echoServer();
  const strangers = [
    // A ClientHello of TLS, a preface of HTTP/2, SSH, a frame, zeros.
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "\x81\x85\x00\x00\x00\x00hello",
    "\x00".repeat(100),
  ];
  for (const bytes of strangers) {
    await using client = await attacker(server);
    client.write(bytes);
    const { status } = await readRefusal(client);
    assert.match(status, /^HTTP\/1\.1 (?:400 Bad Request|505 HTTP Version Not Supported)$/);
  }
  await assertServes(server);
});
