// Compression with real handshakes, sockets and memory.

import assert from "node:assert/strict";
import { test } from "node:test";
import { constants, deflateRawSync } from "node:zlib";
import {
  connect,
  serve,
  NegotiationError,
  type CompressionOptions,
  type Connection,
} from "../../build/index.js";
import { eventually, OPCODE, processorTime, RawClient, RawServer } from "holdfast-testkit";
import { long } from "./compressed.js";
import { usedMemory } from "./memory.js";

const MIB = 1024 * 1024;

const REFUSALS: readonly (readonly [answer: string, compression: CompressionOptions, message: string])[] = [
  [
    "permessage-deflate; client_max_window_bits",
    {},
    'Expected a parameter of permessage-deflate (RFC 7692 section 7.1), got "client_max_window_bits".',
  ],
  [
    "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
    {},
    'Expected each parameter of permessage-deflate once, got "server_no_context_takeover" twice.',
  ],
  [
    "permessage-deflate; server_max_window_bits=10, permessage-deflate",
    { serverMaxWindowBits: 10 },
    "Expected one extension, got 2.",
  ],
];

test("E8: connect() rejects where the answer does not fit the offer (RFC 7692 section 7.1)", async () => {
  for (const [answer, compression, message] of REFUSALS) {
    await using server = await RawServer.start();
    const opening = connect(`ws://127.0.0.1:${server.port}`, { compression });
    const rejected = assert.rejects(opening, (error: Error) => {
      assert(error instanceof NegotiationError);
      assert.equal(error.message, message);
      return true;
    });
    const peer = await server.nextPeer();
    await peer.acceptUpgrade({ headers: { "Sec-WebSocket-Extensions": answer } });
    await rejected;
  }
});

/** Runs our server and a scripted client with compression. */
async function withServer(
  compression: CompressionOptions,
  maxMessageSize: number,
  body: (connection: Connection, peer: RawClient) => Promise<void>,
): Promise<void> {
  let welcome: (connection: Connection) => void = () => undefined;
  const welcomed = new Promise<Connection>((resolve) => (welcome = resolve));
  const server = await serve((connection) => welcome(connection), {
    host: "127.0.0.1",
    compression,
    maxMessageSize,
    pingInterval: null,
  });
  const peer = await RawClient.connect({ port: server.port });
  try {
    await peer.upgrade({ headers: { "Sec-WebSocket-Extensions": "permessage-deflate" } });
    await body(await welcomed, peer);
  } finally {
    await peer.close();
    await server.close();
  }
}

for (const limit of [MIB, 16 * MIB]) {
  test(`H E2: a deflate bomb on a socket ends with 1009 at a limit of ${limit} bytes (RFC 6455 section 7.4.1)`, async (t) => {
    // 64 MiB compressed to 64 KiB.
    const payload = deflateRawSync(Buffer.alloc(64 * MIB), {
      level: 9,
      finishFlush: constants.Z_SYNC_FLUSH,
    });
    await withServer({}, limit, async (connection, peer) => {
      const before = process.memoryUsage().rss;
      const start = processorTime();
      peer.sendFrame({ opcode: OPCODE.binary, rsv: 4, payload });
      const { opcode, payload: sent } = await peer.readFrame();
      const took = processorTime() - start;
      const grown = process.memoryUsage().rss - before;
      const reason = `Expected a message of at most ${limit} bytes, got one that inflates to ${limit + 1} or more`;
      assert.equal(opcode, OPCODE.close);
      assert.deepEqual(Buffer.from(sent), Buffer.concat([Buffer.of(0x03, 0xf1), Buffer.from(reason)]));
      peer.sendClose(1009);
      peer.end();
      assert.equal((await connection.closed).cause, "message-too-big");
      t.diagnostic(`${Math.round(took)} ms of a processor, rss + ${Math.round(grown / MIB)} MiB`);
      assert(took < 2000, `${took} ms`);
      assert(grown < 3 * limit + 32 * MIB, `${grown} bytes`);
    });
  });
}

for (const end of ["FIN", "RST"] as const) {
  test(`E8: messages that a thread decodes while the peer leaves with ${end} are delivered, in order`, async () => {
    const content = long("large", 1_500_000);
    const payload = deflateRawSync(content, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
    await withServer({ clientNoContextTakeover: true }, 16 * MIB, async (connection, peer) => {
      const lengths: number[] = [];
      const reading = connection
        .forEach((message) => void lengths.push(message.length))
        .catch(() => undefined);
      peer.sendFrame({ opcode: OPCODE.text, rsv: 4, payload });
      peer.sendText("b");
      if (end === "FIN") {
        peer.sendFrame({ opcode: OPCODE.text, rsv: 4, payload });
        peer.sendText("last");
        peer.end();
      } else {
        await peer.flushed();
        await eventually(() => connection.state === "open" && lengths.length === 2, "the messages");
        peer.reset();
      }
      assert.equal((await connection.closed).cause, end === "FIN" ? "eof" : "reset");
      await reading;
      assert.deepEqual(lengths, end === "FIN" ? [1_500_000, 1, 1_500_000, 4] : [1_500_000, 1]);
    });
  });
}

test("E8: 300 connections with context takeover free their memory when they end", async (t) => {
  const compression = { serverMaxWindowBits: 15, clientMaxWindowBits: 15, threshold: 0 };
  const message = long("message", 40_000);
  const server = await serve((connection) => connection.forEach((data) => void connection.send(data)), {
    host: "127.0.0.1",
    compression,
    openTimeout: null,
  });
  const visit = async (count: number): Promise<Connection[]> => {
    const connections = await Promise.all(
      Array.from({ length: count }, () => connect(server.url, { compression, openTimeout: null })),
    );
    await Promise.all(
      connections.map(async (connection) => {
        void connection.send(message);
        assert.equal(await connection.recv(), message);
      }),
    );
    return connections;
  };
  const comeAndGo = async (count: number): Promise<number> => {
    const connections = await visit(count);
    const used = await usedMemory();
    await Promise.all(connections.map((connection) => connection.close()));
    return used;
  };
  await comeAndGo(20); // Objects that are created once have been created by now.
  const before = await usedMemory();
  const during = await comeAndGo(300);
  await eventually(() => server.connections.size === 0, "the server's connections to end");
  const after = await usedMemory();
  await server.close();
  const perConnection = Math.round((during - before) / 600 / 1024);
  const kept = Math.round((after - before) / 1024);
  t.diagnostic(`${perConnection} KiB for each end while open; ${kept} KiB kept of all in the end`);
  assert(after - before < 4 * MIB, `${kept} KiB are kept`);
});
