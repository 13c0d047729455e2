// The output of the verbs, as text and JSON, if a connection cannot be opened, is lost, or is closed by the server.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo, type Server as TcpServer } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { afterEach, describe, test } from "node:test";
import { serve, type ConnectionHandler } from "holdfast";
import { eventually, testCertificates, TunnelProxy } from "holdfast-testkit";
import { Command, runCommand } from "./command.js";

const echo: ConnectionHandler = (connection) => connection.forEach((message) => connection.send(message));

const objects = (stdout: string): Record<string, unknown>[] =>
  stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("A scheme that does not fit the port", () => {
  const NO_TLS = /Does the server speak TLS on this port\? For plain WebSockets use ws:/;
  const verbs = [
    ["connect", 1],
    ["ping", 2],
    ["doctor", 1],
  ] as const;

  for (const [verb, exitCode] of verbs) {
    test(`K: ${verb} with wss: to a plain port says that the server speaks no TLS`, async () => {
      await using server = await serve(echo, { host: "127.0.0.1" });
      const { code, stdout, stderr } = await runCommand([verb, server.url.replace("ws:", "wss:")]);
      assert.equal(code, exitCode);
      assert.match(stdout + stderr, NO_TLS);
    });

    test(`K: ${verb} with ws: to a port of TLS says which URL to use`, async () => {
      const { server: tls } = await testCertificates();
      await using server = await serve(echo, { host: "127.0.0.1", tls });
      const { code, stdout, stderr } = await runCommand([verb, `ws://127.0.0.1:${server.port}/`]);
      assert.equal(code, exitCode);
      const advice = `The server speaks TLS on this port: use wss://127.0.0.1:${server.port}/`;
      assert((stdout + stderr).includes(advice), stdout + stderr);
    });

    test(`K: ${verb} says so, too, if a proxy is on the way`, async () => {
      const { server: tls } = await testCertificates();
      await using server = await serve(echo, { host: "127.0.0.1", tls });
      await using proxy = await TunnelProxy.start();
      const words = [verb, "--proxy", proxy.url(), `ws://127.0.0.1:${server.port}/`];
      const { stdout, stderr } = await runCommand(words);
      assert.match(stdout + stderr, /The server speaks TLS on this port: use wss:/);
    });
  }

  test("K: watch prints both on stderr, once", async () => {
    const { server: tls } = await testCertificates();
    await using plain = await serve(echo, { host: "127.0.0.1" });
    await using secure = await serve(echo, { host: "127.0.0.1", tls });
    const cases = [
      [plain.url.replace("ws:", "wss:"), NO_TLS],
      [`ws://127.0.0.1:${secure.port}/`, /The server speaks TLS on this port: use wss:/],
    ] as const;
    for (const [url, advice] of cases) {
      const command = new Command(["watch", url]);
      await eventually(() => advice.test(command.stderr), "the advice", 30_000);
      command.kill("SIGINT");
      const { stderr } = await command.ended();
      assert.equal(stderr.match(new RegExp(advice, "g"))?.length, 1, stderr);
    }
  });

  test("K: if a TLS server answers a plain request with an alert or 400, connect gives the same advice", async (t) => {
    const { server: tls } = await testCertificates();
    const answers = [
      Buffer.from([0x15, 3, 1, 0, 2, 2, 70]),
      Buffer.from(
        "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nThe plain HTTP request was sent to HTTPS port",
      ),
    ];
    for (const answer of answers) {
      const server = await plainAnswer(createTlsServer(tls), answer);
      t.after(() => server.close());
      const { port } = server.address() as AddressInfo; // It listens on TCP.
      const { stderr } = await runCommand(["connect", `ws://127.0.0.1:${port}/`]);
      assert.match(stderr, /The server speaks TLS on this port: use wss:/);
    }
  });

  test("K: no such advice for a server that ends the connection and does not speak TLS", async (t) => {
    const server = createServer((socket) => socket.end()).listen(0, "127.0.0.1");
    t.after(() => server.close());
    await once(server, "listening");
    const { port } = server.address() as AddressInfo; // It listens on TCP.
    const { stderr } = await runCommand(["connect", `ws://127.0.0.1:${port}/`]);
    assert.match(stderr, /^holdfast: /);
    assert.doesNotMatch(stderr, /TLS/);
  });
});

