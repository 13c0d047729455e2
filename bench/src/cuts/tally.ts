// Counts one sequence of messages at both ends, and compares them.

export interface Verdict {
  readonly sent: number;
  readonly received: number;
  /** Sent, not received, and not reported as unsent. */
  readonly lost: number;
  readonly duplicated: number;
  /** Received after a later one. */
  readonly disordered: number;
  /** Reported as unsent to the sender. */
  readonly unsent: number;
  /** Reported as unsent to the sender, but received. */
  readonly misreported: number;
}

export class Tally {
  #sent = 0;
  readonly #received = new Set<number>();
  readonly #unsent = new Set<number>();
  readonly #uncertain = new Set<number>();
  #first: number | null = null;
  #newest = -1;
  #duplicated = 0;
  #disordered = 0;

  /** @param startsAnywhere the receiver may miss the first messages, as it may join a broadcast late */
  constructor(startsAnywhere = false) {
    if (!startsAnywhere) this.#first = 0;
  }

  get sent(): number {
    return this.#sent;
  }

  get received(): number {
    return this.#received.size;
  }

  onSent(): void {
    this.#sent++;
  }

  onUnsent(number: number): void {
    this.#unsent.add(number);
  }

  /** The sender cannot know. */
  onUncertain(number: number): void {
    this.#uncertain.add(number);
  }

  onReceived(number: number): void {
    this.#first ??= number;
    if (this.#received.has(number)) this.#duplicated++;
    else if (number < this.#newest) this.#disordered++;
    this.#received.add(number);
    this.#newest = Math.max(this.#newest, number);
  }

  get verdict(): Verdict {
    let lost = 0;
    let misreported = 0;
    for (let number = this.#first ?? 0; number < this.#sent; number++) {
      if (this.#unsent.has(number)) misreported += Number(this.#received.has(number));
      else if (!this.#uncertain.has(number)) lost += Number(!this.#received.has(number));
    }
    return {
      sent: this.#sent - (this.#first ?? 0),
      received: this.#received.size,
      lost,
      duplicated: this.#duplicated,
      disordered: this.#disordered,
      unsent: this.#unsent.size,
      misreported,
    };
  }
}

export function sum(verdicts: readonly Verdict[]): Verdict {
  const total = { sent: 0, received: 0, lost: 0, duplicated: 0, disordered: 0, unsent: 0, misreported: 0 };
  for (const verdict of verdicts) {
    for (const name of Object.keys(total) as (keyof Verdict)[]) total[name] += verdict[name];
  }
  return total;
}
