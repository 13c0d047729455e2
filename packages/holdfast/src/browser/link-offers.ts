// Whether to offer the link protocol to a server. One that knows nothing of it mostly just ignores the offer, but there
// are some that refuse what they do not know, and a browser does not tell a page why it could not connect.

/** Failures in a row after which what is known of a server is in doubt. */
const DOUBTS = 3;

/** Servers that are remembered. */
const MAX_SERVERS = 100;

/** What a server made of the offer. */
interface Experience {
  readonly acceptsOffer: boolean;
  failures: number;
}

/** Remembers, for as long as the page lives, what servers made of the offer. */
export class LinkOffers {
  readonly #experiences = new Map<string, Experience>();

  /** What to try with this server, in order: with the offer (true) or without it. */
  tries(server: string): readonly boolean[] {
    const experience = this.#experiences.get(server);
    return experience === undefined ? [true, false] : [experience.acceptsOffer];
  }

  /** A connection was opened, with the offer or without it. */
  onOpened(server: string, acceptsOffer: boolean): void {
    this.#experiences.delete(server); // So that the newest are last.
    this.#experiences.set(server, { acceptsOffer, failures: 0 });
    if (this.#experiences.size <= MAX_SERVERS) return;
    for (const oldest of this.#experiences.keys()) {
      this.#experiences.delete(oldest);
      return;
    }
  }

  /** None could be opened. It may be down; or it is another server by now. */
  onFailed(server: string): void {
    const experience = this.#experiences.get(server);
    if (experience !== undefined && ++experience.failures >= DOUBTS) this.#experiences.delete(server);
  }
}
