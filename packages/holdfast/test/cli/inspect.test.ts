import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { connect, inspect, serve, type Connection, type Server } from "holdfast";
import { keysIn } from "../../build/cli/inspect/keys.js";
import { screen } from "../../build/cli/inspect/screen.js";
import { fitCells, padCells } from "../../build/cli/terminal/cells.js";
import { makeStyle } from "../../build/cli/terminal/style.js";
import type { SnapshotAnswer } from "../../build/server/inspect/wire.js";
import { FIRST_QUERY } from "../../inspect-page/dist/first-query.js";
import { runCommand } from "./command.js";

describe("holdfast inspect", () => {
  let server: Server;
  let client: Connection;

  before(async () => {
    server = await serve((connection) => connection.discard(), { host: "127.0.0.1", logger: null });
    inspect(server, {
      authorize: ({ headers }) => headers.get("Authorization") === "Basic YWRhOnNlY3JldA==",
    });
    client = await connect(`${server.url}/feed?token=secret`);
  });
  after(async () => {
    await client.close();
    await server.close();
  });

  test("P1: prints snapshots as lines of JSON, and ends after --count", async () => {
    const words = ["inspect", "--json", "--count", "2", "--auth", "ada:secret", server.url];
    const { code, stdout, stderr } = await runCommand(words);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
    const snapshots = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as SnapshotAnswer);
    assert.deepEqual(
      snapshots.map(({ type, id, window }) => [type, id, window.connections.map(({ path }) => path)]),
      [
        ["snapshot", 1, ["/feed?…"]],
        ["snapshot", 2, ["/feed?…"]],
      ],
    );
    const [first, second] = snapshots.map(({ processes }) => processes[0].totals);
    assert.equal(first?.rates, null);
    // On a busy machine a count is used for longer, and both show the same one.
    if (second?.at !== first?.at) assert.notEqual(second?.rates, null);
  });

  test("P2: without a login it is refused, and a wrong option is explained", async () => {
    const refused = await runCommand(["inspect", server.url]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /403/);
    const wrong = await runCommand(["inspect", "--sort", "size", server.url]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /Expected `--sort` to be one of trouble, age, .*, got "size"\./);
  });

  test("K: a server that is no inspector is named as such", async () => {
    await using plain = await serve((connection) =>
      connection.forEach((message) => connection.send(message)),
    );
    const { code, stdout, stderr } = await runCommand(["inspect", plain.url]);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(
      stderr,
      /^holdfast: Expected the answer of an inspector, got "\{.*inspect\(\) returned\.\n$/,
    );
  });

  test("P1: each key of a chunk counts, and what is no key is skipped", () => {
    assert.deepEqual(keysIn("nnp"), ["next", "next", "previous"]);
    assert.deepEqual(keysIn("\u001b[6~\u001b[A\u001b[1;5Ce😀q"), ["next", "previous", "endings", "quit"]);
    assert.deepEqual(keysIn("\u001b\u0003"), ["quit"]);
    assert.deepEqual(keysIn("__proto__ ÿ"), ["previous", "reverse", "trouble"]);
  });

  test("P2: characters of two cells, of none, and pairs of surrogates fit into their column", () => {
    assert.equal(fitCells("理由は日本語", 12), "理由は日本語");
    assert.equal(fitCells("理由は日本語", 11), "理由は日本…");
    assert.equal(fitCells("理由は日本語", 10), "理由は日…");
    assert.equal(fitCells("😀😀😀", 4), "😀…");
    assert.equal(fitCells("e\u0301e\u0301", 2), "e\u0301e\u0301");
    assert.deepEqual([fitCells("abc", 1), fitCells("abc", 0), fitCells("", 0)], ["…", "", ""]);
    assert.deepEqual([padCells("理由", 6, true), padCells("ab", 3, false)], ["  理由", "ab "]);
  });

  test("P2: the table escapes what peers send, and no line is wider than the terminal", () => {
    const hostile = "\u001b[2J/\u202eevil\nline";
    const row = { id: "a-1", state: "open", path: hostile, address: hostile, age: 65_000 } as const;
    const ending = {
      number: 1,
      id: "a-2",
      address: null,
      at: 0,
      age: 5,
      ok: false,
      code: 4000,
      cause: "eof",
    };
    for (const view of ["connections", "endings"] as const) {
      const window = {
        view,
        total: 1,
        offset: 0,
        connections: view === "connections" ? [row] : [],
        endings: view === "endings" ? [{ ...ending, path: hostile, reason: hostile }] : [],
      };
      const processes = [
        { id: "p", name: "here", error: null, totals: null },
        { id: "q", name: hostile, error: "gone", totals: null },
      ];
      const snapshot = {
        type: "snapshot",
        id: 1,
        who: null,
        actions: false,
        processes,
        process: "p",
      } as const;
      const lines = screen(
        { ...snapshot, window, watch: null },
        { ...FIRST_QUERY, view },
        {
          style: makeStyle(false),
          width: 100,
        },
      );
      assert.equal(lines.filter((line) => line.includes("evil")).length, 2);
      // eslint-disable-next-line no-control-regex -- These must not appear.
      assert.ok(lines.every((line) => line.length <= 100 && !/[\u0000-\u001f\u202e]/.test(line)));
    }
  });
});
