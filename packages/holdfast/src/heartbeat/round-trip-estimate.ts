// Estimates what counts as late on this link, from the round trips of its pings (RFC 6298), and from the way in which TCP
// shows loss: as the kernel's retransmissions, at about 1, 3, 7, 15, 31 and 63 times the round trip plus 200 ms after the
// first transmission. Delays are therefore not normally distributed: on a good link the deviation is tiny, and one lost
// segment exceeds any multiple of it.

import { SmoothedRoundTrip } from "./smoothed-round-trip.js";

/** Fewer samples than this say too little. */
const SAMPLES_NEEDED = 5;

/** The shortest retransmission timeout of the Linux kernel beyond the round trip, in milliseconds (TCP_RTO_MIN). */
const RETRANSMISSION_MARGIN = 200;

/** Retransmissions to wait for: on a link without losses, and at most. */
const FEWEST_RETRANSMISSIONS = 4;
const MOST_RETRANSMISSIONS = 6;
/** Wait for so many that the loss of all of them is less likely than this. A ping every 2 s is a million in 600 hours. */
const UNLIKELY = 1e-7;
/** The share of lost segments is that of the newest samples: one loss among fewer than the first number says little. */
const FEWEST_COUNTED = 16;
const MOST_COUNTED = 64;

/** RFC 6298 section 2.4: a retransmission timeout below one second is rounded up. */
const SUSPECT_AT_LEAST = 1_000;

export class RoundTripEstimate extends SmoothedRoundTrip {
  /** The number of samples, as far as it matters. */
  #count = 0;
  /** The shortest sample: losses inflate the smoothed one. */
  #least = Infinity;
  /** The share of the newest samples that look like a retransmission. */
  #lossShare = 0.5;

  constructor() {
    super();
    this.#lossShare = 0;
  }

  /** Whether there are enough samples. */
  get isReady(): boolean {
    return this.#count >= SAMPLES_NEEDED;
  }

  /** A round trip, in milliseconds. */
  add(sample: number): void {
    this.smooth(sample);
    this.#least = Math.min(this.#least, sample);
    if (this.#count < MOST_COUNTED) this.#count++;
    const isLossy = sample > this.#least + RETRANSMISSION_MARGIN;
    this.#lossShare += ((isLossy ? 1 : 0) - this.#lossShare) / Math.max(this.#count, FEWEST_COUNTED);
  }

  /** The samples no longer describe the link. */
  forget(): void {
    this.restart(NaN);
    this.#count = 0;
    this.#lossShare = 0;
    this.#least = Infinity;
  }

  /** Milliseconds after which silence is suspicious. */
  get suspectAfter(): number {
    return Math.max(this.smoothed + 4 * this.deviation, SUSPECT_AT_LEAST);
  }

  /** Milliseconds after which silence means that the peer or the network is dead. */
  get deadAfter(): number {
    const steps = 2 ** this.#retransmissions - 1;
    return this.smoothed + Math.max(4 * this.deviation, steps * (this.smoothed + RETRANSMISSION_MARGIN));
  }

  get #retransmissions(): number {
    let count = FEWEST_RETRANSMISSIONS;
    while (count < MOST_RETRANSMISSIONS && this.#lossShare ** (count + 1) > UNLIKELY) count++;
    return count;
  }
}
