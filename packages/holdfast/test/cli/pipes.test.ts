// `holdfast connect` in pipes: lines, bytes, messages on the command line, and lost connections.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, existsSync, openSync } from "node:fs";
import { describe, test } from "node:test";
import { serve, type ConnectionHandler, type Message, type ServeOptions, type Server } from "holdfast";
import { eventually, slowness } from "holdfast-testkit";
import { ANSWERS, Command, MAIN, runBinary, runCommand } from "./command.js";

const echo: ConnectionHandler = (connection) => connection.forEach((message) => connection.send(message));

interface Recording {
  readonly server: Server;
  readonly messages: Message[];
}

/** An echo server that records its messages. */
async function recorder(options: ServeOptions = {}): Promise<Recording> {
  const messages: Message[] = [];
  const server = await serve(
    (connection) =>
      connection.forEach((message) => {
        messages.push(typeof message === "string" ? message : Uint8Array.from(message));
        return connection.send(message);
      }),
    { host: "127.0.0.1", ...options },
  );
  return { server, messages };
}

const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);

describe("Bytes in a pipe", () => {
  test("K: a line is sent with exactly its bytes, as a binary message if it is not UTF-8", async () => {
    const { server, messages } = await recorder();
    await using _ = server;
    const input = Buffer.concat([
      Buffer.from("text é\r\n"),
      bytes(0x00, 0xff, 0xfe, 0x0d, 0x0a),
      Buffer.from("\u2028one line\n"),
      bytes(0xc3, 0x0a),
      bytes(0x80),
    ]);
    const { code, stdout, stderr } = await runBinary(["connect", "--wait", ANSWERS, server.url], input);
    assert.deepEqual(messages, [
      "text é\r",
      bytes(0, 0xff, 0xfe, 0x0d),
      "\u2028one line",
      bytes(0xc3),
      bytes(0x80),
    ]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.deepEqual(stdout, Buffer.concat([input, Buffer.from("\n")]));
  });

  test("K: connect --binary sends and prints bytes as they are, with nothing between messages", async () => {
    await using server = await serve(echo, { host: "127.0.0.1" });
    const input = randomBytes(300_000);
    const { code, stdout, stderr } = await runBinary(
      ["connect", "--binary", "--wait", ANSWERS, server.url],
      input,
    );
    assert.deepEqual([code, stderr], [0, ""]);
    assert(stdout.equals(input), `${stdout.length} bytes came back`);
  });

  test("K: connect --binary sends each read at once, while the pipe stays open", async () => {
    const { server, messages } = await recorder();
    await using _ = server;
    const command = new Command(["connect", "--binary", "--wait", "100", server.url]);
    command.type(bytes(1, 10, 255));
    await eventually(() => command.stdoutBytes.length === 3, "the echo", 30_000);
    assert.deepEqual(messages, [bytes(1, 10, 255)]);
    command.endInput();
    assert.equal((await command.ended()).code, 0);
  });

  test("K: connect --binary=SIZE cuts the input into messages of that size", async () => {
    const { server, messages } = await recorder();
    await using _ = server;
    const input = randomBytes(2500);
    const words = ["connect", "--binary=1k", "--wait", ANSWERS, server.url];
    assert.deepEqual((await runBinary(words, input)).stdout, input);
    assert.deepEqual(
      messages.map(({ length }) => length),
      [1024, 1024, 452],
    );
  });

  test("K: connect --binary=all sends the input as one message", async () => {
    const { server, messages } = await recorder();
    await using _ = server;
    const input = randomBytes(300_000);
    const words = ["connect", "--binary=all", "--wait", ANSWERS, server.url];
    assert((await runBinary(words, input)).stdout.equals(input));
    assert.deepEqual(messages, [Uint8Array.from(input)]);
    assert.deepEqual((await runBinary(words, Buffer.alloc(0))).stdout, Buffer.alloc(0));
    assert.equal(messages.length, 1, "an empty input is no message");
  });

  test("K: connect --json shows bytes in base64, so that none is lost", async () => {
    await using server = await serve(echo, { host: "127.0.0.1" });
    const { stdout } = await runBinary(
      ["connect", "--json", "--wait", ANSWERS, server.url],
      bytes(0xff, 0x0a),
    );
    const [, message] = stdout.toString().split("\n");
    const { type, base64 } = JSON.parse(message) as Record<string, unknown>;
    assert.deepEqual({ type, base64 }, { type: "binary", base64: "/w==" });
  });

  test(
    "K: output that cannot be written is an error in one line, with exit code 1",
    { skip: !existsSync("/dev/full") },
    async () => {
      await using server = await serve((connection) =>
        connection.forEach((message) => connection.send(message)),
      );
      const full = openSync("/dev/full", "w");
      for (const words of [
        ["--help"],
        ["ping", "-c", "1", server.url],
        ["connect", "-x", "hi", server.url],
      ]) {
        const child = spawn(process.execPath, [MAIN, ...words], { stdio: ["ignore", full, "pipe"] });
        let stderr = "";
        child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
        const [code] = (await once(child, "close")) as [number | null];
        assert.equal(code, 1, words.join(" "));
        assert.match(stderr, /^holdfast: The output could not be written: ENOSPC[^\n]*\.\n$/);
      }
      closeSync(full);
    },
  );

  test("K: a long message is not cut in a pipe", async () => {
    const text = "x".repeat(100_000);
    await using server = await serve((connection) => connection.send(text), { host: "127.0.0.1" });
    assert.equal((await runCommand(["connect", server.url])).stdout, `${text}\n`);
  });

  test("K: an invalid size for --binary is a usage error", async () => {
    const { code, stderr } = await runCommand(["connect", "--binary=soon", "ws://127.0.0.1:1"]);
    assert.equal(code, 2);
    assert.match(
      stderr,
      /Expected `--binary` to have no value, a number of bytes such as 4k, or "all", got "soon"/,
    );
  });
});

describe("Messages on the command line", () => {
  test("K: connect --execute sends its messages and waits for answers, without reading stdin", async () => {
    await using server = await serve(echo, { host: "127.0.0.1" });
    const words = ["connect", "-x", "one", "--execute", "/two", "--wait", ANSWERS, server.url];
    const command = new Command(words); // Its stdin stays open.
    const { code, stdout, stderr } = await command.ended();
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: "one\n/two\n", stderr: "" });
  });

  test("K: connect --execute --wait off stays until the server closes", async () => {
    await using server = await serve(
      async (connection) => {
        await connection.recv();
        await connection.send("first");
        await new Promise((resolve) => setTimeout(resolve, 1500));
        await connection.send("last");
      },
      { host: "127.0.0.1" },
    );
    const command = new Command(["connect", "-x", "go", "--wait", "off", server.url]);
    assert.deepEqual(await command.ended(), { code: 0, stdout: "first\nlast\n", stderr: "" });
  });

  test("K: --auth logs in with Basic authentication, from every verb, and its errors show no password", async () => {
    const seen: (string | null)[] = [];
    await using server = await serve(echo, {
      host: "127.0.0.1",
      onRequest: (request) => {
        seen.push(request.headers.get("Authorization"));
        return null;
      },
    });
    const auth = ["--auth", "ada:sécret:x"];
    assert.equal(
      (await runCommand(["connect", ...auth, "-x", "hi", "--wait", ANSWERS, server.url])).stdout,
      "hi\n",
    );
    assert.equal((await runCommand(["ping", "-c", "1", ...auth, server.url])).code, 0);
    const expected = `Basic ${Buffer.from("ada:sécret:x").toString("base64")}`;
    assert.deepEqual(seen, [expected, expected]);
    for (const words of [
      ["--auth", "secret"],
      [...auth, "-H", "authorization: Bearer t"],
    ]) {
      const { code, stderr } = await runCommand(["connect", ...words, server.url]);
      assert.equal(code, 2);
      assert.match(stderr, /--auth/);
      assert.doesNotMatch(stderr, /secret|sécret/);
    }
  });

  test("K: --max-message-size bounds what a client and a server accept", async () => {
    await using server = await serve((connection) => connection.send("x".repeat(2000)), {
      host: "127.0.0.1",
    });
    const small = await runCommand(["connect", "--max-message-size", "1k", server.url]);
    assert.equal(small.code, 1);
    assert.match(small.stderr, /1024/);
    const large = await runCommand(["connect", "--max-message-size", "2k", server.url]);
    assert.deepEqual([large.code, large.stdout.length], [0, 2001]);
    const strict = new Command(["serve", "0", "--max-message-size", "1000"]);
    const url = await strict.printed(/ws:\S+/);
    const { code, stderr } = await runCommand(["connect", url], `${"x".repeat(1001)}\n`);
    assert.equal(code, 1);
    assert.match(stderr, /1009/);
    strict.kill("SIGINT");
    await strict.ended();
  });
});

