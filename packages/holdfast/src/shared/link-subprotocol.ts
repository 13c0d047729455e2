// Negotiates the link protocol (docs/link-protocol.md) through Sec-WebSocket-Protocol, the only header that a web page can
// set.

/** The versions of the link protocol: 2 is version 1 with sessions. 0 stands for a connection without it. */
export type LinkVersion = 0 | 1 | 2;

/** Stands for the link protocol without a subprotocol. With a subprotocol, this name and a plus sign precede it. */
const LINKS: readonly (readonly [LinkVersion, string])[] = [
  [2, "holdfast.v2"],
  [1, "holdfast.v1"],
];

/**
 * Stands for neither. Browsers fail a connection if the server accepts none of the offered subprotocols, and some
 * servers accept the first one, whatever it is. Such servers may accept this name, which has no effect.
 */
const PLAIN = "holdfast.plain";

/** The result of the negotiation. */
export interface LinkAgreement {
  /** The application's subprotocol; null for none. */
  readonly subprotocol: string | null;
  /** The version of the link protocol that the connection uses. */
  readonly link: LinkVersion;
}

export interface LinkOffer {
  /** Whether only the names of the link protocol are offered, so that a server without it refuses. */
  readonly isRequired: boolean;
  /** Whether the client wants a session: version 2 is offered before version 1. */
  readonly wantsSession: boolean;
}

/** Whether a subprotocol's name is reserved for the link protocol, so that applications cannot use it. */
export function isReservedSubprotocol(name: string): boolean {
  return name === PLAIN || parseLinkName(name) !== null;
}

/**
 * The names that a client offers. The plain subprotocols come first, for servers that always accept the first name;
 * servers that know the link protocol find it anywhere in the list.
 */
export function offerLink(
  subprotocols: readonly string[],
  { isRequired, wantsSession }: LinkOffer,
): readonly string[] {
  const versions = LINKS.filter(([version]) => wantsSession || version === 1);
  const inner = subprotocols.length === 0 ? [null] : subprotocols;
  const links = versions.flatMap(([version]) => inner.map((name) => linkName(version, name)));
  if (isRequired) return links;
  return [...(subprotocols.length === 0 ? [PLAIN] : subprotocols), ...links];
}

/** Whether a client's offer includes sessions. */
export function offersSession(offered: readonly string[]): boolean {
  return offered.some((name) => parseLinkName(name)?.link === 2);
}

/** Interprets the server's answer to such an offer; "" stands for none. */
export function readLinkAnswer(answer: string): LinkAgreement {
  if (answer === PLAIN || answer === "") return { subprotocol: null, link: 0 };
  return parseLinkName(answer) ?? { subprotocol: answer, link: 0 };
}

/**
 * The application's subprotocols in a client's offer, in the client's order, without duplicates.
 * @param newest the newest version of the link protocol that the server speaks
 */
export function withoutLink(offered: readonly string[], newest: LinkVersion): readonly string[] {
  const names = new Set<string>();
  for (const name of offered) {
    const { subprotocol: inner, link } = parseLinkName(name) ?? { subprotocol: name, link: 0 };
    if (inner !== null && inner !== "" && link <= newest && !isReservedSubprotocol(inner)) names.add(inner);
  }
  return [...names];
}

/**
 * The server's answer to such an offer, given the subprotocol that it has chosen; null for no header.
 * @param newest the newest version of the link protocol that the server speaks
 */
export function answerLink(
  offered: readonly string[],
  chosen: string | null,
  newest: LinkVersion,
): { readonly answer: string | null; readonly link: LinkVersion } {
  for (const [version] of LINKS) {
    const name = linkName(version, chosen);
    if (version <= newest && offered.includes(name)) return { answer: name, link: version };
  }
  if (chosen === null && offered.includes(PLAIN)) return { answer: PLAIN, link: 0 };
  return { answer: chosen, link: 0 };
}

function linkName(version: LinkVersion, subprotocol: string | null): string {
  return `holdfast.v${version}${subprotocol === null ? "" : `+${subprotocol}`}`;
}

function parseLinkName(name: string): LinkAgreement | null {
  for (const [link, prefix] of LINKS) {
    if (name === prefix) return { subprotocol: null, link };
    if (name.startsWith(`${prefix}+`)) return { subprotocol: name.slice(prefix.length + 1), link };
  }
  return null;
}
