// Decides whether to offer the link protocol to a server. If a server selects none of the offered subprotocols, or
// rejects unknown ones, the browser fails the connection. Pages cannot distinguish that from a server that is down, so
// retries without the offer are rare.

/** Maximum number of servers to remember. */
const MAX_SERVERS = 100;

/** Past results with a server. */
interface OfferHistory {
  /** Whether it has accepted the link protocol on the last connection. */
  readonly speaksLink: boolean;
  /** Consecutive connections that it opened without the offer. */
  readonly plain: number;
  /** Consecutive failed attempts. */
  readonly failures: number;
}

const UNKNOWN: OfferHistory = { speaksLink: false, plain: 0, failures: 0 };

/** Remembers, for the lifetime of the page, which servers accept the offer. */
export class LinkOffers {
  readonly #histories = new Map<string, OfferHistory>();

  /**
   * The tries of one attempt, in order: true with the offer, false without it. A server that opened without the offer may
   * only have been out of reach for a moment: the offer is repeated after 4, 8, 16 … connections to it.
   *
   * @param wantsSession sessions need the link protocol, so every attempt offers it, and the first attempt twice
   */
  offersToTry(server: string, wantsSession = false): readonly boolean[] {
    const { speaksLink, plain, failures } = this.#histories.get(server) ?? UNKNOWN;
    if (plain > 0 && (wantsSession || (failures === 0 && isRarely(plain, 4)))) return [true, false];
    if (failures > 0 ? isInDoubt(speaksLink, failures) : !speaksLink && plain === 0) {
      return wantsSession ? [true, true, false] : [true, false];
    }
    return [plain === 0];
  }

  /** A connection was opened with the offer. A server that selected another subprotocol of it may reject other offers. */
  onOffered(server: string, speaksLink: boolean): void {
    this.#remember(server, { speaksLink, plain: 0, failures: 0 });
  }

  /** A connection was opened without the offer. */
  onPlain(server: string): void {
    const { plain } = this.#histories.get(server) ?? UNKNOWN;
    this.#remember(server, { speaksLink: false, plain: plain + 1, failures: 0 });
  }

  /** An attempt failed with everything that it tried. The server may be down, or it may have been replaced. */
  onFailed(server: string): void {
    const history = this.#histories.get(server) ?? UNKNOWN;
    this.#remember(server, { ...history, failures: history.failures + 1 });
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
 * Whether an attempt after failures tries both: after 4, 8, 16 … in a row. If the server has accepted the offer before, only
 * from 16 on: it is probably down, but it may have been replaced.
 */
function isInDoubt(speaksLink: boolean, failures: number): boolean {
  return isRarely(failures, speaksLink ? 16 : 4);
}

/** Whether the count is `least`, a power of two, or twice that, and so on. */
function isRarely(count: number, least: number): boolean {
  return count >= least && (count & (count - 1)) === 0;
}
