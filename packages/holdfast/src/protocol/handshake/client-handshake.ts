// The client's side of the opening handshake (RFC 6455 section 4.1).

import { Buffer } from "node:buffer";
import { InvalidHeaderError, InvalidUpgradeError, NegotiationError } from "../../shared/errors.js";
import { acceptKey } from "./accept-key.js";
import { parseAuthority } from "./authority.js";
import { parseExtensions } from "./extension-header.js";
import { checkedValue, headerList, readHeaders, refuseReserved } from "./header-input.js";
import type { HeaderField, HeadersInput } from "./header-input.js";
import type { HeaderList } from "./header-list.js";
import { quote, quoteAll } from "../../shared/quote.js";
import type { ResponseHead } from "./response-head.js";
import { readLinkAnswer, withoutLink } from "../../shared/link-subprotocol.js";
import { noneSelected } from "../../shared/subprotocol-required.js";
import { isToken, listHasToken } from "../../shared/token.js";
import type { WebSocketURL } from "./url.js";

/** The contents of a client's request. */
export interface ClientHandshakeOptions {
  readonly url: WebSocketURL;
  /** 16 random bytes in base64, new for each connection; null over HTTP/2, which uses no key (RFC 8441 section 5). */
  readonly key: string | null;
  /** Additional headers. Host, User-Agent and Authorization override those of the handshake. */
  readonly headers?: HeadersInput | undefined;
  /** The preferred one first. */
  readonly subprotocols?: readonly string[] | undefined;
  readonly origin?: string | null | undefined;
  /** The value of Sec-WebSocket-Extensions. */
  readonly extensionOffer?: string | null | undefined;
  readonly userAgent?: string | null | undefined;
}

/** The request, as fields and as bytes. */
export interface ClientHandshake {
  readonly request: HandshakeHead;
  /** The bytes of the request for HTTP/1.1; not used over HTTP/2. */
  readonly bytes: Uint8Array;
}

export interface HandshakeHead {
  readonly method: "CONNECT" | "GET";
  readonly target: string;
  /** Includes Host, also over HTTP/2, where it is sent as `:authority`. */
  readonly headers: HeaderList;
}

/**
 * Checks the caller's values and builds the request, before any I/O.
 *
 * @throws {InvalidHeaderError} for a header, a subprotocol or an origin that cannot be sent.
 */
export function createClientHandshake(options: ClientHandshakeOptions): ClientHandshake {
  const given = options.headers === undefined ? [] : readHeaders(options.headers);
  refuseReserved(given);
  const { url } = options;
  const headers = headerList([
    // RFC 9112 section 3.2: Host should come first.
    ["Host", givenHost(given) ?? url.host],
    ...upgradeFields(options.key),
    ["Sec-WebSocket-Version", "13"],
    ...field("Sec-WebSocket-Extensions", options.extensionOffer),
    ...field("Sec-WebSocket-Protocol", subprotocolList(options.subprotocols ?? [])),
    ...originField(given, options.origin),
    ...(givenOnce(given, "User-Agent") === null ? field("User-Agent", options.userAgent) : []),
    ...(givenOnce(given, "Authorization") === null ? field("Authorization", url.authorization) : []),
    ...given.filter(([name]) => name.toLowerCase() !== "host"),
  ]);
  const head = `GET ${url.target} HTTP/1.1\r\n${headers.toString()}\r\n`;
  const method = options.key === null ? "CONNECT" : "GET";
  return { request: { method, target: url.target, headers }, bytes: Buffer.from(head, "latin1") };
}

/** None over HTTP/2, where `:protocol` requests the upgrade (RFC 8441 section 5). */
function upgradeFields(key: string | null): HeaderField[] {
  if (key === null) return [];
  return [
    ["Upgrade", "websocket"],
    ["Connection", "Upgrade"],
    ["Sec-WebSocket-Key", key],
  ];
}

/** The client's values that the server's response has to match. */
export interface ExpectedAnswer {
  /** The key that was sent; null over HTTP/2. */
  readonly key: string | null;
  /** The subprotocols that were offered. */
  readonly subprotocols: readonly string[];
  /** Whether the server must select one of them. @default false */
  readonly requireSubprotocol?: boolean;
  /** The names of the extensions that were offered. */
  readonly offeredExtensions: readonly string[];
}

/** The result of the handshake. */
export type ServerAnswer =
  | {
      readonly outcome: "accepted";
      readonly subprotocol: string | null;
      /** The value of Sec-WebSocket-Extensions: well formed, with offered names only. */
      readonly extensions: string | null;
    }
  /** The status is not 101 (over HTTP/2, not 200): an ordinary response, with a body. */
  | { readonly outcome: "refused-status" }
  | { readonly outcome: "failed"; readonly error: InvalidUpgradeError | NegotiationError };

/** Checks the server's response against the numbered list at the end of RFC 6455 section 4.1, or RFC 8441 over HTTP/2. */
export function checkServerAnswer(head: ResponseHead, expected: ExpectedAnswer): ServerAnswer {
  const { status } = head;
  const { key } = expected;
  // Like browsers: another status of success would have to be a WebSocket as well, and comes from ordinary HTTP servers.
  if (status !== (key === null ? 200 : 101)) return { outcome: "refused-status" };
  const upgradeError = key === null ? null : findUpgradeError(head, key);
  const error = upgradeError ?? findNegotiationError(head.headers, expected);
  if (error !== null) return { outcome: "failed", error };
  return {
    outcome: "accepted",
    subprotocol: head.headers.get("Sec-WebSocket-Protocol"),
    extensions: head.headers.get("Sec-WebSocket-Extensions"),
  };
}

