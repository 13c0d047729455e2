import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { connect, serve } from "holdfast";
import { createTopics, subscribe, type OpenOptions, type TopicsOptions } from "holdfast/topics";
import { FaultProxy } from "holdfast-testkit";
import { Command, runCommand } from "./command.js";

type Line = Readonly<Record<string, unknown>>;

function linesOf(stdout: string): Line[] {
  return stdout
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
}

const ALL: OpenOptions = { authorize: () => true, publish: () => true };

/** A server with topics; what it does is undone at the end of the test. */
async function start(options: TopicsOptions = { history: true }, open: OpenOptions | null = ALL) {
  const topics = createTopics(options);
  const server = await serve(async (connection) => {
    if (open !== null) topics.open(connection, open);
    await connection.closed;
  });
  closing.push(
    () => topics.close(),
    () => server.close(),
  );
  return { topics, server };
}

const closing: (() => unknown)[] = [];

/** Publishes until the command has printed a message: then it has subscribed. */
async function untilSubscribed(command: Command, publish: () => Promise<unknown>): Promise<void> {
  for (let isSubscribed = false; !isSubscribed;) {
    await publish();
    isSubscribed = await Promise.race([
      command.printed(/"message"/).then(() => true),
      new Promise<false>((resolve) => setTimeout(resolve, 100, false)),
    ]);
  }
}

