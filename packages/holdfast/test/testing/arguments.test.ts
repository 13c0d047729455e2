// The test tools refuse arguments that would make a test pass for the wrong reason.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { activeResources, assertNothingLeft, type ResourceCounts } from "holdfast-testkit";
import { connectionPair, FaultProxy, RawClient, RawServer, type Faults } from "../../build/testing.js";

describe("G9: the tools of holdfast/testing", { timeout: 60_000 }, () => {
  let resources: ResourceCounts;
  let server: RawServer;
  let proxy: FaultProxy;

  before(async () => {
    resources = activeResources();
    server = await RawServer.start();
    proxy = await FaultProxy.start({ target: { port: server.port } });
  });
  after(async () => {
    await proxy.close();
    await server.close();
    await assertNothingLeft(resources);
  });

  const refused = (call: () => unknown, message: RegExp): Promise<void> =>
    assert.rejects(async () => call(), { name: "InvalidArgumentError", message });

  test("G9: rates, delays and sizes that are none are refused, and change nothing", async () => {
    for (const rate of [0, -1, Number.NaN, "5", undefined] as number[])
      await refused(
        () => proxy.throttle(rate),
        /`bytesPerSecond` to be a positive number or null.* freeze\(\)/,
      );
    for (const ms of [-1, Number.NaN, Infinity, "5", undefined] as number[])
      await refused(() => proxy.delay(ms), /`delay` to be a positive number of milliseconds/);
    for (const size of [0, -1, 0.5, Number.NaN, "5", undefined] as number[])
      await refused(() => proxy.chunk(size), /`chunkSize` to be a positive whole number or null/);
    await refused(() => proxy.freeze("both" as never), /`direction` to be "toServer" or "toClient"/);
    await refused(() => proxy.heal("both" as never), /`direction`/);
    await refused(
      () => proxy.set({ latency: 5 } as Partial<Faults>),
      /Expected only options of set\(\), got `latency`/,
    );
    await refused(
      () => proxy.set({ flow: "shut" as never }),
      /`flow` to be "open" or "frozen" or "blackholed"/,
    );
    await refused(() => proxy.set({ isFinHeld: 1 as never }), /`isFinHeld` to be true or false/);
    await using client = await RawClient.connect({ port: proxy.port });
    proxy.throttle(Infinity);
    proxy.throttle(null);
    client.write("through");
    const peer = await server.nextPeer();
    assert.equal(Buffer.from(await peer.read(7)).toString(), "through");
  });

  test("G9: a cut that is none is refused", async () => {
    await refused(() => proxy.cut(undefined as never), /options of cut\(\) to be an object, got undefined/);
    await refused(() => proxy.cut({} as never), /`kind` to be "fin" or "rst"/);
    const cutAfter = (direction: unknown, bytes: unknown) =>
      ({ kind: "rst", after: { direction, bytes } }) as never;
    await refused(() => proxy.cut(cutAfter("both", 1)), /`after.direction`/);
    for (const bytes of [-1, 1.5, Number.NaN, Infinity, "3", undefined])
      await refused(
        () => proxy.cut(cutAfter("toClient", bytes)),
        /`after.bytes` to be a whole number from 0 on/,
      );
  });

  test("G9: addresses and options that are none are refused before anything listens", async () => {
    await refused(
      () => FaultProxy.start(undefined as never),
      /options of FaultProxy.start\(\) to be an object/,
    );
    await refused(() => FaultProxy.start({} as never), /`target` of FaultProxy.start\(\) to be an object/);
    for (const port of [0, -1, 70_000, "x", undefined] as number[])
      await refused(() => FaultProxy.start({ target: { port } }), /`target.port` to be a port number from 1/);
    await refused(() => FaultProxy.start({ target: { port: 1 }, prot: 5 } as never), /Did you mean `port`/);
    await refused(() => RawClient.connect(undefined as never), /options of RawClient.connect\(\)/);
    await refused(() => RawClient.connect({ port: "x" as never }), /`port` to be a port number/);
    await refused(() => RawServer.start({ prot: 5 } as never), /Did you mean `port`/);
    await refused(() => RawServer.start({}, 5 as never), /`script` to be a function/);
    await refused(() => connectionPair({ subprotocol: "a b" }), /`subprotocol` to be a token/);
    await refused(() => connectionPair({ subprotocol: 5 as never }), /`subprotocol` to be a token/);
  });

  test("D7: a proxy that is closed listens no more, whatever the order of the calls", async () => {
    await using other = await FaultProxy.start({ target: { port: server.port } });
    other.refuse();
    await Promise.all([other.accept(), other.accept("mute")]);
    await (await RawClient.connect({ port: other.port })).close();
    other.refuse();
    const accepting = other.accept();
    other.refuse();
    await accepting;
    await assert.rejects(RawClient.connect({ port: other.port }), { code: "ECONNREFUSED" });
    const reopening = other.accept();
    await Promise.all([other.close(), reopening]);
    await assert.rejects(RawClient.connect({ port: other.port }), { code: "ECONNREFUSED" });
    await assert.rejects(other.accept(), { name: "InvalidStateError", message: /got a closed one/ });
    await assert.rejects(other.accept("forwards" as never), /`mode` to be "forward"/);
  });

  test("D7: a nextPeer() that timed out takes no peer from the next call", async () => {
    await using other = await RawServer.start();
    await assert.rejects(other.nextPeer({ timeout: 1 }), /Waited 1 ms for a connection/);
    await using client = await RawClient.connect({ port: other.port });
    client.write("first");
    const peer = await other.nextPeer();
    assert.equal(Buffer.from(await peer.read(5)).toString(), "first");
  });

  test("D7: a nextPeer() that waits when the server closes, or begins later, is rejected", async () => {
    const other = await RawServer.start();
    const expected = { name: "InvalidStateError", message: /Expected a connection, got the close\(\)/ };
    const waiting = assert.rejects(other.nextPeer(), expected);
    await other.close();
    await waiting;
    await assert.rejects(other.nextPeer(), expected);
  });
});
