// Validates options and arguments of the public API. Each check throws an InvalidArgumentError that states the option,
// the expected value and the actual one.

import { InvalidArgumentError } from "./errors.js";

/** The longest delay of a JavaScript timer, in milliseconds. */
const MAX_DURATION = 2 ** 31 - 1;

export function checkDuration(name: string, value: unknown, fallback: number | null): number | null {
  if (value === undefined) return fallback;
  if (value === null) return null;
  if (isDuration(value)) return value;
  throw invalidArgument(name, `a positive number of milliseconds (at most ${MAX_DURATION}) or null`, value);
}

/** For a required argument. */
export function requireDuration(name: string, value: unknown): number {
  if (isDuration(value)) return value;
  throw invalidArgument(name, `a positive number of milliseconds (at most ${MAX_DURATION})`, value);
}

export function checkSize(name: string, value: unknown, fallback: number | null): number | null {
  if (value === undefined) return fallback;
  if (value === null) return null;
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
  throw invalidArgument(name, "a positive whole number or null", value);
}

export function checkBoolean(name: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value === "boolean") return value;
  throw invalidArgument(name, "true or false", value);
}

export function checkChoice<Choice extends string>(
  name: string,
  value: unknown,
  choices: readonly Choice[],
  fallback: Choice,
): Choice {
  return value === undefined ? fallback : requireChoice(name, value, choices);
}

export function requireChoice<Choice extends string>(
  name: string,
  value: unknown,
  choices: readonly Choice[],
  remedy?: string,
): Choice {
  const found = choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  throw invalidArgument(name, oneOf(choices), value, remedy);
}

/** Choices as the message of an error names them. */
function oneOf(choices: readonly string[]): string {
  return choices.map((choice) => JSON.stringify(choice)).join(" or ");
}

/**
 * The items of an iterable, copied in one pass; null for a string or a value that is not iterable.
 *
 * @throws InvalidArgumentError if the iterable throws or never ends
 */
export function readItems(name: string, value: unknown): readonly unknown[] | null {
  if (typeof value !== "object" || value === null || !(Symbol.iterator in value)) return null;
  const items: unknown[] = [];
  try {
    for (const item of value as Iterable<unknown>) {
      items.push(item);
      if (items.length > MAX_ITEMS) break;
    }
  } catch (cause) {
    throw new InvalidArgumentError(
      `Expected \`${name}\` to be an iterable that can be read, got an error from it.`,
      {
        cause,
      },
    );
  }
  if (items.length <= MAX_ITEMS) return items;
  throw invalidArgument(name, `at most ${MAX_ITEMS} items`, value);
}

/** An endless iterable must not hang the process. No request has more headers than this. */
const MAX_ITEMS = 10_000;

export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== "function") throw invalidArgument(name, "a function", value);
}

export function checkSignal(value: unknown): AbortSignal | null {
  if (value === undefined || value === null) return null;
  if (value instanceof AbortSignal || isForeignSignal(value)) return value;
  throw invalidArgument("signal", "an AbortSignal", value);
}

/** An AbortSignal of another realm (a vm context, jsdom) that has every member that we use. */
function isForeignSignal(value: unknown): value is AbortSignal {
  if (tagOf(value) !== "AbortSignal") return false;
  const signal = value as Partial<AbortSignal>;
  const methods = [signal.addEventListener, signal.removeEventListener, signal.throwIfAborted];
  return typeof signal.aborted === "boolean" && methods.every((method) => typeof method === "function");
}

/** Whether the value is a URL object, possibly of another realm. */
export function isURL(value: unknown): value is URL {
  return value instanceof URL || (tagOf(value) === "URL" && typeof (value as URL).href === "string");
}

/** The class name of a platform object of any realm, such as `URL` or `ArrayBuffer`. Never throws. */
export function tagOf(value: unknown): string {
  try {
    return Object.prototype.toString.call(value).slice(8, -1);
  } catch {
    return ""; // A revoked Proxy, or a getter that throws.
  }
}

/**
 * Whether the value is an object of no class, of any realm: no Error, Promise or Response. Never throws.
 */
export function isPlainObject(value: unknown): boolean {
  if (tagOf(value) !== "Object") return false;
  try {
    const prototype: unknown = Object.getPrototypeOf(value);
    return prototype === null || Object.getPrototypeOf(prototype) === null;
  } catch {
    return false; // A Proxy.
  }
}

/** @param remedy what to do instead: a sentence */
export function invalidArgument(
  name: string,
  what: string,
  got: unknown,
  remedy?: string,
): InvalidArgumentError {
  const advice = remedy === undefined ? "" : ` ${remedy}`;
  return new InvalidArgumentError(`Expected \`${name}\` to be ${what}, got ${describe(got)}.${advice}`);
}

/** A value as error messages show it: `"20s" (string)`, `null`, `an object`. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case "string":
      return `${JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value)} (string)`;
    case "number":
    case "bigint":
    case "boolean":
      return `${value} (${typeof value})`;
    case "undefined":
      return "undefined";
    case "object":
      return value === null ? "null" : (ARTICLES[tagOf(value)] ?? "an object");
    case "function":
    case "symbol":
      return `a ${typeof value}`;
  }
}

const ARTICLES: Readonly<Record<string, string | undefined>> = {
  Array: "an array",
  Promise: "a promise", // Of an async function, where the value itself was expected.
};

function isDuration(value: unknown): value is number {
  return typeof value === "number" && value > 0 && value <= MAX_DURATION;
}
