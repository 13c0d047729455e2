import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { testCertificates, type TestCertificates } from "./certificates.js";
import { RawClient } from "../../packages/holdfast/build/testing/raw/client.js";
import { RawServer } from "../../packages/holdfast/build/testing/raw/server.js";
import { activeResources, assertNothingLeft } from "./resources.js";

describe("testCertificates", { timeout: 300_000 }, () => {
  test("lets a client that trusts the authority connect by each of the names", async () => {
    const before = activeResources();
    const { ca, server: tls } = await testCertificates();
    const server = await RawServer.start({ tls }, async (peer) => {
      peer.write(await peer.read(5));
      peer.end();
    });
    for (const host of ["localhost", "127.0.0.1", "::1"]) {
      const client = await RawClient.connect({ port: server.port, tls: { ca, servername: "", host } });
      client.write("hello");
      assert.equal(Buffer.from(await client.readToEnd()).toString(), "hello");
      await client.close();
    }
    assert.equal(await testCertificates(), await testCertificates());
    await server.close();
    await assertNothingLeft(before);
  });

  test("has each certificate fail for its own reason", async () => {
    const codeOf = async (
      name: "server" | "expired" | "wrongHost",
      trusts: (made: TestCertificates) => object,
    ) => {
      const made = await testCertificates();
      await using server = await RawServer.start({ tls: made[name] });
      const failure = await RawClient.connect({ port: server.port, tls: trusts(made) }).catch(
        (error: unknown) => error,
      );
      return failure instanceof Error && "code" in failure ? failure.code : failure;
    };
    assert.deepEqual(
      [
        await codeOf("server", () => ({})),
        await codeOf("expired", ({ ca }) => ({ ca })),
        await codeOf("wrongHost", ({ ca }) => ({ ca })),
      ],
      ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "CERT_HAS_EXPIRED", "ERR_TLS_CERT_ALTNAME_INVALID"],
    );
  });

  test("a peer over TLS can send an RST, and distinguish FIN from RST", async () => {
    const { ca, server: tls } = await testCertificates();
    await using server = await RawServer.start({ tls });
    const reset = await RawClient.connect({ port: server.port, tls: { ca } });
    (await server.nextPeer()).reset();
    assert.equal(await reset.ended, "rst");
    const ended = await RawClient.connect({ port: server.port, tls: { ca } });
    (await server.nextPeer()).end();
    assert.equal(await ended.ended, "fin");
    await reset.close();
    await ended.close();
  });
});
