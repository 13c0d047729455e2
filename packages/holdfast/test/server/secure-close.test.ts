import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, serve } from "holdfast";
import { activeResources, assertNothingLeft, RawClient, testCertificates } from "holdfast-testkit";

describe("A server over TLS", () => {
  test("G4: close() ends clients that are mute, that refused the certificate, and that hung up in the handshake", async () => {
    const { server: tls, ca } = await testCertificates();
    const resources = activeResources();
    const server = await serve(() => undefined, { host: "127.0.0.1", tls });
    const open = await connect(server.url, { tls: { ca } });
    const mute = await RawClient.connect({ port: server.port });
    const ending = await RawClient.connect({ port: server.port });
    ending.end();
    await assert.rejects(connect(server.url), { failure: "tls" });
    await sleep(50);
    const began = performance.now();
    await server.close({ timeout: 100 });
    assert(performance.now() - began < 9_000);
    assert.equal((await open.closed).code, 1001);
    await mute.ended;
    await mute.close();
    await ending.close();
    await assertNothingLeft(resources);
  });

  test("C6: the verdict's Close reaches the peer through TLS, and then the socket ends", async () => {
    const { server: tls, ca } = await testCertificates();
    await using server = await serve(() => undefined, {
      host: "127.0.0.1",
      tls,
      pingInterval: 50,
      pingTimeout: 50,
    });
    await using client = await RawClient.connect({ port: server.port, tls: { ca } });
    await client.upgrade();
    // A busy machine leaves time for more than one ping.
    let frame = await client.readFrame();
    for (; frame.opcode === 9; frame = await client.readFrame());
    assert.deepEqual(
      [frame.opcode, Buffer.from(frame.payload).toString("latin1")],
      [8, "\x03\xf3keepalive ping timeout"],
    );
    assert.match(await client.ended, /fin|rst/);
  });
});
