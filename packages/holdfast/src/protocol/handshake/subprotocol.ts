import { InvalidArgument } from "../errors.js";
import type { HeaderList } from "./header-list.js";
import { quote, quoteAll } from "./quote.js";
import { parseTokenList } from "./token.js";

/** How a server chooses among the subprotocols that a client offers. */
export interface SubprotocolOptions {
  /** The server's subprotocols, the preferred one first. */
  readonly subprotocols: readonly string[];
  /** Chooses instead of that list; null or undefined for none. Called where the client offers at least one. */
  readonly selectSubprotocol?: ((offered: readonly string[]) => string | null | undefined) | undefined;
}

/** The subprotocols of a request in the client's order, or the sentence that says what is wrong with them. */
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
 * The subprotocol that the connection will speak, or null for none (RFC 6455 section 4.2.2).
 *
 * @throws {InvalidArgument} where `selectSubprotocol` returns one that was not offered.
 */
export function chooseSubprotocol(offered: readonly string[], options: SubprotocolOptions): string | null {
  if (offered.length === 0) return null;
  if (options.selectSubprotocol === undefined) {
    return options.subprotocols.find((subprotocol) => offered.includes(subprotocol)) ?? null;
  }
  const selected = options.selectSubprotocol(offered) ?? null;
  if (selected === null || offered.includes(selected)) return selected;
  throw new InvalidArgument(
    `Expected \`selectSubprotocol\` to return null or one of ${quoteAll(offered)}, got ${quote(selected)}.`,
  );
}
