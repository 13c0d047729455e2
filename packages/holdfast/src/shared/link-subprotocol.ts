// Negotiates the link protocol (docs/link-protocol.md) through Sec-WebSocket-Protocol, the only header that a web page can
// set.

/** Stands for the link protocol without a subprotocol. With a subprotocol, this name and a plus sign precede it. */
const LINK = "holdfast.v1";

/**
 * Stands for neither. Browsers fail a connection if the server accepts none of the offered subprotocols, and some
 * servers accept the first one, whatever it is. Such servers may accept this name, which has no effect.
 */
const PLAIN = "holdfast.plain";

const PREFIX = `${LINK}+`;

/** The result of the negotiation. */
export interface LinkAgreement {
  /** The application's subprotocol; null for none. */
  readonly subprotocol: string | null;
  /** Whether the connection uses the link protocol. */
  readonly isLink: boolean;
}

/** Whether a subprotocol's name is reserved for the link protocol, so that applications cannot use it. */
export function isReservedSubprotocol(name: string): boolean {
  return name === LINK || name === PLAIN || name.startsWith(PREFIX);
}

/**
 * The names that a client offers. The plain subprotocols come first, for servers that always accept the first name;
 * servers that know the link protocol find it anywhere in the list. If it `isRequired`, only its names are offered, so
 * that other servers refuse.
 */
export function offerLink(subprotocols: readonly string[], isRequired: boolean): readonly string[] {
  const links = subprotocols.length === 0 ? [LINK] : subprotocols.map((name) => PREFIX + name);
  if (isRequired) return links;
  return [...(subprotocols.length === 0 ? [PLAIN] : subprotocols), ...links];
}

/** Interprets the server's answer to such an offer; "" stands for none. */
export function readLinkAnswer(answer: string): LinkAgreement {
  if (answer === LINK) return { subprotocol: null, isLink: true };
  if (answer === PLAIN || answer === "") return { subprotocol: null, isLink: false };
  if (answer.startsWith(PREFIX)) return { subprotocol: answer.slice(PREFIX.length), isLink: true };
  return { subprotocol: answer, isLink: false };
}

/** The application's subprotocols in a client's offer, in the client's order, without duplicates. */
export function withoutLink(offered: readonly string[], speaksLink: boolean): readonly string[] {
  const names = new Set<string>();
  for (const name of offered) {
    if (!isReservedSubprotocol(name)) names.add(name);
    const inner = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : "";
    if (speaksLink && inner !== "" && !isReservedSubprotocol(inner)) names.add(inner);
  }
  return [...names];
}

/** The server's answer to such an offer, given the subprotocol that it has chosen; null for no header. */
export function answerLink(
  offered: readonly string[],
  chosen: string | null,
  speaksLink: boolean,
): { readonly answer: string | null; readonly isLink: boolean } {
  const link = chosen === null ? LINK : PREFIX + chosen;
  if (speaksLink && offered.includes(link)) return { answer: link, isLink: true };
  if (chosen === null && offered.includes(PLAIN)) return { answer: PLAIN, isLink: false };
  return { answer: chosen, isLink: false };
}
