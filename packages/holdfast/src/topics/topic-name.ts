// Names of topics, and their form in link messages (docs/link-protocol.md).

import { InvalidArgumentError } from "../shared/errors.js";
import { describe, invalidArgument } from "../shared/option-checks.js";

/** Bytes of UTF-8. */
const MAX_NAME = 256;
/** Bytes of a UTF-16 code unit, at most. Short names are not counted: that took a quarter of publishing. */
const MAX_CHARACTER = 3;

const encoder = new TextEncoder();

/**
 * A name is any text of 1 to 256 bytes of UTF-8.
 * @throws InvalidArgumentError
 */
export function checkTopic(value: unknown): string {
  if (typeof value !== "string" || value === "")
    throw invalidArgument("topic", "a text that is not empty", value);
  const size = value.length * MAX_CHARACTER <= MAX_NAME ? 0 : encoder.encode(value).length;
  if (size > MAX_NAME) {
    throw new InvalidArgumentError(
      `Expected \`topic\` to be at most ${MAX_NAME} bytes of UTF-8, got ${size}. Choose a shorter name.`,
    );
  }
  if (isWellFormed(value)) return value;
  throw new InvalidArgumentError(
    `Expected \`topic\` to be well-formed Unicode, got half of a surrogate pair in ${describe(value)}.`,
  );
}

/** Percent-encodes characters that would end an argument: space, control characters, and the percent sign itself. */
export function escapeTopic(topic: string): string {
  return topic.replace(SPECIAL, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  });
}

/** Returns the name in a link message; null if it is invalid. */
export function unescapeTopic(escaped: string): string | null {
  try {
    return checkTopic(decodeURIComponent(escaped));
  } catch {
    return null; // The peer may send anything.
  }
}

// eslint-disable-next-line no-control-regex -- These are the characters to escape.
const SPECIAL = /[\u0000-\u0020%\u007f]/g;

/** Half of a surrogate pair has no UTF-8: all of them would become the same character. */
export function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}

const LONE_SURROGATE = /\p{Surrogate}/u;