/** A proxy before a TLS server: gives the answer if the first byte does not start a TLS handshake. */
async function plainAnswer(tls: TcpServer, answer: Uint8Array): Promise<TcpServer> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("readable", () => {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) return;
      if (chunk[0] !== 0x16) {
        socket.end(answer);
        return;
      }
      socket.unshift(chunk);
      tls.emit("connection", socket);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

describe("JSON of the verbs", () => {
  test("K: connect, watch and ping print `disconnected` and `ready` in one shape", async () => {
    const shapes = new Map<string, Record<string, unknown>>();
    for (const words of [["connect", "--json"], ["watch"], ["ping", "--json", "-i", "0.1"]]) {
      await using server = await serve((connection) => connection.close(1013, "full"), { host: "127.0.0.1" });
      const command = new Command([...words, server.url]);
      await command.printed(/"disconnected".*\n/);
      command.kill("SIGINT");
      for (const event of objects((await command.ended()).stdout)) {
        const { type } = event as { type: string };
        if (type !== "disconnected" && type !== "ready") continue;
        const known = shapes.get(type) ?? event;
        shapes.set(type, known);
        assert.deepEqual(Object.keys(event), Object.keys(known), words[0]);
      }
    }
    const { code, reason, cause, info, explanation } = shapes.get("disconnected") ?? {};
    const { message, ...rest } = info as Record<string, unknown>;
    assert.deepEqual([code, reason, cause, rest["code"]], [1013, "full", "peer-close", 1013]);
    assert.equal(message, "received 1013 (try again later) full; then sent 1013 (try again later) full");
    assert.match(String(explanation), /try again later/);
  });

  for (const [verb, expected] of [
    ["connect", 1],
    ["ping", 2],
  ] as const) {
    test(`K: ${verb} --json prints \`disconnected\` for a connection that never opened as well`, async () => {
      const { code, stdout } = await runCommand([verb, "--json", "ws://127.0.0.1:1/"]);
      const [event, ...more] = objects(stdout);
      assert.deepEqual(
        [code, event["type"], event["cause"], more],
        [expected, "disconnected", "refused", []],
      );
    });
  }
});

describe("A server that restarts", () => {
  test("K: ping continues across a restart, reports it, and counts pings without a connection as lost", async () => {
    let server = await serve(echo, { host: "127.0.0.1" });
    const { port } = server;
    const command = new Command(["ping", "-i", "0.2", server.url]);
    await command.printed(/seq=2 time/);
    await server.close();
    await command.printed(/disconnected: The peer is going away .* Next attempt in [\d.]+ s\.\n/);
    await command.printed(/lost: no connection\n/);
    server = await serve(echo, { host: "127.0.0.1", port });
    await command.printed(/connected again: ws:\S+ \(127\.0\.0\.1\)\nseq=\d+ time/);
    command.kill("SIGINT");
    const { code, stdout, stderr } = await command.ended();
    await server.close();
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /answered, [1-9][\d.]* % lost, 1 reconnect\n/);
    const sequence = [...stdout.matchAll(/^seq=(\d+)/gm)].map(([, number]) => Number(number));
    assert.deepEqual(
      [...sequence].sort((a, b) => a - b),
      sequence.map((_, index) => index + 1),
      "no number is missing or twice",
    );
  });

  test("K: ping -c counts the pings without a connection, and the run ends", async () => {
    const server = await serve(echo, { host: "127.0.0.1" });
    const command = new Command(["ping", "-c", "8", "-i", "0.2", "--json", server.url]);
    await command.printed(/"pong"/);
    await server.close();
    const { code, stdout } = await command.ended();
    const { type, sent, reconnects } = objects(stdout).at(-1) ?? {};
    assert.deepEqual([code, type, sent, reconnects], [0, "summary", 8, 0]);
  });

  test("K: ping exits with 2 if the server permanently refuses to reconnect", async () => {
    let isWelcome = true;
    await using server = await serve((connection) => connection.ping().then(() => connection.terminate()), {
      host: "127.0.0.1",
      onRequest: () => {
        const wasWelcome = isWelcome;
        isWelcome = false;
        return wasWelcome ? null : new Response("no", { status: 403 });
      },
    });
    const { code, stdout, stderr } = await runCommand(["ping", "-i", "0.1", server.url]);
    assert.equal(code, 2);
    assert.match(stdout, /pings? sent/);
    assert.match(stderr, /403/);
    isWelcome = true;
    const outcome = await runCommand(["ping", "-i", "0.1", "--json", server.url]);
    const [end, summary] = objects(outcome.stdout).slice(-2);
    assert.deepEqual([outcome.code, end?.["cause"], summary?.["type"]], [2, "rejected", "summary"]);
  });
});

describe("The end of holdfast serve", () => {
  let command: Command | null = null;
  afterEach(() => command?.kill("SIGKILL"));

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    test(`K: serve closes its connections with 1001 on ${signal}, reports that, and exits with 0`, async () => {
      command = new Command(["serve", "0"]);
      const url = await command.printed(/ws:\S+/);
      const client = new Command(["connect", "--json", "--wait", "off", url]);
      await client.printed(/"ready"/);
      command.kill(signal);
      const { code, stderr } = await command.ended();
      assert.equal(code, 0);
      assert.match(stderr, /^closing 1 connection with 1001$/m);
      const { code: clientCode, stdout } = await client.ended();
      const { type, code: closeCode } = objects(stdout).at(-1) ?? {};
      assert.deepEqual([clientCode, type, closeCode], [0, "disconnected", 1001]);
    });
  }

  test("K: serve exits with 0 on SIGTERM within its grace, also with a client that never answers", async () => {
    command = new Command(["serve", "0", "--stall-reads"]);
    const url = await command.printed(/ws:\S+/);
    const client = new Command(["connect", "--wait", "off", url]);
    await eventually(() => command?.stderr.includes(" open: ") === true, "the connection", 30_000);
    command.kill("SIGTERM");
    assert.equal((await command.ended()).code, 0);
    client.kill("SIGKILL");
  });
});
