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

const NAMES: readonly string[] = [
  "client",
  "prefix",
  "durability",
] satisfies readonly (keyof RedisEngineOptions)[];

/** @throws InvalidArgumentError */
export function checkOptions(options: RedisEngineOptions): CheckedOptions {
  if (typeof (options as unknown) !== "object" || (options as unknown) === null) {
    throw new InvalidArgumentError(
      "Expected redisEngine() to get an object of options with `client`, got another value.",
    );
  }
  const unknown = Object.keys(options).find((name) => !NAMES.includes(name));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`Expected the options of redisEngine(), got \`${unknown}\`.`);
  }
  return {
    client: options.client,
    prefix: checkPrefix(options.prefix),
    durability: checkDurability(options.durability),
  };
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
