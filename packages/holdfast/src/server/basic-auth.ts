// HTTP Basic authentication (RFC 7617) as an `onRequest`.

import { createHash, timingSafeEqual } from "node:crypto";
import { checkOptionNames } from "../shared/option-names.js";
import { checkFunction, invalidArgument } from "../shared/option-checks.js";
import { isThenable, toPromise } from "../connection/arguments.js";
import { InvalidArgumentError } from "../shared/errors.js";
import type { ServerRequest } from "./upgrade/server-request.js";

/** Who may come in: one user, or whoever `check` says. */
export type BasicAuthOptions = {
  /** What browsers show in their dialogue; printable ASCII. @default "WebSocket" */
  readonly realm?: string;
} & (
  | { readonly user: string; readonly password: string }
  | {
      /**
       * Judges a name and a password; may be slow, as a good password hash is. What it throws is answered with 500.
       * To keep who came, remember the request: the handler gets the same object.
       */
      readonly check: (user: string, password: string, request: ServerRequest) => boolean | Promise<boolean>;
    }
);

/** The names of both forms. */
const BASIC_AUTH_OPTIONS = { realm: true, user: true, password: true, check: true } as const;

/** Lets a request pass, or answers it with 401. */
export type Guard = (request: ServerRequest) => Response | undefined | Promise<Response | undefined>;

/**
 * An `onRequest` that lets in who sends the right credentials, and answers others with 401. The time that it takes
 * tells nothing about a name or a password. Over anything but TLS or the loopback, Basic authentication shows the
 * password to whoever listens.
 *
 * @throws InvalidArgumentError
 */
export function basicAuth(options: BasicAuthOptions): Guard {
  checkOptionNames("basicAuth()", options, BASIC_AUTH_OPTIONS);
  const challenge = `Basic realm="${checkRealm(options.realm).replace(/["\\]/g, "\\$&")}", charset="UTF-8"`;
  const check = checkOf(options);
  return (request) => {
    const credentials = readCredentials(request.headers.get("Authorization"));
    // Without credentials there is no secret that the time could tell.
    if (credentials === null) return unauthorized(challenge);
    const verdict = check(credentials.user, credentials.password, request);
    return isThenable(verdict) ? toPromise(verdict).then(answerTo) : answerTo(verdict);
  };

  /** Only true is a yes: a check without types may return anything. */
  function answerTo(verdict: unknown): Response | undefined {
    return verdict === true ? undefined : unauthorized(challenge);
  }
}

type Check = (user: string, password: string, request: ServerRequest) => boolean | Promise<boolean>;

function checkOf(options: BasicAuthOptions): Check {
  if ("check" in options) {
    checkFunction("check", options.check);
    return options.check;
  }
  const { user, password } = options;
  if (typeof user !== "string" || user.includes(":")) {
    throw invalidArgument("user", "a string without a colon (RFC 7617 section 2)", user);
  }
  // Not shown: it is a secret.
  if (typeof password !== "string") {
    throw new InvalidArgumentError(`Expected \`password\` to be a string, got ${typeof password}`);
  }
  const digests = { user: digest(user), password: digest(password) };
  return (givenUser, givenPassword) => {
    const isUser = timingSafeEqual(digest(givenUser), digests.user);
    const isPassword = timingSafeEqual(digest(givenPassword), digests.password);
    return isUser && isPassword;
  };
}

/** Of one length for all, which comparing in constant time asks for. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
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
  return new Response("Expected a name and a password that are known here.", {
    status: 401,
    headers: { "WWW-Authenticate": challenge },
  });
}
