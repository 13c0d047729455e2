import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCommand } from "./arguments.js";

test("The commands and their defaults", () => {
  assert.deepEqual(parseCommand(["server"]), {
    name: "server",
    host: "127.0.0.1",
    port: 9001,
    maxMessageSize: null,
    isCompressing: false,
  });
  assert.deepEqual(parseCommand(["client"]), {
    name: "client",
    url: "ws://127.0.0.1:9001",
    agent: "Holdfast",
    cases: null,
    caseTimeout: 120_000,
    isCompressing: false,
  });
  assert.deepEqual(parseCommand(["client", "--cases", "1-50", "--compression", "--agent=a b"]), {
    name: "client",
    url: "ws://127.0.0.1:9001",
    agent: "a b",
    cases: [1, 50],
    caseTimeout: 120_000,
    isCompressing: true,
  });
  assert.deepEqual(parseCommand(["report", "index.json"]), { name: "report", path: "index.json" });
  assert.deepEqual(parseCommand(["--help"]), { name: "help" });
});

test("Invalid arguments are reported", () => {
  for (const words of [
    [],
    ["serve"],
    ["report"],
    ["server", "client"],
    ["server", "--port", "x"],
    ["client", "--cases", "0-5"],
    ["client", "--cases", "5-1"],
    ["client", "--cases", "all"],
    ["client", "--case-timeout", "soon"],
    ["client", "--unknown"],
  ]) {
    assert.throws(() => parseCommand(words), Error, words.join(" "));
  }
});
