// A server's choice of the subprotocol (RFC 6455 section 1.9), the link protocol included.

import { ignoreRejection } from "../../shared/deferred.js";
import { InvalidArgumentError } from "../../shared/errors.js";
import { answerLink, withoutLink, type LinkVersion } from "../../shared/link-subprotocol.js";
import type { HeaderList } from "./header-list.js";
import { describe } from "../../shared/option-checks.js";
import { quote, quoteAll } from "../../shared/quote.js";
import { parseTokenList } from "../../shared/token.js";

/** How a server chooses from the subprotocols that a client offers. */
export interface SubprotocolOptions {
  /** The server's subprotocols, the preferred one first. */
  readonly subprotocols: readonly string[];
  /** Chooses instead of that list; returns null or undefined for none. Called if the client offers at least one. */
  readonly selectSubprotocol?: ((offered: readonly string[]) => string | null | undefined) | undefined;
  /** The newest version of the link protocol to use with clients that offer it (docs/link-protocol.md). @default 0 */
  readonly link?: LinkVersion;
}

/** The subprotocol of a connection. */
export interface SubprotocolChoice {
  /** The application's subprotocol; null for none. */
  readonly subprotocol: string | null;
  /** The value of Sec-WebSocket-Protocol in the response; null for no such header. */
  readonly subprotocolAnswer: string | null;
  /** The version of the link protocol that the connection uses; 0 for none. */
  readonly link: LinkVersion;
}

/** The subprotocols of a request in the client's order, or an error message. */
export function offeredSubprotocols(headers: HeaderList): readonly string[] | string {
  const header = headers.get("Sec-WebSocket-Protocol");
  if (header === null) return [];
  const offered = parseTokenList(header);
  if (typeof offered === "string") return `In Sec-WebSocket-Protocol: ${offered}`;
  // RFC 6455 section 4.1: the elements "MUST all be unique strings".
  if (new Set(offered).size === offered.length) return offered;
  return `Expected Sec-WebSocket-Protocol to name each subprotocol once, got ${quoteAll(offered)}.`;
}

/**
 * Chooses the subprotocol of a connection (RFC 6455 section 4.2.2).
 *
 * @throws {InvalidArgumentError} if `selectSubprotocol` returns one that was not offered.
 */
export function chooseSubprotocol(
  offered: readonly string[],
  options: SubprotocolOptions,
): SubprotocolChoice {
  const { link: newest = 0 } = options;
  const subprotocol = choose(withoutLink(offered, newest), options);
  const { answer, link } = answerLink(offered, subprotocol, newest);
  return { subprotocol, subprotocolAnswer: answer, link };
}

/** Chooses the application's subprotocol; null for none. */
function choose(offered: readonly string[], options: SubprotocolOptions): string | null {
  if (offered.length === 0) return null;
  if (options.selectSubprotocol === undefined) {
    return options.subprotocols.find((subprotocol) => offered.includes(subprotocol)) ?? null;
  }
  const selected = options.selectSubprotocol(offered) ?? null;
  if (selected === null || offered.includes(selected)) return selected;
  ignoreRejection(selected);
  throw new InvalidArgumentError(
    `Expected \`selectSubprotocol\` to return null or one of ${quoteAll(offered)}, got ${typeof selected === "string" ? quote(selected) : describe(selected)}.`,
  );
}
