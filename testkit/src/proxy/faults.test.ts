import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { SeededRandom } from "../fake/seeded-random.js";
import { activeResources, assertNothingLeft, type ResourceCounts } from "../resources.js";
import { eventually } from "../waiting.js";
import { EchoLink, measureEcho } from "./echo-link.js";

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

/** Measures until it is less than `bound`, 20 times at most: a busy machine lengthens some of them. */
async function fastest(bound: number, measure: () => Promise<number>): Promise<number> {
  let best = Infinity;
  for (let attempt = 0; attempt < 20 && best >= bound; attempt++) best = Math.min(best, await measure());
  assert.ok(best < bound, `${best} ms`);
  return best;
}

describe("The faults of a FaultProxy", { timeout: 300_000 }, () => {
  let before: ResourceCounts;
  let link: EchoLink;

  beforeEach(async () => {
    before = activeResources();
    link = await EchoLink.start();
  });

  afterEach(async () => {
    await link.close();
    await assertNothingLeft(before);
  });

  test("delay() holds bytes back, order kept, in one direction or both, and later connections too", async () => {
    const { client } = await link.connectThrough();
    link.proxy.delay(60);
    assert.ok((await measureEcho(client)) >= 119);
    link.proxy.delay(0, "toServer");
    assert.ok((await fastest(115, () => measureEcho(client))) >= 59);
    const later = await link.connectClient();
    assert.ok((await measureEcho(later)) >= 59);
    // Many bytes are in transit at the same time: a delay does not limit the throughput.
    const start = performance.now();
    for (let number = 0; number < 50; number++) {
      client.write(`${number},`);
      await sleep(1);
    }
    const expected = Array.from({ length: 50 }, (_, number) => `${number},`).join("");
    assert.equal(latin1(await client.read(expected.length)), expected);
    assert.ok(performance.now() - start < 50 * 60);
    link.proxy.heal();
    await fastest(55, () => measureEcho(client));
  });

  test("throttle() forwards that many bytes per second", async () => {
    const { client, connection } = await link.connectThrough();
    connection.throttle(100_000, "toServer");
    const measure = () => measureEcho(client, "x".repeat(30_000));
    assert.ok((await fastest(600, measure)) > 240);
    connection.throttle(null);
    await fastest(200, measure);
  });

  test("throttle() fills the sender's buffers", async () => {
    const { client } = await link.connectThrough();
    link.proxy.throttle(1_000, "toServer");
    client.write(new Uint8Array(32 * 1024 * 1024));
    await assert.rejects(client.flushed({ timeout: 100 }), /for the kernel to take/);
  });

  test("freeze() fills the sender's buffers and lets no end through; thaw() lets everything through", async () => {
    const { client } = await link.connectThrough();
    link.proxy.freeze();
    const bytes = new SeededRandom(2).bytes(24 * 1024 * 1024);
    client.write(bytes);
    client.end();
    await assert.rejects(client.flushed({ timeout: 100 }), /for the kernel to take/);
    assert.deepEqual([link.echo.pieces, link.echo.ends, link.proxy.forwarded.toServer], [[2], [], 2]);
    link.proxy.thaw();
    assert.deepEqual(await client.read(bytes.length), bytes);
    await eventually(() => link.echo.ends.length === 1, "the FIN");
  });

  test("freeze() of one direction leaves the other one alone, and holds for later connections", async () => {
    link.proxy.freeze("toClient");
    const client = await link.connectClient();
    client.write("hello");
    await eventually(() => link.echo.pieces.length === 1, "the bytes");
    await assert.rejects(client.read(1, { timeout: 30 }));
    link.proxy.thaw("toClient");
    assert.equal(latin1(await client.read(5)), "hello");
  });

  test("blackhole() loses everything, so that the sender's buffers never fill", async () => {
    const { client } = await link.connectThrough();
    link.proxy.blackhole("toServer");
    client.write(new Uint8Array(24 * 1024 * 1024));
    await client.flushed();
    client.end();
    await sleep(20);
    assert.deepEqual([link.echo.pieces, link.echo.ends], [[2], []]);
    link.echo.sockets[0]?.write("the other way");
    assert.equal(latin1(await client.read(13)), "the other way");
  });

  test("blackhole() and thaw() leave a hole in the stream", async () => {
    const { client, connection } = await link.connectThrough();
    connection.blackhole();
    client.write("lost");
    await sleep(20);
    await nextTurn(); // The proxy has read it, also where this process was too busy to do so before.
    connection.thaw();
    await measureEcho(client, "found");
  });

  test("halfOpen() holds a FIN back until heal()", async () => {
    const { client } = await link.connectThrough();
    link.proxy.halfOpen("toServer");
    client.write("last words");
    client.end();
    assert.equal(latin1(await client.read(10)), "last words");
    await sleep(20);
    assert.deepEqual(link.echo.ends, []);
    link.proxy.heal();
    await eventually(() => link.echo.ends.length === 1, "the FIN");
  });

  test("cut() ends connections on both sides, by FIN or by RST", async () => {
    const { client: fin, connection } = await link.connectThrough();
    const { client: rst } = await link.connectThrough();
    connection.cut({ kind: "fin" });
    assert.equal(await fin.ended, "fin");
    await eventually(() => link.echo.ends.length === 1, "the FIN");
    await measureEcho(rst);
    link.proxy.cut({ kind: "rst" });
    assert.equal(await rst.ended, "rst");
    await eventually(() => link.echo.ends.length === 2, "the RST");
    assert.deepEqual(link.echo.ends, ["fin", "ECONNRESET"]);
    await measureEcho(await link.connectClient());
  });

  test("cut() after so many bytes forwards exactly those, on later connections as well", async () => {
    for (const kind of ["fin", "rst"] as const) {
      for (const bytes of [1, 7, 70_000]) {
        link.proxy.cut({ kind, after: { direction: "toClient", bytes } });
        const client = await link.connectClient();
        client.write("x".repeat(100_000));
        assert.equal(await client.ended, kind, `${kind} after ${bytes}`);
        assert.equal(client.receivedLength, bytes, `${kind} after ${bytes}`);
      }
    }
    // With 0 bytes the cut happens on connecting, and the RST may arrive before the connection is reported.
    link.proxy.cut({ kind: "fin", after: { direction: "toServer", bytes: 0 } });
    assert.equal(await (await link.connectClient()).ended, "fin");
    link.proxy.callOffCut();
    await measureEcho(await link.connectClient());
  });

  test("chunk() makes small pieces that arrive one by one", async () => {
    const { client } = await link.connectThrough();
    link.proxy.chunk(1, "toServer");
    await measureEcho(client, "x".repeat(200));
    // The kernel may join a few pieces.
    assert.ok(link.echo.pieces.length > 150, link.echo.pieces.join());
    link.proxy.chunk(null);
    await measureEcho(client, "x".repeat(200));
    assert.equal(link.echo.pieces.at(-1), 200);
  });

  test("faults add up", async () => {
    const { client } = await link.connectThrough();
    link.proxy.set({ delay: 40, chunkSize: 10, bytesPerSecond: 10_000 }, "toServer");
    assert.ok((await fastest(500, () => measureEcho(client, "x".repeat(1_000)))) > 115);
    assert.ok(Math.max(...link.echo.pieces) <= 100, link.echo.pieces.join());
  });
});
