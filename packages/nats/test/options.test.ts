import assert from "node:assert/strict";
import { test } from "node:test";
import { natsEngine, natsSessionStore, type NatsEngineOptions } from "../dist/index.js";

test("M8: the error names a value that is no object of options, but not the text of a URL", () => {
  for (const [wrong, got] of [
    [undefined, "undefined"],
    [null, "null"],
    [5, "5 (number)"],
    [true, "true (boolean)"],
    ["nats://user:password@localhost", "a string"],
    [[{}], "an array"],
    [() => ({}), "a function"],
  ] as const) {
    for (const open of [natsEngine, natsSessionStore]) {
      const message = `Expected ${open.name}() to get an object of options with \`connection\`, got ${got}.`;
      const call = (): unknown => open(wrong as unknown as NatsEngineOptions);
      assert.throws(call, { name: "InvalidArgumentError", message });
    }
  }
});
