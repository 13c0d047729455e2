import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidArgumentError } from "holdfast";
import {
  redisEngine,
  redisSessionStore,
  type RedisEngineOptions,
  type RedisSessionStoreOptions,
} from "../dist/index.js";

test("M8: options that make no sense are refused", () => {
  for (const wrong of [
    undefined,
    null,
    "redis://localhost",
    {},
    { client: {} },
    { client: {}, prefx: "a" },
  ]) {
    assert.throws(() => redisEngine(wrong as unknown as RedisEngineOptions), InvalidArgumentError);
  }
});

test("M8: the error names a value that is no object of options, but not the text of a URL", () => {
  for (const [wrong, got] of [
    [undefined, "undefined"],
    [null, "null"],
    [5, "5 (number)"],
    [true, "true (boolean)"],
    ["redis://:password@localhost", "a string"],
    [[{}], "an array"],
    [() => ({}), "a function"],
  ] as const) {
    for (const [name, call] of [
      ["redisEngine", () => redisEngine(wrong as unknown as RedisEngineOptions)],
      ["redisSessionStore", () => redisSessionStore(wrong as unknown as RedisSessionStoreOptions)],
    ] as const) {
      const message = `Expected ${name}() to get an object of options with \`client\`, got ${got}.`;
      assert.throws(call, { name: "InvalidArgumentError", message });
    }
  }
});
