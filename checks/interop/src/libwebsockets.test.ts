// The programs of libwebsockets: a server with three protocols of its own, and a client that uses two of them
// at once.

import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { connect, type Connection, serve, type ServeOptions } from "holdfast";
import { eventually } from "holdfast-testkit";
import { noteCell, noteVersion, testCell } from "./matrix/test-cell.js";
import type { Column } from "./matrix/tables.js";
import { findExecutable } from "./peers/executables.js";
import { Program, startListening } from "./peers/program.js";
import { LIMIT } from "./scenes/common-tests.js";

const installedBy = "scripts/install-peers.sh libwebsockets";
const server = findExecutable(["libwebsockets-test-server"], { installedBy });
const client = findExecutable(["libwebsockets-test-client"], { installedBy });
const OURS = { skip: server.skip, timeout: LIMIT };
const THEIRS = { skip: client.skip, timeout: LIMIT };
const RECEIVE = { timeout: 30_000 };

/** Counts up: sends a message every few milliseconds. */
const INCREMENT = "dumb-increment-protocol";
/** Forwards every message to all clients, including the sender. */
const MIRROR = "lws-mirror-protocol";
/** Reports who is connected. */
const STATUS = "lws-status";

function cell(position: "server" | "client", column: Column) {
  return { row: "libwebsockets", position, column } as const;
}

describe("our client, libwebsockets' test server", () => {
  let program: Program | undefined;
  let url = "";
  before(async () => {
    if (server.skip !== false) return;
    const started = await startListening((port) => new Program(server.path, [`--port=${port}`]));
    program = started.program;
    url = `ws://127.0.0.1:${started.port}/`;
  });
  after(() => program?.[Symbol.asyncDispose]());

  testCell(cell("server", "messages"), "E1: their counter arrives in order", OURS, async () => {
    const connection = await connect(url, { subprotocols: [INCREMENT] });
    const received = [];
    while (received.length < 10) received.push(await connection.recv(RECEIVE));
    assert.deepEqual(received, Array.from(Array(10).keys(), String));
    await connection.close();
  });

  const mirrored = "E1: what their mirror sends back is what it was sent";
  testCell(cell("server", "messages"), mirrored, OURS, async () => {
    const connection = await connect(`${url}?mirror=messages`, { subprotocols: [MIRROR] });
    // Their mirror accepts messages of up to about 4,000 bytes, and sends everything as text.
    const messages = ["d #ff0000 1 2 3 4;", "Grüße, 世界", "é".repeat(1_000)];
    for (const message of messages) {
      await connection.send(message);
      assert.equal(await connection.recv(RECEIVE), message);
    }
    await connection.close();
  });

  testCell(cell("server", "subprotocol"), "B3: the subprotocol is theirs", OURS, async () => {
    for (const subprotocol of [INCREMENT, MIRROR, STATUS]) {
      const connection = await connect(url, { subprotocols: ["nobody-speaks-this", subprotocol] });
      assert.equal(connection.subprotocol, subprotocol);
      await connection.close();
    }
  });

  const pings = "C3: our pings are answered, and their time is the latency";
  testCell(cell("server", "our pings, latency"), pings, OURS, async () => {
    const connection = await connect(url, { subprotocols: [STATUS], pingInterval: null });
    const roundTrip = await connection.ping("are you there?");
    assert.ok(roundTrip > 0 && roundTrip < 20_000, `${roundTrip} ms`);
    assert.equal(connection.latency, roundTrip);
    await connection.close();
  });

  for (const { code, reason } of [
    { code: 1000, reason: "all done" },
    { code: 3000, reason: "" },
    { code: 4001, reason: "Grüße" },
  ]) {
    testCell(cell("server", "close codes"), `D1: our Close with ${code} is answered`, OURS, async () => {
      const connection = await connect(url, { subprotocols: [STATUS] });
      const frame = { code, reason };
      const { received, sent, clean, cause } = await connection.close(code, reason);
      assert.deepEqual(
        { received, sent, clean, cause },
        { received: frame, sent: frame, clean: true, cause: "local-close" },
      );
    });
  }

  const compressed = "E8: their compressed messages are read, and ours by them (RFC 7692)";
  testCell(cell("server", "compression"), compressed, OURS, async () => {
    const connection = await connect(url, { subprotocols: [STATUS], compression: { threshold: 0 } });
    assert.match(String(connection.extensions), /^permessage-deflate/);
    const status = JSON.parse(String(await connection.recv(RECEIVE))) as { version: string };
    assert.match(status.version, /^\d+\.\d+/);
    noteVersion("libwebsockets", /[\d.]*\d/.exec(status.version)?.[0] ?? null);
    assert.equal((await connection.close()).clean, true);
  });

  noteCell(cell("server", "fragments"), "its test server's protocols do not show what became of fragments");
  noteCell(cell("server", "their pings"), "its test server sends its first ping after five minutes");
});

