import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { serve, type Connection } from "holdfast";
import { FaultProxy } from "holdfast-testkit";
import { ANSWERS, Command, runCommand } from "./command.js";

type Shown = Readonly<Record<string, unknown>> & { readonly type: string };

function eventsOf(stdout: string): Shown[] {
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Shown);
}

/** The commands of the current test: one that fails must not leave them behind. */
const started: Command[] = [];

function start(words: readonly string[]): Command {
  const command = new Command(words);
  started.push(command);
  return command;
}

describe("holdfast --session", () => {
  afterEach(() => {
    for (const command of started.splice(0)) command.kill("SIGKILL");
  });

  test("L1: connect --session repeats nothing and misses nothing while serve --sessions --drop-after cuts each socket", async () => {
    const server = start(["serve", "0", "--sessions", "--drop-after", "3", "--json"]);
    await server.printed(/"listening"/);
    const [{ url }] = eventsOf(server.stdout);
    const client = start(["connect", "--session", "--wait", "off", String(url)]);
    let expected = "";
    // One message at a time: each third one is followed by a cut.
    for (let number = 1; number <= 9; number++) {
      client.type(`${number}\n`);
      expected += `${number}\n`;
      await client.printed(new RegExp(`^${number}$`, "m"));
    }
    await server.printed(/(?:"resumed"[^]*){2}/);
    client.kill("SIGINT");
    assert.equal((await client.ended()).stdout, expected);
    server.kill("SIGINT");
    const types = eventsOf((await server.ended()).stdout).map(({ type }) => type);
    assert.deepEqual(types.slice(0, 6), ["listening", "open", "detached", "resumed", "detached", "resumed"]);
    assert.equal(types.filter((type) => type === "open").length, 1, "The handler runs once per session.");
    // The client may end while it has no socket; then only the end of the server ends the session.
    assert.ok(!types.slice(0, types.lastIndexOf("resumed")).includes("lost"));
  });

  test("L8: watch --session prints session, detached and resumed, with the counts, as lines of JSON", async () => {
    const opened: Connection[] = [];
    await using server = await serve(
      async (connection) => {
        opened.push(connection);
        await connection.send("before");
        await connection.closed;
      },
      { sessions: true },
    );
    await using proxy = await FaultProxy.start({ target: { port: server.port } });
    const command = start(["watch", "--session", proxy.url("ws", "/")]);
    await command.printed(/before/);
    proxy.cut({ kind: "rst" });
    await command.printed(/"detached"/);
    await opened[0]?.send("meanwhile");
    await command.printed(/meanwhile/);
    await command.printed(/"resumed"/);
    command.kill("SIGINT");
    const { code, stderr, stdout } = await command.ended();
    const events = eventsOf(stdout);
    const chosen = ["session", "text", "detached", "resumed", "lost"];
    const seen = events.filter(({ type }) => chosen.includes(type));
    const types = seen.map(({ type }) => type).filter((type) => type !== "text");
    assert.deepEqual(
      { code, stderr, types },
      { code: 130, stderr: "", types: ["session", "detached", "resumed"] },
    );
    assert.deepEqual(
      seen.filter(({ type }) => type === "text").map(({ text }) => text),
      ["before", "meanwhile"],
    );
    const find = (type: string): Shown | undefined => seen.find((event) => event.type === type);
    const id = opened[0]?.session?.id;
    assert.deepEqual([find("session")?.["id"], find("resumed")?.["id"]], [id, id]);
    assert.equal(find("resumed")?.["replayedOut"], 0);
    assert.equal(typeof find("detached")?.["explanation"], "string");
    assert.equal(opened.length, 1);
  });

  test("L6: watch --session prints lost with its reason, and a new session, if the server has restarted", async () => {
    const first = await serve((connection) => connection.closed, { sessions: true });
    const { port } = first;
    await using proxy = await FaultProxy.start({ target: { port } });
    const command = start(["watch", "--session", proxy.url("ws", "/")]);
    await command.printed(/"session"/);
    proxy.cut({ kind: "rst" });
    await first.close({ timeout: 0 });
    await using second = await serve((connection) => connection.closed, { port, sessions: true });
    assert.equal(second.port, port);
    await command.printed(/"lost"[^]*"session"/);
    command.kill("SIGINT");
    const events = eventsOf((await command.ended()).stdout);
    const lost = events.find(({ type }) => type === "lost");
    assert.deepEqual([lost?.["reason"], lost?.["unsent"], lost?.["unknown"]], ["unknown", 0, 0]);
    const ids = events.filter(({ type }) => type === "session").map(({ id }) => id);
    assert.equal(new Set(ids).size, 2);
  });

  test("L10: connect --session says that the server has no sessions, and works as without", async () => {
    await using server = await serve((connection) =>
      connection.forEach((message) => connection.send(`re: ${message as string}`)),
    );
    const { code, stdout, stderr } = await runCommand([
      "connect",
      "--session",
      "-x",
      "hello",
      "--wait",
      ANSWERS,
      server.url,
    ]);
    assert.deepEqual(
      { code, stdout, stderr },
      {
        code: 0,
        stdout: "re: hello\n",
        stderr: "holdfast: the server has no sessions: messages can be lost when the connection is\n",
      },
    );
  });

  test("K: ping --session reports the session, and serve rejects --retain without --sessions", async () => {
    await using server = await serve((connection) => connection.closed, { sessions: true });
    const { code, stdout } = await runCommand([
      "ping",
      "--session",
      "-c",
      "2",
      "-i",
      "0.05",
      "--json",
      server.url,
    ]);
    assert.equal(code, 0);
    assert.deepEqual(
      eventsOf(stdout).map(({ type }) => type),
      ["open", "session", "pong", "pong", "summary"],
    );
    const refused = await runCommand(["serve", "0", "--retain", "3s"]);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /`--retain` is for `--sessions`: add it\./);
    const both = await runCommand(["connect", "--session", "--binary=all", server.url]);
    assert.match(both.stderr, /`--session` keeps whole messages/);
  });

  test("K: connect --session sends the messages of --execute once per session, not once per socket", async () => {
    const received: unknown[] = [];
    await using server = await serve(
      (connection) => connection.forEach((message) => (received.push(message), connection.send(message))),
      { sessions: true },
    );
    await using proxy = await FaultProxy.start({ target: { port: server.port } });
    const command = start([
      "connect",
      "--session",
      "--json",
      "-x",
      "subscribe",
      "--wait",
      "off",
      proxy.url("ws", "/"),
    ]);
    await command.printed(/"text":"subscribe"/);
    proxy.cut({ kind: "rst" });
    await command.printed(/"resumed"/);
    command.kill("SIGINT");
    await command.ended();
    assert.deepEqual(received, ["subscribe"]);
  });
});
