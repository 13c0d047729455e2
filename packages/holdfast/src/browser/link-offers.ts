// Decides whether to offer the link protocol to a server. If a server selects none of the offered subprotocols, or
// rejects unknown ones, the browser fails the connection. Pages cannot distinguish that from a server that is down, so
// retries without the offer are rare.

/** Maximum number of servers to remember. */
const MAX_SERVERS = 100;

/** Past results with a server. */
interface OfferHistory {
  /** Whether it opened the last connection with the offer or without; null if it has opened none. */
  acceptsOffer: boolean | null;
  /** Consecutive failed attempts. */
  failures: number;
}

/** Remembers, for the lifetime of the page, which servers accept the offer. */
export class LinkOffers {
  readonly #histories = new Map<string, OfferHistory>();

  /** The tries of one attempt, in order: true with the offer, false without it. */
  offersToTry(server: string): readonly boolean[] {
    const { acceptsOffer = null, failures = 0 } = this.#histories.get(server) ?? {};
    if (isInDoubt(acceptsOffer, failures)) return [true, false];
    return [acceptsOffer ?? true];
  }

  /** A connection was opened, with the offer or without it. */
  onOpened(server: string, acceptsOffer: boolean): void {
    this.#remember(server, { acceptsOffer, failures: 0 });
  }

  /** An attempt failed with everything that it tried. The server may be down, or it may have been replaced. */
  onFailed(server: string): void {
    const { acceptsOffer = null, failures = 0 } = this.#histories.get(server) ?? {};
    this.#remember(server, { acceptsOffer, failures: failures + 1 });
  }

  #remember(server: string, history: OfferHistory): void {
    this.#histories.delete(server); // Moves the newest entry to the end.
    this.#histories.set(server, history);
    if (this.#histories.size <= MAX_SERVERS) return;
    for (const oldest of this.#histories.keys()) {
      this.#histories.delete(oldest);
      return;
    }
  }
}

/**
 * Whether the next attempt tries both. The first attempt does, and later ones after 4, 8, 16 … consecutive failures.
 * If the server has accepted the offer before, only from 16 on: it is probably down, but it may have been replaced.
 */
function isInDoubt(acceptsOffer: boolean | null, failures: number): boolean {
  if (failures === 0) return acceptsOffer === null;
  const isPowerOfTwo = (failures & (failures - 1)) === 0;
  return isPowerOfTwo && failures >= (acceptsOffer === true ? 16 : 4);
}
