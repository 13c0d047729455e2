import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidArgumentError } from "holdfast";
import { redisEngine, type RedisEngineOptions } from "../dist/index.js";

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
