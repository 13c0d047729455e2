import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Program } from "./program.js";

/** The URL at which a server listens, which it prints. */
async function urlOf(server: Program): Promise<string> {
  const [, port = ""] = await server.prints(/Listening on ws:\/\/\S+:(\d+)/);
  return `ws://127.0.0.1:${port}`;
}

describe("Examples", { concurrency: 2 }, () => {
  test("Examples: each one says in its head how to run it, and the index lists it", () => {
    const folder = fileURLToPath(new URL("../../src/", import.meta.url));
    const index = readFileSync(fileURLToPath(new URL("../../README.md", import.meta.url)), "utf8");
    const names = readdirSync(folder).filter((name) => name.endsWith(".ts"));
    assert.ok(names.length > 0);
    for (const file of names) {
      const name = file.replace(/\.ts$/, "");
      assert.match(
        readFileSync(`${folder}${file}`, "utf8"),
        new RegExp(`^// {3}npm run example -- ${name}`, "m"),
      );
      assert.ok(index.includes(`(src/${file})`), `README.md does not list ${file}`);
    }
  });

  test("Examples: echo-server echoes, and says goodbye with 1001 on Ctrl-C", async () => {
    await using server = new Program("echo-server", "0");
    const url = await urlOf(server);
    await using client = new Program("heartbeat-client", url);
    await client.prints(/Connected/);
    client.type("Grüße");
    await client.prints(/^< Grüße$/m);
    server.signal("SIGINT");
    const { status, output } = await server.ended;
    assert.equal(status, 0, output);
    assert.match(output, /ended: sent 1001 \(going away\) Ctrl-C; then received 1001/);
    assert.equal((await client.ended).status, 0);
  });

  test("Examples: heartbeat-client talks, measures, and leaves at the end of its input, with a heartbeat or without", async () => {
    await using server = new Program("echo-server", "0");
    const url = await urlOf(server);
    for (const flags of [[], ["--heartbeat", "--interval", "20", "--timeout", "10000"]]) {
      await using client = new Program("heartbeat-client", url, ...flags);
      await client.prints(/Connected to ws:/);
      client.type("one");
      client.type("two");
      await client.prints(/^< one\n< two$/m);
      client.endInput();
      const { status, output, errors } = await client.ended;
      assert.deepEqual([status, errors], [0, ""], output);
      assert.match(output, /^Latency: \d+\.\d ms$/m);
    }
    server.signal("SIGINT");
    assert.equal((await server.ended).status, 0);
  });

  test("C17: heartbeat-client --heartbeat gives up when the server stops, and exits with 1", async () => {
    await using server = new Program("echo-server", "0");
    const url = await urlOf(server);
    await using client = new Program(
      "heartbeat-client",
      url,
      "--heartbeat",
      "--timeout=1500",
      "--interval=50",
    );
    client.type("one");
    await client.prints(/^< one$/m);
    server.signal("SIGSTOP"); // Its kernel goes on: the connection looks healthy.
    const { status, errors } = await client.ended;
    assert.equal(status, 1);
    assert.match(errors, /^Too slow: Expected the pong of a ping within 1500 ms/);
  });

  test("Examples: heartbeat-client explains how it lost its server", async () => {
    await using server = new Program("echo-server", "0");
    const url = await urlOf(server);
    await using client = new Program("heartbeat-client", url, "--heartbeat");
    await client.prints(/Connected/);
    server.signal("SIGKILL");
    const { status, errors } = await client.ended;
    assert.equal(status, 1);
    assert.match(errors, /no close frame received or sent/);
  });

  test("C18: third-party-heartbeat stays with a feed that demands heartbeats, for longer than the feed would wait", async () => {
    await using program = new Program("third-party-heartbeat", "--ticks", "25");
    const { status, output, errors } = await program.ended;
    assert.deepEqual([status, errors], [0, ""], output);
    assert.deepEqual(
      output.match(/^tick \d+/gm),
      Array.from({ length: 25 }, (_, index) => `tick ${index + 1}`),
    );
  });

  test("C18: and without its heartbeats the feed cuts it off, and it says why", async () => {
    await using program = new Program("third-party-heartbeat", "--ticks", "1000", "--no-heartbeat");
    const { status, errors } = await program.ended;
    assert.equal(status, 1);
    assert.match(errors, /4008/);
    assert.match(errors, /no heartbeat/);
  });

  test("Examples: in the chat everybody hears everybody, and who left", async () => {
    await using server = new Program("chat", "serve", "0");
    const url = await urlOf(server);
    await using ada = new Program("chat", "join", url, "Ada");
    await ada.prints(/^\* Ada is here$/m);
    await using bob = new Program("chat", "join", url, "Bob & Co");
    await ada.prints(/^\* Bob & Co is here$/m);
    ada.type("hello");
    await bob.prints(/^Ada: hello$/m);
    bob.endInput();
    await ada.prints(/^\* Bob & Co has left$/m);
    assert.equal((await bob.ended).status, 0);
    server.signal("SIGINT");
    assert.deepEqual([(await ada.ended).status, (await server.ended).status], [0, 0]);
  });

  test("F9: persistent-notes keeps what is typed while its server is away, and delivers it in order", async () => {
    const first = new Program("persistent-notes", "serve", "0");
    const url = await urlOf(first);
    await using client = new Program("persistent-notes", "join", url);
    await first.prints(/^\* hello$/m);
    client.type("one");
    await client.prints(/^< noted: one$/m);
    await first[Symbol.asyncDispose]();
    await client.prints(/^\* (eof|reset): next attempt in \d+ ms$/m);
    client.type("two");
    client.type("three");
    await using second = new Program("persistent-notes", "serve", new URL(url).port);
    await second.prints(/^\* back again\ntwo\nthree$/m);
    await client.prints(/^< noted: three$/m);
    client.endInput();
    const { status, output, errors } = await client.ended;
    assert.deepEqual([status, errors], [0, ""], output);
    assert.match(output, /^\* closing\n\* closed$/m);
  });

  test("Examples: chat without a role says what it wants", async () => {
    await using program = new Program("chat");
    assert.deepEqual(await program.ended, {
      status: 2,
      output: "",
      errors: "chat serve [PORT] | chat join [URL] [NAME]\n",
    });
  });
});
