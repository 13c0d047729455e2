// The user info of a URL (RFC 3986 section 3.2.1), and Basic authentication with it (RFC 7617).

import { Buffer } from "node:buffer";
import { hasControlCharacter } from "../../shared/control-characters.js";
import { InvalidURLError } from "../../shared/errors.js";

export interface UserInfo {
  readonly username: string;
  readonly password: string;
}

/**
 * Reads the user info; null where there is none.
 *
 * @throws {InvalidURLError} where it is not percent-encoded UTF-8, or holds control characters. It is never shown.
 */
export function readUserInfo(url: URL): UserInfo | null {
  if (url.username === "" && url.password === "") return null;
  return { username: decode(url.username), password: decode(url.password) };
}

/**
 * The value of an Authorization or Proxy-Authorization header, in UTF-8.
 *
 * @throws {InvalidURLError} for a user name with a colon: what is behind the first one is the password.
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

/** Null for what is not UTF-8, or has a lone "%". */
export function decodePercents(encoded: string): string | null {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return null;
  }
}