describe("our server, libwebsockets' test client", () => {
  testCell(
    cell("client", "messages"),
    "E1: its drawings arrive, and it prints our messages",
    THEIRS,
    async () => {
      await withTheirClient({}, async (connections, program) => {
        for (const text of ["Hello", "Grüße, 世界"]) {
          await connections[INCREMENT].send(text);
          await eventually(() => program.output.includes(`'${text}'`), `it to print ${text}`, 30_000);
        }
        await assertDrawings(connections[MIRROR]);
      });
    },
  );

  testCell(
    cell("client", "subprotocol"),
    "G6: it gets the subprotocols that it asks for",
    THEIRS,
    async () => {
      await withTheirClient({ subprotocols: [MIRROR, INCREMENT] }, async (connections) => {
        for (const protocol of [INCREMENT, MIRROR] as const) {
          assert.equal(connections[protocol].subprotocol, protocol);
          assert.equal(connections[protocol].request.headers.get("Sec-WebSocket-Protocol"), protocol);
        }
      });
    },
  );

  const compressed = "E8: it agrees to compression, and what it draws is read (RFC 7692)";
  testCell(cell("client", "compression"), compressed, THEIRS, async () => {
    // Of its two protocols, the counter accepts compression and then fails: "requires the protocol to have an
    // RX buffer >= 128".
    await withTheirClient({ compression: { threshold: 0 } }, async (connections) => {
      assert.match(String(connections[MIRROR].extensions), /^permessage-deflate/);
      await assertDrawings(connections[MIRROR]);
    });
  });

  testCell(cell("client", "our pings, latency"), "C3: it answers our pings", THEIRS, async () => {
    // libwebsockets drops a Ping that arrives before it has sent the previous Pong, so there must be no other
    // pings.
    await withTheirClient({ pingInterval: null }, async (connections) => {
      const roundTrip = await connections[INCREMENT].ping("are you there?");
      assert.ok(roundTrip > 0 && roundTrip < 20_000, `${roundTrip} ms`);
    });
  });

  testCell(cell("client", "close codes"), "D1: it answers our Close", THEIRS, async () => {
    await withTheirClient({}, async (connections) => {
      const frame = { code: 4001, reason: "Grüße" };
      const { received, sent, clean, cause } = await connections[INCREMENT].close(frame.code, frame.reason);
      assert.deepEqual(
        { received, sent, clean, cause },
        { received: frame, sent: frame, clean: true, cause: "local-close" },
      );
    });
  });

  noteCell(
    cell("client", "our pings, latency"),
    "drops a Ping that arrives before it has sent a Pong; the next Ping is answered",
  );
  noteCell(cell("client", "fragments"), "its test client's protocols send no fragments");
  noteCell(cell("client", "their pings"), "its test client sends its first ping after five minutes");
});

type TheirConnections = Readonly<Record<typeof INCREMENT | typeof MIRROR, Connection>>;

/** Errors, warnings, notices and information, as bits. */
const LOG_WHAT_IS_RECEIVED = "15";

/** Their client opens a connection for each of its protocols, and keeps both open. */
async function withTheirClient(
  options: ServeOptions,
  body: (connections: TheirConnections, program: Program) => Promise<void>,
): Promise<void> {
  const welcomed: Partial<Record<string, Connection>> = {};
  await using ours = await serve(
    (connection) => {
      welcomed[connection.subprotocol ?? ""] ??= connection;
    },
    { host: "127.0.0.1", subprotocols: [INCREMENT, MIRROR], ...options },
  );
  await using program = new Program(client.path, [
    "127.0.0.1",
    `--port=${ours.port}`,
    "-d",
    LOG_WHAT_IS_RECEIVED,
  ]);
  const find = () => [welcomed[INCREMENT], welcomed[MIRROR]] as const;
  await eventually(() => !find().includes(undefined), "both of its connections", 30_000);
  const [increment, mirror] = find();
  assert.ok(increment && mirror);
  await body({ [INCREMENT]: increment, [MIRROR]: mirror }, program);
}

async function assertDrawings(connection: Connection): Promise<void> {
  for (let count = 0; count < 20; count++) {
    assert.match(String(await connection.recv(RECEIVE)), /^c #[0-9A-F]{6} \d+ \d+ \d+;$/);
  }
}
