// Options that choose the path to the server (proxies, TLS), and the end after a failed heartbeat, through the command.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { serve, type ConnectionHandler } from "holdfast";
import { SocksServer, testCertificates, TunnelProxy, type TestCertificates } from "holdfast-testkit";
import { runCommand } from "./command.js";

const echo: ConnectionHandler = (connection) => connection.forEach((message) => connection.send(message));

/** The environment of the tests bypasses every proxy; these are named on the command line. */
const PROXIED = { NO_PROXY: "" };

describe("Proxy and TLS options of the command", () => {
  let certificates: TestCertificates;
  let folder: string;
  const file = (name: string): string => join(folder, name);

  before(async () => {
    certificates = await testCertificates();
    folder = await mkdtemp(join(tmpdir(), "holdfast-network-"));
    const { ca, client } = certificates;
    await writeFile(file("ca.pem"), ca);
    await writeFile(file("cert.pem"), client.cert);
    await writeFile(file("key.pem"), client.key);
  });
  after(() => rm(folder, { recursive: true }));

  test("K: --proxy uses an HTTP proxy, and reports its refusal", async () => {
    await using server = await serve(echo, { host: "127.0.0.1" });
    await using proxy = await TunnelProxy.start();
    const words = ["ping", "-c", "1", "--proxy", `http://127.0.0.1:${proxy.port}`, server.url];
    assert.equal((await runCommand(words, "", PROXIED)).code, 0);
    assert.equal(proxy.requests.length, 1);
    await using locked = await TunnelProxy.start({ userInfo: "ada:secret" });
    const refused = ["ping", "-c", "1", "--proxy", `http://127.0.0.1:${locked.port}`, server.url];
    const { code, stderr } = await runCommand(refused, "", PROXIED);
    assert.equal(code, 2);
    assert.match(stderr, /407/);
  });

  test("K: --proxy uses a SOCKS proxy", async () => {
    await using server = await serve(echo, { host: "127.0.0.1" });
    await using proxy = await SocksServer.start();
    const words = ["ping", "-c", "1", "--proxy", `socks5://127.0.0.1:${proxy.port}`, server.url];
    assert.equal((await runCommand(words, "", PROXIED)).code, 0);
    assert.equal(proxy.requests.length, 1);
  });

  test("K: --ca trusts a certificate that is refused without it", async () => {
    await using server = await serve(echo, { tls: certificates.server });
    const words = ["ping", "-c", "1", server.url];
    const { code, stderr } = await runCommand(words);
    assert.equal(code, 2);
    assert.match(stderr, /certificate/i);
    assert.equal((await runCommand([...words, "--ca", file("ca.pem")])).code, 0);
  });

  test("K: --cert and --key identify the client to the server", async () => {
    const tls = { ...certificates.server, ca: certificates.ca, requestCert: true, rejectUnauthorized: true };
    await using server = await serve(echo, { tls });
    const words = ["ping", "-c", "1", "--ca", file("ca.pem"), server.url];
    assert.equal((await runCommand(words)).code, 2);
    const known = await runCommand([...words, "--cert", file("cert.pem"), "--key", file("key.pem")]);
    assert.equal(known.code, 0, known.stderr);
  });

  test("K: files that are no certificate and key are a usage error, in each verb that takes them", async () => {
    for (const words of [
      ["serve", "0"],
      ["doctor", "wss://127.0.0.1:1"],
    ]) {
      const files = ["--cert", file("key.pem"), "--key", file("cert.pem")];
      const { code, stdout, stderr } = await runCommand([...words, ...files]);
      assert.deepEqual([code, stdout], [2, ""]);
      assert.match(stderr, /^holdfast: Expected `--cert` and `--key` to be PEM that fits, got .+\.\nSee /);
    }
  });

  test("K: connect --heartbeat disconnects from a peer that does not answer pings, with 3", async () => {
    await using server = await serve(echo, { host: "127.0.0.1", autoPong: false });
    const words = ["connect", "--heartbeat", "200ms", "--wait", "10s", server.url];
    const { code, stderr } = await runCommand(words, "hello\n");
    assert.equal(code, 3);
    assert.match(stderr, /200 ms|0\.2 s/);
  });
});
