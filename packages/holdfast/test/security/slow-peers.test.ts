import assert from "node:assert/strict";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, test } from "node:test";
import { connect, OpenTimeoutError, type Server } from "../../build/index.js";
import {
  activeResources,
  assertNothingLeft,
  eventually,
  RawServer,
  type RawClient,
  type RawEnd,
  type ResourceCounts,
} from "holdfast-testkit";
import { usedMemory } from "../connection/memory.js";
import { assertServes, attacker, echoServer } from "./servers.js";

/** In milliseconds; a refused client then has one more second to read the response. */
const OPEN_TIMEOUT = 200;
const LINGER = 1000;
/** A margin for busy machines, in milliseconds. */
const SLACK = 15_000;

const HEAD = "GET / HTTP/1.1\r\nHost: localhost\r\nX: ";

describe("Peers that take their time", () => {
  let resources: ResourceCounts;
  let server: Server;

  before(async () => {
    resources = activeResources();
    server = await echoServer({ openTimeout: OPEN_TIMEOUT });
  });

  after(async () => {
    await server.close();
    await assertNothingLeft(resources);
  });

  /** Writes a byte every few milliseconds until the server ends the connection. */
  async function drip(client: RawClient, head: string): Promise<RawEnd> {
    let end: RawEnd | null = null;
    void client.ended.then((how) => (end = how));
    client.write(head);
    while (end === null) {
      client.write("x");
      await sleep(4);
    }
    return end;
  }

  test("H: a request that comes one byte at a time ends at openTimeout with 408, however eager its client is", async () => {
    const start = performance.now();
    await using client = await attacker(server);
    const end = drip(client, HEAD);
    const { startLine } = await client.readHead({ timeout: OPEN_TIMEOUT + SLACK });
    const took = performance.now() - start;
    assert.equal(startLine, "HTTP/1.1 408 Request Timeout");
    assert(took >= OPEN_TIMEOUT - 20 && took < OPEN_TIMEOUT + SLACK, `It took ${took.toFixed(0)} ms`);
    await end;
    await assertServes(server);
  });

  test("H: a client that never reads its refusal, never ends its side and continues to send, is cut off", async () => {
    const others = sockets();
    for (const request of ["GET / HTTP/1.1\r\n\r\n", HEAD + "x".repeat(70_000)]) {
      await using client = await attacker(server);
      client.stopReading();
      // Megabytes that no test waits for.
      client.write(request + "x".repeat(4 * 1024 * 1024));
      await eventually(() => sockets() <= others + 1, "the server to let go", OPEN_TIMEOUT + LINGER + SLACK);
    }
    await assertServes(server);
  });

  test("H: 500 sockets that say nothing leave the server free for others, and are gone after openTimeout", async () => {
    const others = sockets();
    const clients: RawClient[] = [];
    for (let round = 0; round < 5; round++) {
      clients.push(...(await Promise.all(Array.from({ length: 100 }, () => attacker(server)))));
    }
    await assertServes(server);
    for (const client of clients) {
      const { startLine } = await client.readHead({ timeout: OPEN_TIMEOUT + SLACK });
      assert.equal(startLine, "HTTP/1.1 408 Request Timeout");
    }
    const isGone = () => sockets() <= others + clients.length;
    await eventually(isGone, "the server to let go", LINGER + SLACK);
    await assertServes(server);
    await Promise.all(clients.map((client) => client.close()));
  });

  test("H: an unfinished request costs little more than its bytes, however they came", async (t) => {
    const COUNT = 100;
    const SIZE = 15_000;
    await using patient = await echoServer({ openTimeout: null });
    const clients = await Promise.all(Array.from({ length: COUNT }, () => attacker(patient)));
    for (const client of clients) client.write("GET / HTTP/1.1\r\n");
    await sleep(20);
    const idle = await usedMemory();
    for (let sent = 0; sent < SIZE; sent += 500) {
      for (const client of clients) client.write(`${`X-${sent}: `.padEnd(498, "x")}\r\n`);
      await sleep(1);
    }
    await Promise.all(clients.map((client) => client.flushed()));
    // A busy server takes a while to read what has been flushed.
    const deadline = performance.now() + 30_000;
    let each: number;
    do {
      await sleep(50);
      each = ((await usedMemory()) - idle) / COUNT;
    } while (each <= SIZE && performance.now() < deadline);
    t.diagnostic(`${each.toFixed(0)} bytes for each request of ${SIZE} bytes`);
    assert(each > SIZE && each < 4 * SIZE);
    await Promise.all(clients.map((client) => client.close()));
  });

  for (const [what, bytes] of [
    ["nothing", ""],
    ["the head of an answer, one byte at a time", "HTTP/1.1 101 Switching Protocols\r\nX: "],
    ["interim answers for ever", "HTTP/1.1 103 Early Hints\r\n\r\n"],
  ] as const) {
    test(`H: a server that sends ${what} ends at the client's openTimeout`, async () => {
      await using slow = await RawServer.start({}, async (peer) => {
        let isEnded = false;
        void peer.ended.then(() => (isEnded = true));
        peer.write(bytes);
        while (!isEnded) {
          if (bytes !== "") peer.write(bytes.endsWith("\r\n") ? bytes : "x");
          await sleep(4);
        }
      });
      const start = performance.now();
      await assert.rejects(connect(slow.url(), { openTimeout: OPEN_TIMEOUT }), (error) => {
        assert(error instanceof OpenTimeoutError);
        assert.equal(error.phase, "upgrade");
        return true;
      });
      const took = performance.now() - start;
      assert(took >= OPEN_TIMEOUT - 20 && took < OPEN_TIMEOUT + SLACK, `It took ${took.toFixed(0)} ms`);
    });
  }
});

/** The TCP connections of this process, counting both ends. */
function sockets(): number {
  return activeResources()["TCPSocketWrap"] ?? 0;
}
