// Reads the requests of the inspector's stream. They come from outside: anything else than expected is refused.

import { describe } from "../../shared/option-checks.js";
import { InvalidArgumentError } from "../../shared/errors.js";
import { ACTIONS, SELECTIONS, SORT_KEYS, VIEWS, type InspectRequest, type Query } from "./wire.js";

/** The most rows of a window. */
export const MAX_ROWS = 100;
/** Characters of a filter. */
const MAX_FILTER = 200;
/** Characters of an id. */
const MAX_ID = 100;

/** @throws InvalidArgumentError that names the field */
export function readRequest(message: unknown): InspectRequest {
  const fields = objectOf("the request", parse(message));
  const id = wholeNumber("id", fields["id"], Number.MAX_SAFE_INTEGER);
  const process = fields["process"] ?? null;
  const common = { id, process: process === null ? null : text("process", process, MAX_ID) };
  switch (fields["type"]) {
    case "look":
      return { type: "look", ...common, query: readQuery(fields["query"]) };
    case "explain":
      return {
        type: "explain",
        ...common,
        ending: wholeNumber("ending", fields["ending"], Number.MAX_SAFE_INTEGER),
      };
    case "act":
      return {
        type: "act",
        ...common,
        action: oneOf("action", fields["action"], ACTIONS),
        connection: text("connection", fields["connection"], MAX_ID),
      };
    default:
      return fail("type", '"look", "explain" or "act"', fields["type"]);
  }
}

function readQuery(value: unknown): Query {
  const fields = objectOf("query", value);
  return {
    view: oneOf("view", fields["view"], VIEWS),
    sort: oneOf("sort", fields["sort"], SORT_KEYS),
    descending: fields["descending"] === true,
    only: oneOf("only", fields["only"], SELECTIONS),
    filter: text("filter", fields["filter"], MAX_FILTER),
    offset: wholeNumber("offset", fields["offset"], Number.MAX_SAFE_INTEGER),
    limit: wholeNumber("limit", fields["limit"], MAX_ROWS),
  };
}

function parse(message: unknown): unknown {
  if (typeof message !== "string") return fail("the request", "a text", message);
  try {
    return JSON.parse(message);
  } catch {
    return fail("the request", "JSON", message);
  }
}

function objectOf(name: string, value: unknown): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>; // An object of JSON.
  return fail(name, "an object", value);
}

function text(name: string, value: unknown, most: number): string {
  if (typeof value === "string" && value.length <= most) return value;
  return fail(name, `a text of at most ${most} characters`, value);
}

function wholeNumber(name: string, value: unknown, most: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most)
    return value as number; // A number, as just checked.
  return fail(name, `a whole number from 0 to ${most}`, value);
}

function oneOf<Choice extends string>(name: string, value: unknown, choices: readonly Choice[]): Choice {
  const found = choices.find((choice) => choice === value);
  return found ?? fail(name, choices.map((choice) => `"${choice}"`).join(" or "), value);
}

function fail(name: string, what: string, got: unknown): never {
  throw new InvalidArgumentError(`Expected \`${name}\` to be ${what}, got ${describe(got)}.`);
}
