// The return value of `onRequest`, and its checks.

import { describe, isPlainObject, tagOf } from "../../shared/option-checks.js";
import { InvalidArgumentError } from "../../shared/errors.js";
import {
  readHeaders,
  refuseReserved,
  type HeaderField,
  type HeadersInput,
} from "../../protocol/handshake/header-input.js";

/** Accepts an upgrade, with optional headers, and with data of the type `Data`. */
export interface UpgradeGrant<Data = unknown> {
  /**
   * Additional headers of the response that opens the connection (101; over HTTP/2, 200), such as Set-Cookie. A list as
   * the value produces one line per element. Headers of the handshake itself are rejected.
   */
  readonly headers?: HeadersInput | undefined;
  /** Becomes `connection.data`: any value that the handler needs. */
  readonly data?: Data | undefined;
}

/**
 * The return value of `onRequest`: a `Response` to send instead of upgrading, or nothing or an `UpgradeGrant` to
 * accept; or a promise of one of them. If `Data` cannot be undefined, each request that is accepted needs `data`.
 */
export type RequestAnswer<Data = unknown> =
  | Response
  | (UpgradeGrant<Data> & { readonly data: Data })
  | (undefined extends NoInfer<Data> // The condition must not infer `Data`.
      ? // eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- The inferred return type of a function without `return`.
        UpgradeGrant<undefined> | null | undefined | void
      : never);

/** A validated grant. */
export interface CheckedGrant {
  readonly headers: readonly HeaderField[];
  readonly data: unknown;
}

export const EMPTY_GRANT: CheckedGrant = { headers: [], data: undefined };

/** Tests the properties rather than the class: polyfills and other realms create Responses too. */
export function isResponse(answer: Response | UpgradeGrant): answer is Response {
  return typeof answer !== "object" || "status" in answer;
}

/**
 * Accepts only a plain object: an Error that was caught and returned, a Response, or a promise is no consent.
 *
 * @param expectation the beginning of the error message
 * @throws InvalidArgumentError, InvalidHeaderError
 */
export function checkGrant(
  grant: UpgradeGrant,
  expectation = "Expected `onRequest` to return a Response, nothing, or",
): CheckedGrant {
  const isPlain = isPlainObject(grant);
  const unknownName = isPlain
    ? Object.keys(grant).find((name) => name !== "headers" && name !== "data")
    : undefined;
  if (!isPlain || unknownName !== undefined || Symbol.iterator in grant) {
    const got = unknownName === undefined ? describe(grant) : `an object with ${describe(unknownName)}`;
    const cause = tagOf(grant) === "Error" ? { cause: grant } : {};
    throw new InvalidArgumentError(
      `${expectation} a plain object with \`headers\` and \`data\`, got ${got}.`,
      cause,
    );
  }
  const headers = grant.headers === undefined ? [] : readHeaders(grant.headers);
  refuseReserved(headers);
  return { headers, data: grant.data };
}
