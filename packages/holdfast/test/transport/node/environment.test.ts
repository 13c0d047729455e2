import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { readVariable } from "../../../build/transport/node/environment.js";

/** Deno with these states of its permissions. */
function pretendDeno(states: Readonly<Record<string, string>>): void {
  const querySync = ({ name, variable }: { name: string; variable: string }): { state: string } => {
    assert.equal(name, "env");
    return { state: states[variable] ?? "prompt" };
  };
  Reflect.set(globalThis, "Deno", { permissions: { querySync } });
}

/** Like Deno's `process.env`: reading what is not allowed throws. */
const environment = {
  ALLOWED: "yes",
  get HIDDEN(): string {
    throw new Error("Requires env access");
  },
};

afterEach(() => Reflect.deleteProperty(globalThis, "Deno"));

test("I2: a variable that Deno does not let the program read counts as not set, without a question to the user", () => {
  pretendDeno({ ALLOWED: "granted", HIDDEN: "denied" });
  assert.equal(readVariable("ALLOWED", environment), "yes");
  assert.equal(readVariable("HIDDEN", environment), undefined);
  pretendDeno({});
  assert.equal(readVariable("HIDDEN", environment), undefined);
});

test("I2: elsewhere, variables are read as they are", () => {
  assert.equal(readVariable("ALLOWED", environment), "yes");
  assert.equal(readVariable("NONE", environment), undefined);
});
