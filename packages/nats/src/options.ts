// The options of `natsEngine()` and `natsSessionStore()`, and their checks.

import { InvalidArgumentError } from "holdfast";
import type { NatsConnection } from "@nats-io/transport-node";

/**
 * Where JetStream keeps messages. `"file"`: on disk, written before the server confirms, but not yet synchronised to the
 * disk. `"memory"`: until the server ends.
 */
export type NatsStorage = "file" | "memory";

/** Options of `natsEngine()` and `natsSessionStore()`. */
export interface NatsEngineOptions {
  /**
   * The connection that `connect()` of `@nats-io/transport-node` resolved with. It stays yours: the engine never closes it. Open it with
   * `maxReconnectAttempts: -1`, or it gives up for good after some seconds.
   */
  readonly connection: NatsConnection;
  /** The prefix of all subjects and names of streams: letters, digits, `_` and `-`. @default "holdfast" */
  readonly prefix?: string | undefined;
  /** Where streams are kept. Existing streams keep their storage. @default "file" */
  readonly storage?: NatsStorage | undefined;
  /** How many servers of a cluster keep each stream: 1 to 5. @default 1 */
  readonly replicas?: number | undefined;
}

export interface CheckedOptions {
  readonly connection: NatsConnection;
  readonly prefix: string;
  readonly storage: NatsStorage;
  readonly replicas: number;
}

const NAMES: readonly string[] = [
  "connection",
  "prefix",
  "storage",
  "replicas",
] satisfies readonly (keyof NatsEngineOptions)[];

/** @throws InvalidArgumentError */
export function checkOptions(caller: string, options: NatsEngineOptions): CheckedOptions {
  const given: unknown = options;
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new InvalidArgumentError(
      `Expected ${caller}() to get an object of options with \`connection\`, got ${describe(given)}.`,
    );
  }
  const unknown = Object.keys(options).find((name) => !NAMES.includes(name));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`Expected the options of ${caller}(), got \`${unknown}\`.`);
  }
  const { connection, prefix = "holdfast", storage = "file", replicas = 1 } = options;
  if (!isConnection(connection)) {
    throw new InvalidArgumentError(
      "Expected `connection` to be a connection to NATS. Pass what `connect()` of @nats-io/transport-node resolved with.",
    );
  }
  if (typeof prefix !== "string" || !/^[\w-]{1,64}$/.test(prefix)) {
    throw new InvalidArgumentError(
      "Expected `prefix` to be 1 to 64 letters, digits, `_` or `-`: it is part of subjects.",
    );
  }
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- Plain JavaScript may pass anything.
  if (storage !== "file" && storage !== "memory") {
    throw new InvalidArgumentError('Expected `storage` to be "file" or "memory".');
  }
  if (!Number.isInteger(replicas) || replicas < 1 || replicas > 5) {
    throw new InvalidArgumentError(`Expected \`replicas\` to be 1 to 5, got ${String(replicas)}.`);
  }
  return { connection, prefix, storage, replicas };
}

function isConnection(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const methods = value as Readonly<Record<string, unknown>>;
  return ["request", "subscribe", "status", "flush"].every((name) => typeof methods[name] === "function");
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
