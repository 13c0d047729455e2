// Which certificate errors persist() retries, with real TLS.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { connectPersistent, type ConnectPersistentOptions } from "holdfast";
import {
  activeResources,
  assertNothingLeft,
  eventually,
  RawServer,
  testCertificates,
  withTimeout,
  type KeyAndCertificate,
  type ResourceCounts,
  type TestCertificates,
} from "holdfast-testkit";

const FAST = { firstDelay: 5, maxDelay: 10, openTimeout: 10_000 };

describe("Certificates", () => {
  let resources: ResourceCounts;
  let certificates: TestCertificates;

  before(async () => {
    certificates = await testCertificates();
    resources = activeResources();
  });
  after(() => assertNothingLeft(resources));

  const serve = (tls: KeyAndCertificate, port = 0) =>
    RawServer.start({ tls, port }, async (peer) => {
      await peer.acceptUpgrade();
    });
  const connect = (server: RawServer, options: ConnectPersistentOptions = {}) =>
    connectPersistent(server.url(), { tls: { ca: certificates.ca }, ...FAST, ...options });

  test("F5: an expired one is retried, and the connection opens once it is renewed", async () => {
    const expired = await serve(certificates.expired);
    const link = connect(expired);
    const causes: string[] = [];
    link.on("disconnected", ({ info }) => causes.push(info.cause));
    await eventually(() => causes.length >= 3, "three attempts", 30_000);
    assert.deepEqual(causes.slice(0, 3), ["tls", "tls", "tls"]);
    await expired.close();
    const renewed = await serve(certificates.server, expired.port);
    await eventually(() => link.status.state === "open", "a connection", 30_000);
    link.terminate();
    await link.closed;
    await renewed.close();
  });

  test("F5: one of an unknown issuer and one of another name end it on first contact", async () => {
    for (const [tls, options] of [
      [certificates.server, { tls: {} }],
      [certificates.wrongHost, {}],
    ] as const) {
      await using server = await serve(tls);
      const link = connect(server, options);
      const info = await withTimeout(link.closed, 30_000, "the end");
      assert.equal(info.cause, "tls");
      assert(link.status.state === "closed" && link.status.error !== null);
    }
  });

  test("F5: once a connection has been open, the same certificates are retried", async () => {
    for (const wrong of ["wrongHost", "untrusted"] as const) {
      const first = await serve(certificates.server);
      const link = connect(first);
      await eventually(() => link.status.state === "open", "a connection", 30_000);
      let refusals = 0;
      link.on("disconnected", ({ info }) => {
        if (info.cause === "tls") refusals++;
      });
      await first.close();
      const other = await serve(certificates[wrong], first.port);
      await eventually(() => refusals >= 3, "three refusals", 30_000);
      await other.close();
      const mended = await serve(certificates.server, first.port);
      await eventually(() => link.status.state === "open", "a connection", 30_000);
      link.terminate();
      await link.closed;
      await mended.close();
    }
  });

  test("F5: a status stays fatal, also once a connection has been open", async () => {
    for (const status of [401, 403, 404]) {
      let connections = 0;
      await using server = await RawServer.start({}, async (peer) => {
        if (connections++ > 0) {
          await peer.readHead();
          peer.respond(status);
          return;
        }
        await peer.acceptUpgrade();
        peer.reset();
      });
      const link = connectPersistent(server.url(), FAST);
      const info = await withTimeout(link.closed, 30_000, "the end");
      assert.deepEqual([info.cause, connections], ["rejected", 2]);
    }
  });
});
