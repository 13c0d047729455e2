// The user info of a URL (RFC 3986 section 3.2.1), and Basic authentication with it (RFC 7617).

import { Buffer } from "node:buffer";
import { hasControlCharacter } from "../../shared/control-characters.js";
import { InvalidURLError } from "../../shared/errors.js";

export interface UserInfo {
  readonly username: string;
  readonly password: string;
}

/**
 * Reads the user info; null if there is none.
 *
 * @throws {InvalidURLError} if it is not percent-encoded UTF-8, or contains control characters. The message never shows it.
 */
export function readUserInfo(url: URL): UserInfo | null {
  if (url.username === "" && url.password === "") return null;
  return { username: decode(url.username), password: decode(url.password) };
}

/**
 * The value of an Authorization or Proxy-Authorization header, in UTF-8.
 *
 * @throws {InvalidURLError} for a user name with a colon, because the password begins after the first colon.
 */
export function basicAuthorization({ username, password }: UserInfo): string {
  if (username.includes(":")) {
    throw new InvalidURLError(
      "Expected a user name without a colon in the URL, as Basic authentication cannot carry one.",
    );
  }
  return `Basic ${Buffer.from(`${username}:${password}`, "utf8").toString("base64")}`;
}

function decode(encoded: string): string {
  const decoded = decodePercents(encoded);
  if (decoded === null || hasControlCharacter(decoded)) {
    throw new InvalidURLError(
      "Expected user info of percent-encoded UTF-8 without control characters in the URL, got something else.",
    );
  }
  return decoded;
}

/** Null if the text is not UTF-8 or has a stray "%". */
export function decodePercents(encoded: string): string | null {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return null;
  }
}