describe("holdfast watch --topic and holdfast publish", () => {
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  const run = (words: readonly string[]): Command => {
    const command = new Command(words);
    closing.push(() => command.kill("SIGKILL"));
    return command;
  };

  test("M7: watch --topic prints each message once, in order, across a cut connection, until Ctrl-C", async () => {
    const { topics, server } = await start();
    const proxy = await FaultProxy.start({ target: { port: server.port } });
    closing.push(() => proxy.close());
    const command = run(["watch", "--topic", "a b", "--topic", "other", `ws://127.0.0.1:${proxy.port}`]);
    await untilSubscribed(command, () => topics.publish("a b", "first"));
    const { offset, epoch } = await topics.publish("a b", "before the cut");
    await command.printed(/before the cut/);
    proxy.cut({ kind: "rst" });
    await topics.publish("a b", new Uint8Array([0, 255]));
    await topics.publish("a b", "after\x1b[2J");
    await command.printed(/after/);
    command.kill("SIGINT");
    const { code, stdout, stderr } = await command.ended();
    assert.equal(code, 130);
    assert.match(stderr, /^holdfast: .*\(no close frame received/);
    assert.ok(!stdout.includes("\x1b"), "Control characters are escaped.");
    const from = offset ?? 0;
    assert.deepEqual(
      linesOf(stdout)
        .slice(-3)
        .map(({ receivedAt: _, ...line }) => line),
      [
        { type: "message", topic: "a b", offset: from, epoch, text: "before the cut" },
        { type: "message", topic: "a b", offset: from + 1, epoch, base64: "AP8=" },
        { type: "message", topic: "a b", offset: from + 2, epoch, text: "after\x1b[2J" },
      ],
    );
  });

  test("M2: watch --topic prints a gap where messages are missing", async () => {
    const { topics, server } = await start({ history: { messages: 1 } });
    const proxy = await FaultProxy.start({ target: { port: server.port } });
    closing.push(() => proxy.close());
    const command = run(["watch", "--topic", "a", `ws://127.0.0.1:${proxy.port}`]);
    await untilSubscribed(command, () => topics.publish("a", "first"));
    proxy.cut({ kind: "rst" });
    for (const text of ["missed", "missed too", "kept"]) await topics.publish("a", text);
    await command.printed(/kept/);
    const lines = linesOf(command.stdout).map(({ type, after, position, offset }) => {
      const place = (value: unknown): unknown => (value as { offset: number } | undefined)?.offset;
      return { type, after: place(after), position: place(position), offset };
    });
    const newest = Number(lines.at(-1)?.offset);
    assert.deepEqual(lines.slice(-2), [
      { type: "gap", after: newest - 3, position: newest - 1, offset: undefined },
      { type: "message", after: undefined, position: undefined, offset: newest },
    ]);
  });

  test("K: publish confirms its argument and lines of stdin, and publishes once with the same --id", async () => {
    const { topics, server } = await start();
    const first = await runCommand(["publish", "--id", "x", server.url, "a", "one"]);
    const again = await runCommand(["publish", "--id", "x", server.url, "a", "one"]);
    const lines = await runCommand(["publish", "--id", "y", server.url, "a"], "two\n\xff\nfour");
    assert.deepEqual(
      [first, again, lines].map(({ code, stderr }) => [code, stderr]),
      [
        [0, ""],
        [0, ""],
        [0, ""],
      ],
    );
    const { epoch } = await topics.publish("a", "five");
    assert.deepEqual(linesOf(first.stdout + again.stdout + lines.stdout), [
      { message: 1, topic: "a", offset: 1, epoch, isDuplicate: false },
      { message: 1, topic: "a", offset: 1, epoch, isDuplicate: true },
      { message: 1, topic: "a", offset: 2, epoch, isDuplicate: false },
      { message: 2, topic: "a", offset: 3, epoch, isDuplicate: false },
      { message: 3, topic: "a", offset: 4, epoch, isDuplicate: false },
    ]);
    const client = await connect(server.url, { linkProtocol: true });
    const received: unknown[] = [];
    for await (const event of subscribe(client, "a", { since: { epoch: epoch ?? "", offset: 0 } })) {
      if (event.type === "message") received.push(event.data);
      if (received.length === 5) break;
    }
    assert.deepEqual(received, ["one", "two", "\xff", "four", "five"]);
    await client.close();
  });

  test("K: publish of 2,000 lines waits for confirmations, and prints them in order", async () => {
    const { server } = await start({});
    const input = Array.from({ length: 2_000 }, (_, index) => `${index}\n`).join("");
    const { code, stdout } = await runCommand(["publish", server.url, "a"], input);
    assert.equal(code, 0);
    assert.deepEqual(
      linesOf(stdout).map(({ message, offset }) => [message, offset]),
      Array.from({ length: 2_000 }, (_, index) => [index + 1, null]),
    );
  });

  test("K: a refusal ends publish and watch --topic with 1, and says what was confirmed", async () => {
    let allowed = 2;
    const { server } = await start({}, { authorize: () => false, publish: () => allowed-- > 0 });
    const command = run(["publish", server.url, "a"]);
    // No end of the input: after a refusal, it is not waited for.
    command.type("one\ntwo\nthree\nfour\n");
    command.endInput();
    const { code, stdout, stderr } = await command.ended();
    assert.deepEqual([code, linesOf(stdout).length], [1, 2]);
    assert.match(stderr, /Message 3 was not confirmed. The server refused .*"a": not allowed/);
    assert.match(stderr, /2 messages were confirmed/);
    const watch = await runCommand(["watch", "--topic", "a", server.url]);
    assert.deepEqual([watch.code, watch.stdout], [1, ""]);
    assert.match(watch.stderr, /The server refused a request about the topic "a": not allowed/);
  });

  test("K: publish ends with 3 without a confirmation in time, and with 1 if the connection is lost", async () => {
    const silent = await start({}, null);
    const late = await runCommand(["publish", "--timeout", "200", silent.server.url, "a", "text"]);
    assert.deepEqual([late.code, late.stdout], [3, ""]);
    assert.match(late.stderr, /did not confirm it within 200 ms/);
    const lost = run(["publish", silent.server.url, "a", "text"]);
    while (silent.server.connections.size === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    for (const connection of silent.server.connections) connection.terminate();
    const { code, stderr } = await lost.ended();
    assert.equal(code, 1);
    assert.match(stderr, /no close frame received/);
    const none = await serve(() => undefined, { linkProtocol: false });
    closing.push(() => none.close());
    const plain = await runCommand(["publish", none.url, "a", "text"]);
    assert.equal(plain.code, 1);
    assert.match(plain.stderr, /link protocol/);
  });

  test("K: publish exits with 0 although its reader exited, unless it did not publish all of stdin", async () => {
    const { server } = await start();
    const all = run(["publish", server.url, "a", "text"]);
    all.closeOutput();
    const { code, stderr } = await all.ended();
    assert.deepEqual([code, stderr], [0, ""]);
    const some = run(["publish", server.url, "a"]);
    some.type("one\n");
    await some.printed(/"message":1/);
    some.closeOutput();
    some.type("two\n"); // And no end of the input.
    const outcome = await some.ended();
    assert.equal(outcome.code, 1);
    assert.match(
      outcome.stderr,
      /^holdfast: The reader of stdout exited before stdin ended\.\nholdfast: 2 mess/,
    );
  });

  test("K: publish exits with 1 if the server closes before stdin has ended", async () => {
    const { server } = await start();
    const command = run(["publish", server.url, "a"]);
    command.type("one\n");
    await command.printed(/"message":1/);
    for (const connection of server.connections) await connection.close();
    const { code, stderr } = await command.ended();
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^holdfast: The peer closed the connection.*\nholdfast: 1 message was confirmed\.\n$/,
    );
  });

  test("K: names of topics that are none, and options that do not fit, are usage errors", async () => {
    const { server } = await start();
    for (const words of [
      ["publish", server.url],
      ["publish", server.url, "", "text"],
      ["publish", server.url, "x".repeat(257), "text"],
      ["publish", "--id", "", server.url, "a", "text"],
      ["watch", "--topic", "", server.url],
      ["watch", "--topic", "a", "--session", server.url],
      ["serve", "--allow-anyone"],
      ["serve", "--topics", "--host", "0.0.0.0"],
    ]) {
      const { code, stdout, stderr } = await runCommand(words);
      assert.deepEqual([words, code, stdout], [words, 2, ""]);
      assert.match(stderr, /^holdfast: /);
    }
  });

  test("K: serve --topics lets clients of this machine publish and subscribe, and says so", async () => {
    const server = run(["serve", "0", "--topics"]);
    const url = await server.printed(/ws:\S+/);
    const watch = run(["watch", "--topic", "a", url]);
    await untilSubscribed(watch, () => runCommand(["publish", url, "a", "hello"]));
    assert.equal(linesOf(watch.stdout).at(0)?.["text"], "hello");
    const outcome = connect(url, { origin: "https://example.com" });
    await assert.rejects(outcome, /403/);
    server.kill("SIGINT");
    const { code, stderr } = await server.ended();
    assert.equal(code, 0);
    assert.match(stderr, /^topics: every client of this machine may publish and subscribe/m);
  });
});
