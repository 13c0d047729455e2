import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidArgumentError } from "holdfast";
import { Cluster, Redis } from "ioredis";
import { createClient, createSentinel } from "redis";
import {
  redisEngine,
  redisSessionStore,
  type RedisClient,
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

test("M8: a client with a key prefix, and one for sentinels of the package redis, are refused", () => {
  const lazy = { lazyConnect: true, keyPrefix: "app:" };
  for (const client of [
    new Redis(lazy),
    new Cluster([{ port: 1 }], lazy),
    new Cluster([{ port: 1 }], { lazyConnect: true, redisOptions: { keyPrefix: "app:" } }),
    createClient({ keyPrefix: "app:" }),
  ]) {
    const message = /^Expected `client` to have no `keyPrefix`, .* Set the option `prefix` instead\.$/;
    for (const call of [() => redisEngine({ client }), () => redisSessionStore({ client })])
      assert.throws(call, { name: "InvalidArgumentError", message });
  }
  const sentinel = createSentinel({ name: "main", sentinelRootNodes: [{ host: "127.0.0.1", port: 1 }] });
  assert.throws(
    () => redisEngine({ client: sentinel as unknown as RedisClient }),
    /^InvalidArgumentError: Expected `client` to be a client of the package ioredis or redis\./,
  );
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
