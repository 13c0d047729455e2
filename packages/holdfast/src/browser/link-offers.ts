// Whether to offer the link protocol to a server. One that accepts none of the subprotocols that it is offered, or
// refuses those it does not know, makes a browser fail the connection, and a browser does not tell a page why it could
// not connect: a server that is down looks the same. So a second try without the offer is made seldom.

/** Servers that are remembered. */
const MAX_SERVERS = 100;

/** What a server made of the offer. */
interface Experience {
  /** Whether it opened a connection with the offer, or only without; null where it has opened none. */
  acceptsOffer: boolean | null;
  /** Attempts in a row that failed. */
  failures: number;
}

/** Remembers, for as long as the page lives, what servers made of the offer. */
export class LinkOffers {
  readonly #experiences = new Map<string, Experience>();

  /** What one attempt tries with this server, in order: with the offer (true) or without it. */
  tries(server: string): readonly boolean[] {
    const { acceptsOffer = null, failures = 0 } = this.#experiences.get(server) ?? {};
    if (isInDoubt(acceptsOffer, failures)) return [true, false];
    return [acceptsOffer ?? true];
  }

  /** A connection was opened, with the offer or without it. */
  onOpened(server: string, acceptsOffer: boolean): void {
    this.#remember(server, { acceptsOffer, failures: 0 });
  }

  /** An attempt failed with all that it tried. The server may be down; or it is another one by now. */
  onFailed(server: string): void {
    const { acceptsOffer = null, failures = 0 } = this.#experiences.get(server) ?? {};
    this.#remember(server, { acceptsOffer, failures: failures + 1 });
  }

  #remember(server: string, experience: Experience): void {
    this.#experiences.delete(server); // So that the newest are last.
    this.#experiences.set(server, experience);
    if (this.#experiences.size <= MAX_SERVERS) return;
    for (const oldest of this.#experiences.keys()) {
      this.#experiences.delete(oldest);
      return;
    }
  }
}

/**
 * Whether the next attempt tries both: the first contact does. Later ones do when the failures in a row are 4, 8, 16 …,
 * for a server that has accepted the offer from 16 on: it is most likely down, but it may have been replaced.
 */
function isInDoubt(acceptsOffer: boolean | null, failures: number): boolean {
  if (failures === 0) return acceptsOffer === null;
  const isPowerOfTwo = (failures & (failures - 1)) === 0;
  return isPowerOfTwo && failures >= (acceptsOffer === true ? 16 : 4);
}
