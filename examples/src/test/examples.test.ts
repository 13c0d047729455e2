import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { inAttempts, slowness } from "holdfast-testkit";
import { Program } from "./program.js";

/** The URL of a server, which it prints. */
async function urlOf(server: Program): Promise<string> {
  const [, port = ""] = await server.prints(/Listening on ws:\/\/\S+:(\d+)/);
  return `ws://127.0.0.1:${port}`;
}

describe("Examples", { concurrency: 2 }, () => {
  test("Examples: the head of each says how to run it, and the index lists it", () => {
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

  test("Examples: echo-server echoes, and closes with 1001 on Ctrl-C", async () => {
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

  test("Examples: heartbeat-client sends, measures, and exits at the end of its input, with and without a heartbeat", async () => {
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

  test("C17: heartbeat-client --heartbeat disconnects when the server hangs, and exits with 1", async () => {
    await using server = new Program("echo-server", "0");
    const url = await urlOf(server);
    const timeout = 1_500 * slowness();
    await using client = new Program(
      "heartbeat-client",
      url,
      "--heartbeat",
      `--timeout=${timeout}`,
      "--interval=50",
    );
    client.type("one");
    await client.prints(/^< one$/m);
    server.signal("SIGSTOP"); // The kernel continues, so the connection looks healthy.
    const { status, errors } = await client.ended;
    assert.equal(status, 1);
    assert.match(errors, /^Too slow: Expected the pong of a ping within \d+ ms/);
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

  test("C18: third-party-heartbeat stays connected to a feed that requires heartbeats, for longer than the feed's deadline", async () => {
    await using program = new Program("third-party-heartbeat", "--ticks", "25");
    const { status, output, errors } = await program.ended;
    assert.deepEqual([status, errors], [0, ""], output);
    assert.deepEqual(
      output.match(/^tick \d+/gm),
      Array.from({ length: 25 }, (_, index) => `tick ${index + 1}`),
    );
  });

  test("C18: without its heartbeats the feed disconnects it, and it prints the reason", async () => {
    await using program = new Program("third-party-heartbeat", "--ticks", "1000", "--no-heartbeat");
    const { status, errors } = await program.ended;
    assert.equal(status, 1);
    assert.match(errors, /4008/);
    assert.match(errors, /no heartbeat/);
  });

  test("Examples: everyone in the chat receives all messages, and who left", async () => {
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

  test("F9: persistent-notes keeps lines typed while its server is down, and delivers them in order", async () => {
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

  test("F1: chat-client survives a restart of the chat's server, and keeps lines typed meanwhile", async () => {
    await using before = new Program("chat", "serve", "0");
    const url = await urlOf(before);
    await using ada = new Program("chat-client", url, "Ada", "--first-delay", "300");
    await ada.prints(/^\* Ada is here$/m);
    before.signal("SIGINT");
    assert.equal((await before.ended).status, 0);
    await ada.complains(/^\(peer-close; back in /m);
    ada.type("anybody there?");
    await using after = new Program("chat", "serve", new URL(url).port);
    await after.prints(/^Ada: anybody there\?$/m);
    ada.type("one more thing");
    ada.endInput(); // Earlier lines arrive first.
    const { status, errors } = await ada.ended;
    assert.equal(status, 0, errors);
    assert.doesNotMatch(errors, /Never sent|Perhaps/);
    await after.prints(/^Ada: one more thing\n\* Ada has left$/m);
    after.signal("SIGINT");
    assert.equal((await after.ended).status, 0);
  });

  test("F1: chat-client lists unsent lines when it exits while the server is down", async () => {
    await inAttempts(async () => {
      await using client = new Program("chat-client", "ws://127.0.0.1:1", "Ada", "--first-delay", "20000");
      await client.complains(/^\(refused; back in /m);
      client.type("hello?");
      client.endInput();
      const { status, errors } = await client.ended;
      assert.match(errors, /^Never sent: hello\?$/m);
      // The delay is random. Within the shortest, the next attempt has begun, and fails.
      if (/back in 0\.[0-2] s/.test(errors)) return false;
      assert.equal(status, 0, errors);
      return true;
    }, "a delay of more than 0.2 s");
  });

  test("F1: ticker subscribes again after its server was killed and restarted", async () => {
    await using before = new Program("ticker", "serve", "0");
    const url = await urlOf(before);
    await using ticker = new Program("ticker", "watch", url, "HFST", "ACME", "--first-delay", "300");
    await ticker.prints(/^HFST 100\.\d\d\nACME 100\.\d\d$/m);
    before.signal("SIGKILL");
    await before.ended;
    await ticker.complains(/^Attempt 2 in \d+ ms$/m);
    await using after = new Program("ticker", "serve", new URL(url).port);
    await urlOf(after);
    ticker.forgetOutput();
    await ticker.prints(/^HFST 100\.\d\d\nACME 100\.\d\d$/m);
    ticker.signal("SIGINT");
    assert.equal((await ticker.ended).status, 0);
    after.signal("SIGINT");
    assert.equal((await after.ended).status, 0);
  });

  test("F7: token-refresh sends a fresh token after the old one was refused", async () => {
    await using program = new Program("token-refresh", "--sessions", "3");
    const { status, output, errors } = await program.ended;
    assert.deepEqual([status, errors], [0, ""], output);
    assert.match(output, /^fetching a token\nsession 1: welcome\n/);
    assert.match(output, /^session 3: welcome$/m);
    // Each refusal causes one fetch, and nothing else does.
    assert.doesNotMatch(output, /refused with 401\n(?!fetching)|welcome\nfetching/);
    assert.match(output, /refused with 401\nfetching a token\n/);
  });

  test("F5: token-refresh stops if a fresh token is refused too", async () => {
    await using program = new Program("token-refresh", "--banned");
    const { status, output, errors } = await program.ended;
    assert.deepEqual([status, output], [1, "fetching a token\nrefused with 401\n"], errors);
    assert.match(errors, /401/);
  });

  test("Examples: ticker without a role prints its usage", async () => {
    await using ticker = new Program("ticker");
    assert.deepEqual(await ticker.ended, {
      status: 2,
      output: "",
      errors: "ticker serve [PORT] | ticker watch [URL] [SYMBOL...]\n",
    });
  });

  test("Examples: chat without a role prints its usage", async () => {
    await using program = new Program("chat");
    assert.deepEqual(await program.ended, {
      status: 2,
      output: "",
      errors: "chat serve [PORT] | chat join [URL] [NAME]\n",
    });
  });
});
