import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, serve } from "holdfast";
import { testCertificates } from "holdfast-testkit";

test("B9: a connection that was opened without verification is not shared once Node.js verifies again", async () => {
  const { server: tls } = await testCertificates();
  await using server = await serve((connection) => connection.closed, {
    host: "127.0.0.1",
    http2: true,
    tls,
  });
  process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
  const unverified = await connect(server.url, { http2: true });
  delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
  await assert.rejects(connect(server.url, { http2: true }), { failure: "tls" });
  await unverified.close();
});
