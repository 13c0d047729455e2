import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { serve } from "holdfast";
import { inAttempts, RawServer, testCertificates, TunnelProxy } from "holdfast-testkit";
import { Command, normalised, runCommand } from "./command.js";

interface Told {
  readonly type: string;
  readonly text?: string;
  readonly explanation?: string;
}

describe("holdfast watch", () => {
  test("K: watch prints each event as JSON, across a lost connection too, until Ctrl-C closes with 1000", async () => {
    let count = 0;
    const closed: Promise<unknown>[] = [];
    await using server = await serve((connection) => {
      closed.push(connection.closed.then(({ message }) => message));
      count++;
      void connection.send(`number ${count}`).then(() => {
        if (count === 1) connection.terminate();
      });
    });
    const command = new Command(["watch", server.url]);
    await command.printed(/number 2/);
    command.kill("SIGINT");
    const { code, stdout, stderr } = await command.ended();
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Told);
    assert.deepEqual({ code, stderr }, { code: 130, stderr: "" });
    const grammar = ["connecting", "connected", "ready", "disconnected", "backOff"];
    const shown = events.map(({ type }) => type).filter((type) => grammar.includes(type));
    assert.deepEqual(shown, [...grammar, ...grammar.slice(0, 4)]);
    assert.match(
      events.find(({ type }) => type === "disconnected")?.explanation ?? "",
      /no close frame received/,
    );
    assert.equal(await closed[1], "received 1000 (OK); then sent 1000 (OK)");
  });

  test("K: watch stops at an answer that a retry cannot change, with exit code 1", async () => {
    await using server = await serve(() => undefined, {
      onRequest: () => new Response("no", { status: 403 }),
    });
    const { code, stdout } = await runCommand(["watch", server.url]);
    const types = stdout
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as Told).type);
    assert.deepEqual(
      { code, types },
      { code: 1, types: ["connecting", "connected", "rejected", "disconnected"] },
    );
  });
});

