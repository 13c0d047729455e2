import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { SeededRandom } from "../fake/seeded-random.js";
import { RawClient } from "../../../packages/holdfast/build/testing/raw/client.js";
import { activeResources, assertNothingLeft, type ResourceCounts } from "../resources.js";
import { eventually, withTimeout } from "../waiting.js";
import { EchoLink, measureEcho } from "./echo-link.js";

describe("FaultProxy", { timeout: 300_000 }, () => {
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

  test("forwards both ways unchanged, counts, and passes FIN and RST on", async () => {
    const { client } = await link.connectThrough();
    const bytes = new SeededRandom(1).bytes(3_000_000);
    client.write(bytes);
    assert.deepEqual(await client.read(bytes.length), bytes);
    assert.deepEqual(link.proxy.forwarded, { toServer: 3_000_002, toClient: 3_000_002 });
    client.end();
    await eventually(() => link.echo.ends.length === 1, "the FIN");
    link.echo.sockets[0]?.end();
    assert.equal(await client.ended, "fin");
    await eventually(() => link.proxy.connections.length === 0, "the connection to go");
    const { client: resetter } = await link.connectThrough();
    resetter.reset();
    await eventually(() => link.echo.ends.length === 2, "the RST");
    assert.deepEqual(link.echo.ends, ["fin", "ECONNRESET"]);
    const { client: reset } = await link.connectThrough();
    link.echo.sockets[2]?.resetAndDestroy();
    assert.equal(await reset.ended, "rst");
    assert.deepEqual([link.proxy.accepted, link.proxy.forwarded.toServer], [3, 3_000_006]);
    assert.equal(link.proxy.url("ws", "/chat"), `ws://127.0.0.1:${link.proxy.port}/chat`);
  });

  test("closes a connection that is cut by RST right after a FIN", async () => {
    const { client, connection } = await link.connectThrough();
    connection.cut({ kind: "fin" });
    connection.cut({ kind: "rst" });
    assert.match(await client.ended, /fin|rst/);
    await withTimeout(connection.closed, 30_000, "both sockets to close");
  });

  test("refuse() stops listening, accept() listens again on the same port", async () => {
    const { client } = await link.connectThrough();
    link.proxy.refuse();
    await assert.rejects(link.connectClient(), { code: "ECONNREFUSED" });
    await measureEcho(client);
    await link.proxy.accept();
    await measureEcho(await link.connectClient());
  });

  test("accept() can end new connections, or leave them without an answer", async () => {
    await link.proxy.accept("close");
    assert.equal(await (await link.connectClient()).ended, "fin");
    await link.proxy.accept("reset");
    // The RST may arrive before the connection is reported to the client.
    const reset = await link.connectClient().catch((error: unknown) => error);
    if (reset instanceof RawClient) assert.equal(await reset.ended, "rst");
    else assert.match(String(reset), /ECONNRESET/);
    await link.proxy.accept("mute");
    const mute = await link.connectClient();
    mute.write("hello?");
    await assert.rejects(mute.read(1, { timeout: 30 }), /Waited 30 ms/);
    assert.equal(link.echo.sockets.length, 0);
    await link.proxy.close();
    assert.match(await mute.ended, /fin|rst/);
    assert.equal(link.proxy.accepted, 3);
  });

  test("resets the client if the target refuses", async () => {
    await link.echo.close();
    assert.equal(await (await link.connectClient()).ended, "rst");
  });

  test("close() ends everything in every state, more than once", async () => {
    const { client, connection } = await link.connectThrough();
    const { client: frozen } = await link.connectThrough();
    connection.set({ delay: 60_000, bytesPerSecond: 1, chunkSize: 1 });
    client.write(new Uint8Array(1_000));
    link.proxy.connections[1]?.freeze();
    frozen.write(new Uint8Array(1_000_000));
    await sleep(10);
    await Promise.all([link.proxy.close(), link.proxy.close()]);
    assert.deepEqual(link.proxy.connections, []);
  });
});
