// HTTP Basic authentication (RFC 7617) as an `onRequest` callback.

import { nodeModule } from "../protocol/node-module.js";
import { requireOptions } from "../shared/option-names.js";
import { checkFunction, invalidArgument } from "../shared/option-checks.js";
import { isThenable, toPromise } from "../connection/arguments.js";
import { InvalidArgumentError } from "../shared/errors.js";
import type { ServerRequest } from "./upgrade/server-request.js";

/** The realm of HTTP Basic authentication (RFC 7617 section 2). */
export interface RealmOptions {
  /** The name that browsers show in their dialog; printable ASCII. @default "WebSocket" */
  readonly realm?: string | undefined;
}

/** The accepted credentials: those of one user, or those that `check` accepts. */
export type BasicAuthOptions = RealmOptions &
  (
    | {
        readonly user: string;
        /** Not empty, so that a variable of the environment that is not set admits nobody. */
        readonly password: string;
      }
    | {
        /**
         * Returns whether the name and the password are valid; may be slow, as a good password hash is. If it throws,
         * the server answers with 500. To remember the user, use the request as a key: the handler receives the same
         * object.
         */
        readonly check: (
          user: string,
          password: string,
          request: ServerRequest,
        ) => boolean | Promise<boolean>;
      }
  );

/** The option names of both forms. */
const BASIC_AUTH_OPTIONS = { realm: true, user: true, password: true, check: true } as const;

/** An `onRequest` callback that accepts a request, or answers it with 401. */
export type Guard = (request: ServerRequest) => Response | undefined | Promise<Response | undefined>;

/**
 * Creates an `onRequest` callback that accepts requests with valid credentials and answers others with 401. It compares
 * in constant time, so that the response time reveals nothing about the name or the password. Use it over TLS or
 * loopback only: Basic authentication sends the password unencrypted.
 *
 * @throws InvalidArgumentError
 */
export function basicAuth(options: BasicAuthOptions): Guard {
  requireOptions("basicAuth()", options, BASIC_AUTH_OPTIONS);
  const challenge = `Basic realm="${checkRealm(options.realm).replace(/["\\]/g, "\\$&")}", charset="UTF-8"`;
  const check = credentialsCheck(options);
  return (request) => {
    const credentials = readCredentials(request.headers.get("Authorization"));
    // Without credentials, the response time cannot reveal a secret.
    if (credentials === null) return unauthorized(challenge);
    const verdict = check(credentials.user, credentials.password, request);
    return isThenable(verdict) ? toPromise(verdict).then(responseTo) : responseTo(verdict);
  };

  /** Only `true` accepts: a `check` written in plain JavaScript may return anything. */
  function responseTo(verdict: unknown): Response | undefined {
    return verdict === true ? undefined : unauthorized(challenge);
  }
}

type Check = (user: string, password: string, request: ServerRequest) => boolean | Promise<boolean>;

function credentialsCheck(options: BasicAuthOptions): Check {
  if ("check" in options) {
    checkFunction("check", options.check);
    if ("user" in options || "password" in options) {
      throw new InvalidArgumentError(
        "Expected `check`, or `user` and `password`, got both. Let `check` compare the credentials.",
      );
    }
    return options.check;
  }
  const { user, password } = options;
  if (typeof user !== "string" || user.includes(":")) {
    throw invalidArgument("user", "a string without a colon (RFC 7617 section 2)", user);
  }
  // The message must not show the password.
  if (typeof password !== "string") {
    throw new InvalidArgumentError(`Expected \`password\` to be a string, got ${typeof password}.`);
  }
  if (password === "") {
    throw new InvalidArgumentError(
      "Expected `password` to have at least one character, got an empty string. Check that the variable that holds it is set.",
    );
  }
  const digests = { user: digest(user), password: digest(password) };
  const { timingSafeEqual } = nodeModule("node:crypto");
  return (givenUser, givenPassword) => {
    const isUser = timingSafeEqual(digest(givenUser), digests.user);
    const isPassword = timingSafeEqual(digest(givenPassword), digests.password);
    return isUser && isPassword;
  };
}

/** `timingSafeEqual` needs inputs of equal length. */
function digest(text: string): Buffer {
  return nodeModule("node:crypto").createHash("sha256").update(text).digest();
}

/** RFC 7617 section 2: base64 of UTF-8; the first colon ends the name. */
function readCredentials(header: string | null): { readonly user: string; readonly password: string } | null {
  const [, base64 = ""] = BASIC.exec(header ?? "") ?? [];
  const text = Buffer.from(base64, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon === -1 ? null : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

const BASIC = /^Basic +([A-Za-z0-9+/]+={0,2})$/i;

function checkRealm(realm: unknown = "WebSocket"): string {
  if (typeof realm === "string" && /^[\x20-\x7e]*$/.test(realm)) return realm;
  throw invalidArgument("realm", "printable ASCII", realm);
}

function unauthorized(challenge: string): Response {
  return new Response("Expected a valid name and password.", {
    status: 401,
    headers: { "WWW-Authenticate": challenge },
  });
}