describe("A connection that is lost", () => {
  test("K: connect --reconnect reconnects, sends --execute again, and prints the reason on stderr", async () => {
    let count = 0;
    await using server = await serve(
      async (connection) => {
        count++;
        const message = await connection.recv();
        await connection.send(`${String(message)} ${count}`);
        await connection.ping(); // The client has read it.
        if (count === 1) connection.terminate();
        else await connection.closed;
      },
      { host: "127.0.0.1" },
    );
    const command = new Command([
      "connect",
      "--reconnect",
      "-x",
      "hello",
      "--wait",
      `${2 * slowness()}s`,
      server.url,
    ]);
    const { code, stdout, stderr } = await command.ended();
    assert.deepEqual([code, count, stdout], [0, 2, "hello 1\nhello 2\n"], stderr);
    assert.match(stderr, /^holdfast: The TCP connection was ended .*without a closing handshake/);
  });

  test("K: connect --reconnect pauses the pipe while there is no connection, and loses no line", async () => {
    const { server, messages } = await recorder();
    const { port } = server;
    const command = new Command(["connect", "--reconnect", "--wait", ANSWERS, server.url]);
    command.type("one\n");
    await command.printed(/one/);
    await server.close();
    await eventually(() => command.stderr.includes("The peer is going away"), "the end on stderr", 30_000);
    command.type("two\nthree\n");
    command.endInput();
    const again = await recorder({ port });
    await using _ = again.server;
    const { code, stdout, stderr } = await command.ended();
    assert.deepEqual(
      [messages, again.messages, stdout],
      [["one"], ["two", "three"], "one\ntwo\nthree\n"],
      stderr,
    );
    assert.equal(code, 0);
  });

  test("K: connect --reconnect exits with 1 if a retry cannot help", async () => {
    await using server = await serve(echo, {
      host: "127.0.0.1",
      onRequest: () => new Response("no", { status: 403 }),
    });
    const { code, stderr } = await runCommand(["connect", "--reconnect", server.url]);
    assert.equal(code, 1);
    assert.match(stderr, /^holdfast: .*403/);
  });

  test("K: Ctrl-C ends connect --reconnect while it waits for the server", async () => {
    const { server } = await recorder();
    const command = new Command(["connect", "--reconnect", server.url]);
    await eventually(() => server.connections.size === 1, "the connection", 30_000);
    await server.close();
    await eventually(() => command.stderr !== "", "the end on stderr", 30_000);
    command.kill("SIGINT");
    assert.equal((await command.ended()).code, 130);
  });
});