describe("holdfast doctor", () => {
  test("K: doctor reports a healthy connection, step by step", async () => {
    await using server = await serve((connection) => connection.forEach(() => undefined), {
      host: "127.0.0.1",
    });
    const { code, stdout, stderr } = await runCommand(["doctor", "--idle", "0.3", server.url]);
    const text = normalised(stdout)
      .replaceAll(/\(\d+\.\d ms\)|\(T ms\)/g, "(T)")
      .replaceAll(/idle for 0\.\d/g, "idle for S");
    assert.deepEqual(
      { code, text, stderr },
      {
        code: 0,
        text: `ok    DNS         127.0.0.1 is 127.0.0.1 (T)
ok    TCP         connected to 127.0.0.1 port N (T)
ok    upgrade     101; subprotocol none; extensions none (T)
ok    latency     min/avg/max/jitter T/T/T/T ms of 10 pings
ok    closing     sent 1000 (OK); then received 1000 (OK) (T)
ok    idle        connections idle for S s stay open
`,
        stderr: "",
      },
    );
  });

  test("K: doctor waits for each step for --open-timeout at most, and reports that", async () => {
    await using silent = await RawServer.start({}, () => undefined);
    const words = ["doctor", "--open-timeout", "0.3", "--idle", "off", `wss://127.0.0.1:${silent.port}/`];
    const { code, stdout } = await runCommand(words);
    assert.equal(code, 1);
    assert.match(stdout, /FAIL {2}TLS {9}the handshake failed: no answer within 0\.3 s\n/);
  });

  test("K: doctor does not doubt that a server speaks TLS which answers with an alert", async () => {
    const alert = new Uint8Array([0x15, 3, 3, 0, 2, 2, 112]); // unrecognized_name
    await using server = await RawServer.start({}, (peer) => peer.write(alert));
    const { code, stdout } = await runCommand(["doctor", `wss://127.0.0.1:${server.port}/`]);
    assert.equal(code, 1);
    assert.match(stdout, /does not know the host name that this client sent/);
    assert.doesNotMatch(stdout, /Does the server speak TLS/);
  });

  test("K: doctor names the proxy of the environment, and leaves DNS to it", async () => {
    await using server = await serve(() => undefined, { host: "127.0.0.1" });
    await using proxy = await TunnelProxy.start();
    const words = ["doctor", "--idle", "off", server.url];
    const { code, stdout } = await runCommand(words, "", { NO_PROXY: "", http_proxy: proxy.url() });
    assert.equal(code, 0);
    assert.match(stdout, /^ok {4}proxy {7}http_proxy names one: .*\nok {4}upgrade/);
    assert.equal(proxy.requests.length, 1);
  });

  test("K: doctor does not call a certificate that --insecure accepts a failure", async () => {
    const { untrusted } = await testCertificates();
    await using server = await serve((connection) => connection.closed, { tls: untrusted });
    const { code, stdout } = await runCommand(["doctor", "--insecure", "--idle", "off", server.url]);
    assert.equal(code, 0);
    assert.match(stdout, /warn {2}certificate DEPTH_ZERO_SELF_SIGNED_CERT; valid until /);
    assert.doesNotMatch(stdout, /FAIL/);
  });

  test("K: doctor offers HTTP/1.1 over TLS, as connect does", async () => {
    const tls = { ...(await testCertificates()).server, ALPNProtocols: ["http/1.1"] };
    await using server = await serve((connection) => connection.closed, { tls });
    const { stdout } = await runCommand(["doctor", "--insecure", "--idle", "off", server.url]);
    assert.match(stdout, /ok {4}TLS {9}TLSv1\.3, .*, http\/1\.1 /);
  });

  test("K: doctor explains why a server closes at once", async () => {
    await using server = await serve((connection) => connection.close(1008, "no way"));
    const { code, stdout } = await runCommand(["doctor", "--idle", "off", server.url]);
    assert.equal(code, 1);
    assert.match(stdout, /FAIL {2}latency {5}\d+ pings answered, then the connection ended: .*1008 .*no way/);
    assert.doesNotMatch(stdout, /hangs/);
  });

  test("K: doctor and connect show the server's reason for 400", async () => {
    await using server = await serve(() => undefined, { subprotocols: ["x"], requireSubprotocol: true });
    for (const words of [["doctor"], ["connect"]]) {
      const { code, stdout, stderr } = await runCommand([...words, server.url]);
      assert.equal(code, 1);
      assert.match(
        stdout + stderr,
        /The answer: Expected Sec-WebSocket-Protocol to offer one of "x", got none\./,
      );
    }
  });

  test("K: of a page of HTML, doctor shows the text, and of a refusal no Close frames", async () => {
    const body =
      "<head>\n<title>503 no</title><style>b { color: red }</style></head>\n<h1>503 no</h1>\n<p>Try later.";
    await using server = await serve(() => undefined, {
      onRequest: () => new Response(body, { status: 503, headers: { "Content-Type": "text/html" } }),
    });
    const { stdout } = await runCommand(["doctor", "--idle", "off", server.url]);
    assert.match(stdout, /\n {18}The answer: 503 no Try later\.\n$/);
    assert.doesNotMatch(stdout, /close frame/);
  });

  test("K: doctor treats a URL that connect rejects as a usage error", async () => {
    for (const url of ["ftp://127.0.0.1/", "ws://127.0.0.1/#part"]) {
      const { code, stdout, stderr } = await runCommand(["doctor", url]);
      assert.deepEqual([code, stdout], [2, ""]);
      assert.match(stderr, /^holdfast: Expected a URL with/);
    }
  });

  test("K: doctor counts the idle connections that the server refused", async () => {
    let requests = 0;
    const onRequest = () => (++requests > 2 ? new Response("enough", { status: 429 }) : undefined);
    await using server = await serve((connection) => connection.closed, { onRequest });
    const { code, stdout } = await runCommand(["doctor", "--idle", "2.5", server.url]);
    assert.equal(code, 0);
    assert.match(
      stdout,
      /warn {2}idle {8}connections idle for \d\.\d s stay open; 1 of the 2 connections of this test did not open: .*429/,
    );
  });

  test("K: doctor measures the longest silence of connections on which the server pings", async () => {
    await using server = await serve((connection) => connection.closed, { pingInterval: 100 });
    await inAttempts(async () => {
      const { stdout } = await runCommand(["doctor", "--idle", "1.9", server.url]);
      return /connections stay open for \d\.\d s; the server sends something at least every/.test(stdout);
    }, "the pings of the server");
  });

  test("K: doctor does not take a server's restart for an idle timeout", async () => {
    let connections = 0;
    await using server = await serve((connection) => {
      if (++connections > 1) setTimeout(() => void server.close(), 300);
      return connection.closed;
    });
    const { code, stdout } = await runCommand(["doctor", "--idle", "3", server.url]);
    assert.equal(code, 0);
    assert.match(stdout, /warn {2}idle {8}the server closed the connections after \d\.\d s \(received 1001/);
    assert.doesNotMatch(stdout, /are cut after/);
  });

  test("K: doctor finds the idle timeout, and recommends a pingInterval", async () => {
    // The doctor's first connection is not idle: it has already ended.
    await using server = await serve(
      (connection) => {
        const timer = setTimeout(() => connection.terminate(), 700);
        void connection.closed.then(() => clearTimeout(timer));
      },
      { pingInterval: null },
    );
    await inAttempts(async () => {
      const { code, stdout } = await runCommand(["doctor", "--idle", "5", server.url]);
      if (code === 1) return false; // The doctor's first connection was still in use after 0.7 s.
      assert.equal(code, 0, stdout);
      const [, seconds = ""] =
        /warn {2}idle {8}idle connections are cut after (\d\.\d) s \(no close frame/.exec(stdout) ?? [];
      assert.match(seconds, /\d/, stdout);
      if (Number(seconds) >= 2) return false; // The doctor's process saw the end late.
      assert.match(seconds, /^(?:0\.[6-9]|1\.\d)$/);
      assert.match(stdout, /Set `pingInterval` to [2-9]00 or less/);
      return true;
    }, "the idle timeout of 0.7 s");
  });

  test("K: doctor detects a peer that does not answer pings", async () => {
    await using server = await serve(() => undefined, { autoPong: false });
    const { code, stdout } = await runCommand(["doctor", "--idle", "off", server.url]);
    assert.equal(code, 1);
    assert.match(stdout, /FAIL {2}latency {5}0 pings answered, then no pong arrived within 5 s/);
  });

  test("K: doctor reports invalid certificates, and that nothing listens", async (t) => {
    const { ca, expired } = await testCertificates();
    const folder = await mkdtemp(join(tmpdir(), "holdfast-doctor-"));
    t.after(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, "ca.pem"), ca);
    const server = await serve(() => undefined, { tls: expired });
    const words = ["doctor", "--idle", "off", "--ca", join(folder, "ca.pem"), server.url];
    const outcome = await runCommand(words);
    assert.equal(outcome.code, 1);
    assert.match(outcome.stdout, /FAIL {2}certificate CERT_HAS_EXPIRED; valid until /);
    await server.close();
    const refused = await runCommand(words);
    assert.equal(refused.code, 1);
    assert.match(refused.stdout, /FAIL {2}TCP {9}no connection to localhost port \d+: /);
  });

  test("K: doctor reports a server with HTTP only or without TLS, and an unknown name", async (t) => {
    const server = createServer((_request, response) => response.end("hello")).listen(0, "127.0.0.1");
    t.after(() => server.close());
    await once(server, "listening");
    const { port } = server.address() as AddressInfo; // It listens on TCP.
    const findings = [
      [`ws://127.0.0.1:${port}`, /FAIL {2}upgrade {5}.*got 200 OK/],
      [
        `wss://127.0.0.1:${port}`,
        /FAIL {2}TLS {9}the handshake failed: [^\\\n]*\n.*For plain WebSockets use ws:/,
      ],
      ["ws://unknown.invalid", /FAIL {2}DNS {9}unknown\.invalid could not be resolved/],
    ] as const;
    for (const [url, finding] of findings) {
      const { code, stdout } = await runCommand(["doctor", "--idle", "off", url]);
      assert.equal(code, 1);
      assert.match(stdout, finding);
    }
  });

  test("K: doctor names the host of a certificate that belongs to another host", async () => {
    const { wrongHost } = await testCertificates();
    await using server = await serve(() => undefined, { tls: wrongHost });
    const { code, stdout } = await runCommand(["doctor", "--idle", "off", server.url]);
    assert.equal(code, 1);
    assert.match(stdout, /FAIL {2}certificate .*; valid until .*, for DNS:elsewhere\.test\. /);
  });
});
