import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { serve, type Server } from "holdfast";
import { ANSWERS, Command, normalised, runCommand } from "./command.js";

const VERBS = ["connect", "ping", "watch", "publish", "serve", "doctor", "bench", "inspect"];

describe("holdfast ping", () => {
  let server: Server;
  beforeEach(async () => {
    server = await serve((connection) => connection.forEach((message) => connection.send(message)), {
      host: "127.0.0.1",
    });
  });
  afterEach(() => server.close());

  test("K: ping prints a line for each pong and a summary with percentiles and loss", async () => {
    const { code, stdout, stderr } = await runCommand(["ping", "-c", "2", "-i", "0.01", server.url]);
    assert.deepEqual(
      { code, stdout: normalised(stdout), stderr },
      {
        code: 0,
        stdout: `PING ws://127.0.0.1:PORT/ (127.0.0.1)
seq=1 time=T ms
seq=2 time=T ms
--- ws://127.0.0.1:PORT/ ---
2 pings sent, 2 answered, 0 % lost
min/avg/max/jitter = T/T/T/T ms
p50/p95/p99 = T/T/T ms
`,
        stderr: "",
      },
    );
  });

  test("K: ping --json prints objects, and -q only the summary", async () => {
    const { stdout } = await runCommand(["ping", "-c", "1", "-q", "--json", server.url]);
    const { type, sent, answered, loss } = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual({ type, sent, answered, loss }, { type: "summary", sent: 1, answered: 1, loss: 0 });
  });

  test("K: Ctrl-C ends ping with its summary, and the connection with 1000", async () => {
    const [connection] = server.connections;
    assert.equal(connection, undefined);
    const command = new Command(["ping", "-i", "0.05", server.url]);
    await command.printed(/seq=2/);
    const [pinged] = server.connections;
    command.kill("SIGINT");
    const { code, stdout } = await command.ended();
    assert.equal(code, 0);
    assert.match(stdout, /answered, 0 % lost/);
    assert.equal((await pinged.closed).message, "received 1000 (OK); then sent 1000 (OK)");
  });

  test("K: ping exits with 2 if nothing listens, and reports that on stderr", async () => {
    const { url } = server;
    await server.close();
    const { code, stdout, stderr } = await runCommand(["ping", "-c", "1", url]);
    assert.deepEqual({ code, stdout }, { code: 2, stdout: "" });
    assert.match(stderr, /^holdfast: Nothing listens at ws:/);
  });
});

describe("holdfast connect", () => {
  test("K: connect sends the lines of a pipe and prints the answers unchanged", async () => {
    await using server = await serve((connection) =>
      connection.forEach((message) => connection.send(message)),
    );
    const words = ["connect", "--wait", ANSWERS, server.url];
    assert.deepEqual(await runCommand(words, "one\n/two\n"), { code: 0, stdout: "one\n/two\n", stderr: "" });
  });

  test("K: connect explains an abnormal end on stderr, and exits with 1", async () => {
    await using server = await serve((connection) => connection.close(1008, "go\x1b[2Jaway"));
    const { code, stdout, stderr } = await runCommand(["connect", server.url]);
    assert.deepEqual(
      { code, stdout, stderr },
      {
        code: 1,
        stdout: "",
        stderr:
          "holdfast: The peer closed the connection for a reason of policy (received 1008 (policy violation) go\\u001b[2Jaway; then sent 1008 (policy violation) go\\u001b[2Jaway). Credentials expired, a rate limit was hit, or a message was not welcome. See the peer's documentation before reconnecting: doing it at once may make things worse.\n",
      },
    );
  });

  test("K: connect --json prints an object for the opening, each message and the end", async () => {
    await using server = await serve((connection) =>
      connection.forEach((message) => connection.send(message)),
    );
    const { stdout } = await runCommand(["connect", "--json", "--wait", ANSWERS, server.url], "hi\n");
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      events.map(({ type, text, code }) => ({ type, text, code })),
      [
        { type: "ready", text: undefined, code: undefined },
        { type: "text", text: "hi", code: undefined },
        { type: "disconnected", text: undefined, code: 1000 },
      ],
    );
  });
});

