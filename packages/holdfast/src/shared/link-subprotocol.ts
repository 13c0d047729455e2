// How two ends agree on the link protocol (docs/link-protocol.md): through Sec-WebSocket-Protocol, the only header that
// a page may choose. Nothing here may import: browsers load this file as well.

/** Says: the link protocol, and no subprotocol. With a plus sign and a subprotocol behind it: both. */
const LINK = "holdfast.v1";

/**
 * Says: neither. Browsers fail a connection whose server accepts none of the subprotocols they offered, and some
 * servers accept the first one whatever it is. They get this one, which changes nothing.
 */
const PLAIN = "holdfast.plain";

const PREFIX = `${LINK}+`;

/** What was agreed on. */
export interface LinkAgreement {
  /** The application's own subprotocol; null for none. */
  readonly subprotocol: string | null;
  /** The link protocol is spoken. */
  readonly isLink: boolean;
}

/** Whether a subprotocol's name belongs to the link protocol, and so is none for an application. */
export function isReservedSubprotocol(name: string): boolean {
  return name === LINK || name === PLAIN || name.startsWith(PREFIX);
}

/**
 * What a client offers. The plain subprotocols come first, for servers that accept the first one unseen: those that
 * know the link protocol look for it at any place. Where it `isRequired`, other servers are to refuse.
 */
export function offerLink(subprotocols: readonly string[], isRequired: boolean): readonly string[] {
  const links = subprotocols.length === 0 ? [LINK] : subprotocols.map((name) => PREFIX + name);
  if (isRequired) return links;
  return [...(subprotocols.length === 0 ? [PLAIN] : subprotocols), ...links];
}

/** What the server's answer to such an offer means; "" stands for none. */
export function readLinkAnswer(answer: string): LinkAgreement {
  if (answer === LINK) return { subprotocol: null, isLink: true };
  if (answer === PLAIN || answer === "") return { subprotocol: null, isLink: false };
  if (answer.startsWith(PREFIX)) return { subprotocol: answer.slice(PREFIX.length), isLink: true };
  return { subprotocol: answer, isLink: false };
}

/** The application's subprotocols in a client's offer, in the client's order, each once. */
export function withoutLink(offered: readonly string[], speaksLink: boolean): readonly string[] {
  const names = new Set<string>();
  for (const name of offered) {
    if (!isReservedSubprotocol(name)) names.add(name);
    const inner = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : "";
    if (speaksLink && inner !== "" && !isReservedSubprotocol(inner)) names.add(inner);
  }
  return [...names];
}

/** How a server answers such an offer, once it has chosen a subprotocol out of it; null for no header at all. */
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
