import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, test } from "node:test";
import { connect, HandshakeError, serve, type CloseCause } from "../../build/index.js";
import {
  acceptKey,
  activeResources,
  assertNothingLeft,
  eventually,
  FaultProxy,
  RawClient,
  RawServer,
  testCertificates,
  type ResourceCounts,
} from "holdfast-testkit";
import { echo } from "./servers.js";

const REQUEST = Buffer.from(
  "GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n" +
    "\x81\x85\x00\x00\x00\x00hello",
  "latin1",
);
const HEAD_LENGTH = REQUEST.indexOf("\r\n\r\n") + 4;

/** Concurrent connections; each takes as long as its bytes and the reset need to arrive one after the other. */
const AT_ONCE = 50;

async function each(offsets: readonly number[], attack: (offset: number) => Promise<void>): Promise<void> {
  for (let at = 0; at < offsets.length; at += AT_ONCE) {
    await Promise.all(offsets.slice(at, at + AT_ONCE).map(attack));
  }
}

const upTo = (length: number, step = 1) =>
  Array.from({ length: Math.floor(length / step) + 1 }, (_, index) => index * step);

/** Long enough for the other side to read the bytes; on a busy machine the reset may overtake them. */
const reading = () => sleep(5);

/** A reset that arrives together with the bytes before it appears as the end of the stream. */
const ENDS: ReadonlySet<CloseCause> = new Set<CloseCause>(["reset", "eof", "write-failed"]);

/** Unhandled rejections and uncaught exceptions, which would terminate an application's process. */
const uncaught: unknown[] = [];
const note = (error: unknown) => void uncaught.push(error);

describe("A reset within the handshake", () => {
  let resources: ResourceCounts;

  before(() => {
    resources = activeResources();
    process.on("unhandledRejection", note).on("uncaughtException", note);
  });

  after(async () => {
    await assertNothingLeft(resources);
    process.off("unhandledRejection", note).off("uncaughtException", note);
    assert.deepEqual(uncaught, []);
  });

  test("H: at every byte offset of the request: nothing of it is left at the server, and its connections end", async () => {
    const causes: CloseCause[] = [];
    await using server = await serve(
      async (connection) => {
        await echo(connection);
        causes.push((await connection.closed).cause);
      },
      { host: "127.0.0.1" },
    );
    await each(upTo(REQUEST.length), async (offset) => {
      await using client = await RawClient.connect({ port: server.port });
      client.write(REQUEST.subarray(0, offset));
      if (offset >= HEAD_LENGTH) await client.readHead();
      else await reading();
      client.reset();
    });
    const opened = REQUEST.length - HEAD_LENGTH + 1;
    await eventually(() => causes.length === opened, `${opened} connections to end`);
    assert.deepEqual(
      causes.filter((cause) => !ENDS.has(cause)),
      [],
    );
    assert.equal(server.connections.size, 0);
  });

  test("H: at every byte offset of the answer: connect() rejects, or its connection ends", async () => {
    const answer = (key: string) =>
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptKey(key)}\r\n\r\n`;
    const { length } = answer("");
    const causes: CloseCause[] = [];
    let opened = 0;

    await using server = await RawServer.start({}, async (peer) => {
      const request = await peer.readHead();
      const offset = Number(/\d+/.exec(request.startLine)?.[0]);
      peer.write(`${answer(request.header("Sec-WebSocket-Key") ?? "")}\x81\x05hello`.slice(0, offset));
      await reading();
      peer.reset();
    });
    await each(upTo(length + 7), async (offset) => {
      try {
        const connection = await connect(server.url(`/${offset}`));
        assert(offset >= length, `The answer was not complete at offset ${offset}`);
        opened++;
        causes.push((await connection.closed).cause);
      } catch (error) {
        assert(error instanceof HandshakeError, String(error));
        causes.push(error.failure);
      }
    });
    assert.deepEqual(
      causes.filter((cause) => !ENDS.has(cause)),
      [],
    );
    assert.equal(causes.length, length + 8);
    assert.notEqual(opened, 0);
  });

  for (const direction of ["toServer", "toClient"] as const) {
    test(`H: between both, at offsets all over TLS, upgrade and first frames, ${direction}: both sides are notified and leave nothing`, async () => {
      const { ca, server: tls } = await testCertificates();
      await using server = await serve(echo, { host: "127.0.0.1", tls });
      await using proxy = await FaultProxy.start({ target: { port: server.port } });
      const attempt = async (): Promise<boolean> => {
        try {
          const connection = await connect(proxy.url("wss"), { tls: { ca } });
          void connection.send("hello");
          await connection.forEach(() => connection.send("hello"));
          assert.equal((await connection.closed).clean, false);
          return true;
        } catch (error) {
          assert(error instanceof HandshakeError, String(error));
          return false;
        }
      };
      let isOpened = false;
      for (let offset = 0; !isOpened; offset += 97) {
        proxy.cut({ kind: "rst", after: { direction, bytes: offset } });
        isOpened = await attempt();
        proxy.heal();
        assert(offset < 20_000, "The handshake never came through");
      }
      await eventually(() => server.connections.size === 0, "the server to notice");
    });
  }
});