describe("holdfast serve", () => {
  const served: Command[] = [];
  const start = async (...faults: string[]): Promise<{ command: Command; url: string }> => {
    const command = new Command(["serve", "0", ...faults]);
    served.push(command);
    return { command, url: await command.printed(/ws:\S+/) };
  };
  afterEach(async () => {
    for (const command of served.splice(0)) {
      command.kill("SIGINT");
      await command.ended();
    }
  });

  test("K: serve echoes, and logs each client and why its connection ended", async () => {
    const { command, url } = await start();
    assert.equal((await runCommand(["connect", "--wait", ANSWERS, url], "hi\n")).stdout, "hi\n");
    command.kill("SIGINT");
    const { code, stdout, stderr } = await command.ended();
    assert.deepEqual(
      { code, stdout: normalised(stdout), stderr: normalised(stderr) },
      {
        code: 0,
        stdout: "ws://127.0.0.1:PORT/\n",
        stderr: `ID open: 127.0.0.1 port N /
ID ended after 1 message: The peer closed the connection, as it should (received 1000 (OK); then sent 1000 (OK)).
`,
      },
    );
  });

  for (const fault of ["--inhibit-pongs", "--stall-reads"]) {
    test(`K: serve ${fault} leaves pings without an answer: ping exits with 1`, async () => {
      const { url } = await start(fault);
      const { code, stdout } = await runCommand(["ping", "-c", "2", "-i", "0.01", "-W", "0.2", url]);
      assert.equal(code, 1);
      assert.match(stdout, /seq=1 lost: no answer within 0.2 s\n/);
      assert.match(stdout, /2 pings sent, 0 answered, 100 % lost\n$/);
    });
  }

  test("K: serve --drop-after cuts the connection with that message", async () => {
    const { url } = await start("--drop-after", "2");
    const { code, stdout, stderr } = await runCommand(["connect", "--wait", "5s", url], "one\ntwo\n");
    assert.equal(code, 1);
    assert.match(stdout, /^one\n/);
    assert.match(stderr, /without a closing handshake \(no close frame received/);
  });

  test("K: serve --close-after closes with the requested code", async () => {
    const { url } = await start("--close-after", "100ms", "--close-code", "1013");
    const { code, stderr } = await runCommand(["connect", "--wait", "5s", url]);
    assert.equal(code, 1);
    assert.match(stderr, /received 1013/);
  });

  test("K: serve --refuse answers upgrades with the status", async () => {
    for (const status of ["403", "304"]) {
      const { url } = await start("--refuse", status);
      const { code, stderr } = await runCommand(["connect", url]);
      assert.equal(code, 1);
      assert.match(stderr, new RegExp(status));
    }
  });

  for (const code of ["1006", "2999"]) {
    test(`K: serve rejects --close-code ${code}, which cannot be sent, at once`, async () => {
      const outcome = await runCommand(["serve", "0", "--close-after", "1", "--close-code", code]);
      assert.deepEqual([outcome.code, outcome.stdout], [2, ""]);
      assert.match(
        outcome.stderr,
        /^holdfast: Expected `--close-code` to be a code that may be sent: .*, got/,
      );
    });
  }

  test("K: serve --mute lets clients run into their timeout: exit code 3", async () => {
    const { url } = await start("--mute");
    const { code, stderr } = await runCommand(["connect", "--open-timeout", "300", url]);
    assert.equal(code, 3);
    assert.match(stderr, /upgrade/);
  });
});

describe("The command holdfast", () => {
  test("K: a misspelt verb or option is a usage error with a suggestion, on stderr", async () => {
    assert.deepEqual(await runCommand(["pnig"]), {
      code: 2,
      stdout: "",
      stderr: `holdfast: There is no verb "pnig". Did you mean "ping"? Verbs: ${VERBS.join(", ")}.\nSee \`holdfast --help\`.\n`,
    });
    assert.deepEqual(await runCommand(["ping", "--cuont", "3", "ws://localhost"]), {
      code: 2,
      stdout: "",
      stderr:
        'holdfast: There is no option `--cuont`. Did you mean "--count"?\nSee `holdfast ping --help`.\n',
    });
  });

  for (const verb of VERBS) {
    test(`K: ${verb} --help fits a terminal and shows an example`, async () => {
      const { code, stdout, stderr } = await runCommand([verb, "--help"]);
      assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
      assert.match(stdout, new RegExp(`^holdfast ${verb}: .*\n\nUsage: holdfast ${verb} \\[options\\]`));
      assert.deepEqual(
        stdout.split("\n").filter((line) => line.length > 120),
        [],
      );
    });
  }

  test("K: a duration without a unit counts one unit for all options of a verb, and a unit counts the same for each", async () => {
    const mute = new Command(["serve", "0", "--mute"]);
    const url = await mute.printed(/ws:\S+/);
    const cases = [
      ["ping", "0.3"],
      ["ping", "300ms"],
      ["connect", "300"],
      ["connect", ".3s"],
      ["bench", "0.3"],
    ];
    for (const [verb, time] of cases) {
      const { stderr } = await runCommand([verb, "--open-timeout", time, url]);
      assert.match(stderr, /\b300 ms\b/, `${verb} ${time}`);
    }
    mute.kill("SIGINT");
    await mute.ended();
    for (const verb of VERBS) {
      const { stdout } = await runCommand([verb, "--help"]);
      const inMilliseconds = ["connect", "watch", "publish", "serve", "inspect"];
      const unit = inMilliseconds.includes(verb) ? "milliseconds" : "seconds";
      assert.match(stdout, new RegExp(`^A TIME without a unit is in ${unit};`, "m"), verb);
      assert.doesNotMatch(stdout, /--\S+ (?:MS|SECONDS)\b/, verb);
    }
  });

  test("K: help and version are printed on stdout", async () => {
    const help = await runCommand(["--help"]);
    assert.match(help.stdout, /Exit codes:\n {2}0 /);
    assert.match((await runCommand(["--version"])).stdout, /^\d+\.\d+\.\d+\n$/);
  });
});
