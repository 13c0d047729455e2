// Estimates what counts as late on this link, from the round trips of its pings (RFC 6298), and from the way in which TCP
// shows loss: as the kernel's retransmissions, at about 1, 3, 7, 15, 31 and 63 times the round trip plus 200 ms after the
// first transmission. Delays are therefore not normally distributed: on a good link the deviation is tiny, and one lost
// segment exceeds any multiple of it.

import { nextDeviation, nextSmoothed } from "./smoothing.js";

/** Fewer samples than this say too little. */
const SAMPLES_NEEDED = 5;

/** The shortest retransmission timeout of the Linux kernel beyond the round trip, in milliseconds (TCP_RTO_MIN). */
const RETRANSMISSION_MARGIN = 200;

/**
 * Wait until four retransmissions have failed, or five or six on a link that loses more: so many that all transmissions of
 * a ping are lost less than once in 100 million pings, as 2.5 % to the power of 5 and 4.6 % to the power of 6 are 1e-8.
 */
const [FOUR_RETRANSMISSIONS, FIVE_RETRANSMISSIONS, SIX_RETRANSMISSIONS] = [15, 31, 63];
const [FIVE_FROM, SIX_FROM] = [0.025, 0.046];
/** Losses are counted among the newest 64 samples; one loss among fewer than 32 says little. */
const [FEWEST_COUNTED, MOST_COUNTED] = [32, 64];

/** RFC 6298 section 2.4: a retransmission timeout below one second is rounded up. */
const SUSPECT_AT_LEAST = 1_000;

export class RoundTripEstimate {
  /** The number of samples, as far as it matters. */
  #count = 0;
  // Not whole numbers from the beginning: V8 would have to convert every object later.
  #smoothed = NaN;
  #deviation = NaN;
  /** The shortest sample: losses inflate the smoothed one. */
  #least = Infinity;
  /** The share of the newest samples that look like a retransmission. */
  #lossShare = 0;

  /** Whether there are enough samples. */
  get isReady(): boolean {
    return this.#count >= SAMPLES_NEEDED;
  }

  /** A round trip, in milliseconds. */
  add(sample: number): void {
    if (this.#count === 0) {
      // RFC 6298 section 2.2.
      this.#smoothed = sample;
      this.#deviation = sample / 2;
    } else {
      this.#deviation = nextDeviation(this.#deviation, this.#smoothed, sample);
      this.#smoothed = nextSmoothed(this.#smoothed, sample);
    }
    this.#least = Math.min(this.#least, sample);
    if (this.#count < MOST_COUNTED) this.#count++;
    const isLossy = sample > this.#least + RETRANSMISSION_MARGIN;
    this.#lossShare += ((isLossy ? 1 : 0) - this.#lossShare) / Math.max(this.#count, FEWEST_COUNTED);
  }

  /** The samples no longer describe the link. */
  forget(): void {
    this.#count = 0;
    this.#lossShare = 0;
    this.#least = Infinity;
  }

  /** The smoothed round trip in milliseconds; NaN before the first sample. */
  get smoothed(): number {
    return this.#smoothed;
  }

  /** Milliseconds after which silence is suspicious. */
  get suspectAfter(): number {
    return Math.max(this.#smoothed + 4 * this.#deviation, SUSPECT_AT_LEAST);
  }

  /** Milliseconds after which silence means that the peer or the network is dead. */
  get deadAfter(): number {
    const steps =
      this.#lossShare < FIVE_FROM
        ? FOUR_RETRANSMISSIONS
        : this.#lossShare < SIX_FROM
          ? FIVE_RETRANSMISSIONS
          : SIX_RETRANSMISSIONS;
    return this.#smoothed + Math.max(4 * this.#deviation, steps * (this.#smoothed + RETRANSMISSION_MARGIN));
  }
}