function field(name: string, value: string | null | undefined): HeaderField[] {
  return value === null || value === undefined ? [] : [[name, checkedValue(name, value)]];
}

/** RFC 6455 section 4.1: unique tokens in the order of preference. */
function subprotocolList(subprotocols: readonly string[]): string | null {
  const header = "Sec-WebSocket-Protocol";
  // For callers without types; the cast keeps `isArray` from making the elements `any`.
  if (!Array.isArray(subprotocols)) {
    throw new InvalidHeaderError(
      `Expected \`subprotocols\` to be a list, got ${typeof subprotocols}.`,
      header,
    );
  }
  for (const [index, subprotocol] of subprotocols.entries()) {
    if (typeof subprotocol !== "string" || !isToken(subprotocol)) {
      const got = typeof subprotocol === "string" ? quote(subprotocol) : typeof subprotocol;
      throw new InvalidHeaderError(
        `Expected a subprotocol to be a token (RFC 6455 section 4.1), got ${got}.`,
        header,
      );
    }
    if (subprotocols.indexOf(subprotocol) !== index) {
      throw new InvalidHeaderError(
        `Expected each subprotocol once, got ${quote(subprotocol)} twice.`,
        header,
      );
    }
  }
  return subprotocols.length === 0 ? null : subprotocols.join(", ");
}

function originField(given: readonly HeaderField[], origin: string | null | undefined): HeaderField[] {
  if (givenOnce(given, "Origin") !== null && origin !== null && origin !== undefined) {
    throw new InvalidHeaderError("Expected the origin as `origin` or in `headers`, got both.", "Origin");
  }
  return field("Origin", origin);
}

/** A Host that differs from the URL's selects one of several sites at the same address. */
function givenHost(given: readonly HeaderField[]): string | null {
  const host = givenOnce(given, "Host");
  if (host !== null && parseAuthority(host) === null) {
    throw new InvalidHeaderError(
      `Expected the header "Host" to be a host and an optional port, got ${quote(host)}.`,
      "Host",
    );
  }
  return host;
}

/** The value of a header that a request carries at most once. */
function givenOnce(given: readonly HeaderField[], name: string): string | null {
  const found = given.filter(([other]) => other.toLowerCase() === name.toLowerCase());
  if (found.length > 1)
    throw new InvalidHeaderError(`Expected the header ${quote(name)} once, got it twice.`, name);
  return found.length === 0 ? null : found[0][1];
}

/** Points 2 to 4 of the list. */
function findUpgradeError({ minorVersion, headers }: ResponseHead, key: string): InvalidUpgradeError | null {
  if (minorVersion === 0)
    return new InvalidUpgradeError("Expected the server to upgrade in HTTP/1.1, got HTTP/1.0.");
  const upgrade = headers.getAll("Upgrade");
  if (upgrade.length !== 1 || upgrade[0]?.toLowerCase() !== "websocket") {
    return new InvalidUpgradeError(`Expected the header "Upgrade: websocket", got ${quoteAll(upgrade)}.`);
  }
  const connection = headers.get("Connection");
  if (connection === null || !listHasToken(connection, "upgrade")) {
    return new InvalidUpgradeError(
      `Expected the header "Connection: Upgrade", got ${quoteAll(headers.getAll("Connection"))}.`,
    );
  }
  const accept = headers.getAll("Sec-WebSocket-Accept");
  if (accept.length === 1 && accept[0] === acceptKey(key)) return null;
  return new InvalidUpgradeError(
    `Expected Sec-WebSocket-Accept to be ${quote(acceptKey(key))}, got ${quoteAll(accept)}.`,
  );
}

/** Points 5 and 6 of the list, which apply to HTTP/2 as well (RFC 8441 section 5). */
function findNegotiationError(
  headers: HeaderList,
  offered: Pick<ExpectedAnswer, "subprotocols" | "requireSubprotocol" | "offeredExtensions">,
): InvalidUpgradeError | NegotiationError | null {
  const extensions = headers.getAll("Sec-WebSocket-Extensions");
  // RFC 6455 sections 11.3.2 and 11.3.4: neither field may be repeated in a response.
  if (extensions.length > 1) {
    return new InvalidUpgradeError(
      `Expected one header "Sec-WebSocket-Extensions", got ${quoteAll(extensions)}.`,
    );
  }
  for (const header of extensions) {
    const accepted = parseExtensions(header);
    if (typeof accepted === "string")
      return new InvalidUpgradeError(`In Sec-WebSocket-Extensions: ${accepted}`);
    const unexpected = accepted.find(({ name }) => !offered.offeredExtensions.includes(name));
    if (unexpected === undefined) continue;
    const expected = `Expected the server to accept only extensions among ${quoteAll(offered.offeredExtensions)}`;
    return new NegotiationError(`${expected}, got ${quote(unexpected.name)}.`);
  }
  const subprotocols = headers.getAll("Sec-WebSocket-Protocol");
  const wanted = withoutLink(offered.subprotocols, 2);
  const isLinkAlone = wanted.length > 0 && readLinkAnswer(subprotocols[0] ?? "").subprotocol === null;
  if (offered.requireSubprotocol === true && (subprotocols.length === 0 || isLinkAlone))
    return new NegotiationError(noneSelected(wanted));
  if (subprotocols.length === 0) return null;
  if (subprotocols.length === 1 && offered.subprotocols.includes(subprotocols[0] ?? "")) return null;
  const expected = `Expected the server to choose one subprotocol among ${quoteAll(offered.subprotocols)}`;
  return new NegotiationError(`${expected}, got ${quoteAll(subprotocols)}.`);
}
