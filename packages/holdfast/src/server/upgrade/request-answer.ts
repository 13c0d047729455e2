// What `onRequest` may return, and what it says about an upgrade.

import { describe } from "../../shared/option-checks.js";
import { InvalidArgumentError } from "../../shared/errors.js";
import {
  readHeaders,
  refuseReserved,
  type HeaderField,
  type HeadersInput,
} from "../../protocol/handshake/header-input.js";

/** An upgrade that is granted, and what goes with it. */
export interface UpgradeGrant {
  /**
   * More headers of the response that opens the connection (101, over HTTP/2 200), such as Set-Cookie; a list as the
   * value makes one line for each of its elements. Those of the handshake itself are rejected.
   */
  readonly headers?: HeadersInput | undefined;
  /** Becomes `connection.data`: whatever the handler needs to know. */
  readonly data?: unknown;
}

/** What `onRequest` may return: an answer, or nothing, or what goes with the upgrade; or a promise of one of them. */
// eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- What a function without `return` is inferred to return.
export type RequestAnswer = Response | UpgradeGrant | null | undefined | void;

/** A grant that was looked at. */
export interface CheckedGrant {
  readonly headers: readonly HeaderField[];
  readonly data: unknown;
}

export const PLAIN_GRANT: CheckedGrant = { headers: [], data: undefined };

/** Told by what it has rather than by its class: polyfills and other realms make Responses too. */
export function isResponse(answer: Response | UpgradeGrant): answer is Response {
  return typeof answer !== "object" || "status" in answer;
}

/**
 * @param expectation the beginning of the message of an error
 * @throws InvalidArgumentError, InvalidHeaderError
 */
export function checkGrant(
  grant: UpgradeGrant,
  expectation = "Expected `onRequest` to return a Response, nothing, or",
): CheckedGrant {
  if (typeof grant !== "object" || (grant as unknown) === null) {
    throw new InvalidArgumentError(
      `${expectation} an object with \`headers\` and \`data\`, got ${describe(grant)}`,
    );
  }
  const unknownName = Object.keys(grant).find((name) => name !== "headers" && name !== "data");
  if (unknownName !== undefined || Symbol.iterator in grant) {
    throw new InvalidArgumentError(
      `${expectation} an object with \`headers\` and \`data\`, got ${unknownName === undefined ? describe(grant) : `an object with ${describe(unknownName)}`}`,
    );
  }
  const headers = grant.headers === undefined ? [] : readHeaders(grant.headers);
  refuseReserved(headers);
  return { headers, data: grant.data };
}
