import assert from "node:assert/strict";
import { afterEach, before, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, HandshakeError, InvalidArgumentError, serve, type Connection } from "holdfast";
import {
  acceptKey,
  activeResources,
  assertNothingLeft,
  closePayload,
  frame,
  OPCODE,
  RawServer,
  testCertificates,
  withTimeout,
  type ResourceCounts,
  type TestCertificates,
} from "holdfast-testkit";

const TEXTS = Array.from({ length: 1000 }, (_, index) => `message ${index}`);
const text = (payload: string) => frame({ opcode: OPCODE.text, payload });
const close = frame({ opcode: OPCODE.close, payload: closePayload(1000) });

async function read(connection: Connection, count: number) {
  const messages: unknown[] = [];
  for (let index = 0; index < count; index++) messages.push(await connection.recv());
  return messages;
}

describe("A connection from connect()", () => {
  let certificates: TestCertificates;
  let resources: ResourceCounts;

  before(async () => {
    certificates = await testCertificates();
  });
  beforeEach(() => {
    resources = activeResources();
  });
  afterEach(async () => {
    await assertNothingLeft(resources);
  });

  for (const [scheme, delay] of [
    ["ws", 1000],
    ["wss", 100],
  ] as const) {
    test(`B10: 1,000 messages glued to the 101 over ${scheme} are read in order ${delay} ms later, and so are the Close and FIN after them`, async () => {
      const tls = scheme === "wss" ? { tls: certificates.server } : {};
      const server = await RawServer.start(tls, async (peer) => {
        await peer.acceptUpgrade({ glue: Buffer.concat([...TEXTS.map(text), close]) });
        peer.end();
      });
      const connection = await connect(server.url(), { tls: { ca: certificates.ca } });
      await sleep(delay);
      assert.deepEqual(await read(connection, 1000), TEXTS);
      await assert.rejects(connection.recv(), { name: "ConnectionClosedOK" });
      assert.equal((await connection.closed).message, "received 1000 (OK); then sent 1000 (OK)");
      await server.close();
    });
  }

  test("B10: so are the messages after a response that arrives byte by byte, and those that arrive in the same turn", async () => {
    const glue = Buffer.concat(TEXTS.slice(0, 20).map(text));
    const server = await RawServer.start({}, async (peer) => {
      const request = await peer.readHead();
      const accept = acceptKey(request.header("Sec-WebSocket-Key") ?? "");
      const head = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
      await peer.writeBytewise(Buffer.concat([Buffer.from(head), glue]));
    });
    const connection = await connect(server.url());
    assert.deepEqual(await read(connection, 20), TEXTS.slice(0, 20));
    connection.terminate();
    await connection.closed;
    await server.close();
  });

  test("B10: more than fits into the queue pauses reading, and nothing is lost", async () => {
    const count = 5000;
    const texts = Array.from({ length: count }, (_, index) => `${index}`);
    const server = await RawServer.start({}, async (peer) => {
      await peer.acceptUpgrade({ glue: Buffer.concat(texts.map(text)) });
    });
    const connection = await connect(server.url(), { maxQueue: 10 });
    await sleep(50);
    assert.deepEqual(await read(connection, count), texts);
    connection.terminate();
    await connection.closed;
    await server.close();
  });

  test("C1: the first frame that a peer receives is a masked Ping, right after the 101", async () => {
    for (const pingInterval of [20_000, null]) {
      const server = await RawServer.start();
      const opening = connect(server.url(), { pingInterval });
      const peer = await server.nextPeer();
      await peer.acceptUpgrade();
      const connection = await opening;
      void connection.send("hello");
      const { opcode, isMasked, payload } = await peer.readFrame();
      if (pingInterval === null)
        assert.deepEqual([opcode, isMasked, Buffer.from(payload).toString()], [OPCODE.text, true, "hello"]);
      else assert.deepEqual([opcode, isMasked, payload.length], [OPCODE.ping, true, 8]);
      connection.terminate();
      await connection.closed;
      await server.close();
    }
  });

  test("D5: the client waits for the server's FIN; D4: for closeTimeout at most", async () => {
    for (const ends of [true, false]) {
      const server = await RawServer.start();
      const opening = connect(server.url(), { pingInterval: null, closeTimeout: ends ? 20_000 : 200 });
      const peer = await server.nextPeer();
      await peer.acceptUpgrade();
      const connection = await opening;
      const began = performance.now();
      const closing = connection.close(1000, "bye");
      const { payload } = await peer.readFrame();
      assert.deepEqual(payload, closePayload(1000, "bye"));
      peer.sendClose(1000, "bye");
      await peer.pause(50);
      if (ends) {
        assert.equal(connection.state, "closing");
        peer.end();
      }
      const info = await closing;
      const elapsed = performance.now() - began;
      assert.deepEqual([info.ok, info.cause], [true, "local-close"]);
      assert(elapsed >= (ends ? 0 : 195) && elapsed < 15_000, `${elapsed} ms`);
      await server.close();
    }
  });

  test("B8: wss with a custom authority, to a name and to an address", async () => {
    const server = await serve(
      (connection) => void connection.forEach((message) => void connection.send(message)),
      {
        host: "127.0.0.1",
        tls: certificates.server,
      },
    );
    for (const url of [server.url, `wss://localhost:${server.port}/`]) {
      const connection = await connect(url, {
        tls: { ca: certificates.ca },
      });
      void connection.send("over TLS");
      assert.equal(await connection.recv(), "over TLS");
      void connection.send(Buffer.alloc(300_000, 1));
      assert.deepEqual(await connection.recv(), new Uint8Array(300_000).fill(1));
      assert.equal((await connection.close()).ok, true);
    }
    await assert.rejects(connect(server.url), {
      name: "HandshakeError",
      failure: "tls",
      code: "ERR_HOLDFAST_TLS",
    });
    const unchecked = await connect(server.url, { tls: { rejectUnauthorized: false } });
    assert.equal((await unchecked.close()).ok, true);
    await server.close();
  });

  test("B8: a server that demands a client certificate refuses a client without one", async () => {
    const server = await serve(() => assert.fail("It came in"), {
      host: "127.0.0.1",
      tls: { ...certificates.server, ca: certificates.ca, requestCert: true, rejectUnauthorized: true },
    });
    const opening = connect(server.url, { tls: { ca: certificates.ca } });
    await assert.rejects(opening, HandshakeError);
    await server.close();
  });

  for (const tls of [{ cert: "garbage" }, { minVersion: "TLSv9" }, { ciphers: "garbage" }]) {
    test(`B8: a TLS option that Node refuses is reported at once as our error: ${JSON.stringify(tls)}`, async () => {
      const server = await RawServer.start();
      const opening = connect(server.url().replace("ws:", "wss:"), { tls: tls as never });
      const error: unknown = await withTimeout(opening, 30_000, "the refusal").catch(
        (reason: unknown) => reason,
      );
      await assertNothingLeft(activeResources());
      await server.close();
      assert(error instanceof InvalidArgumentError, String(error));
      assert.match(error.message, /^Expected `tls` to be options of tls\.connect, got an error: ./);
      assert(error.cause instanceof Error);
    });
  }
});
