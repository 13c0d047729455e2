// The options of `redisEngine()`, and their checks.

import { InvalidArgumentError } from "holdfast";
import type { RedisClient } from "./client/connector.js";

/**
 * When a message counts as published. `"async"`: Redis has it. `"replicated"`: one replica has confirmed it as well. That
 * is not consensus: another replica may be promoted. Subscribers then get a gap.
 */
export type Durability = "async" | "replicated";

/** Options of `redisEngine()`. */
export interface RedisEngineOptions {
  /** A client of ioredis or redis, whose options the engine's own connections use. */
  readonly client: RedisClient;
  /** The prefix of all keys and channels. It must not contain braces. @default "holdfast:" */
  readonly prefix?: string | undefined;
  /** When a message counts as published. @default "async" */
  readonly durability?: Durability | undefined;
}

interface CheckedOptions {
  readonly client: RedisClient;
  readonly prefix: string;
  readonly durability: Durability;
}

const NAMES = ["client", "prefix", "durability"] as const satisfies readonly (keyof RedisEngineOptions)[];

/** @throws InvalidArgumentError */
export function checkOptions(options: RedisEngineOptions): CheckedOptions {
  checkNames("redisEngine()", options, NAMES);
  return {
    client: options.client,
    prefix: checkPrefix(options.prefix),
    durability: checkDurability(options.durability),
  };
}

/** @throws InvalidArgumentError unless these are options with these names only */
export function checkNames(caller: string, options: unknown, names: readonly string[]): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new InvalidArgumentError(
      `Expected ${caller} to get an object of options with \`client\`, got ${describe(options)}.`,
    );
  }
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`Expected the options of ${caller}, got \`${unknown}\`.`);
  }
}

/** @throws InvalidArgumentError */
export function checkPrefix(value: unknown): string {
  if (value === undefined) return "holdfast:";
  if (typeof value === "string" && !/[{}]/.test(value)) return value;
  throw new InvalidArgumentError(
    "Expected `prefix` to be a text without braces: they choose the slot in a cluster.",
  );
}

function checkDurability(value: unknown): Durability {
  if (value === undefined) return "async";
  if (value === "async" || value === "replicated") return value;
  throw new InvalidArgumentError('Expected `durability` to be "async" or "replicated".');
}

/** A value that is no object of options, as error messages show it. */
function describe(value: unknown): string {
  switch (typeof value) {
    case "number":
    case "bigint":
    case "boolean":
      return `${value} (${typeof value})`;
    case "string":
      return "a string"; // Without its text: a URL may hold a password.
    case "object":
      return value === null ? "null" : "an array";
    default:
      return value === undefined ? "undefined" : `a ${typeof value}`;
  }
}
