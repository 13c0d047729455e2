// Estimates what counts as late on this link, from the round trips of its pings (RFC 6298), and from the way in which TCP
// shows loss: as the kernel's retransmissions, at about 1, 3, 7, 15 and 31 times the round trip plus 200 ms after the
// first transmission. Delays are therefore not normally distributed: on a good link the deviation is tiny, and one lost
// segment exceeds any multiple of it.

/** Fewer samples than this say too little. */
const SAMPLES_NEEDED = 5;

/** The shortest retransmission timeout of the Linux kernel beyond the round trip, in milliseconds (TCP_RTO_MIN). */
const RETRANSMISSION_MARGIN = 200;

/** The peer counts as silent once four retransmissions have failed. */
const FOUR_RETRANSMISSIONS = 15;
/** On a link that loses segments, four failures in a row occur every few hundred hours. Wait for the fifth as well. */
const FIVE_RETRANSMISSIONS = 31;
/** For this many samples after one that looks like a retransmission, the link counts as lossy. */
const LOSS_REMEMBERED = 64;

/** RFC 6298 section 2.4: a retransmission timeout below one second is rounded up. */
const SUSPECT_AT_LEAST = 1_000;

export class RoundTripEstimate {
  #count = 0;
  #smoothed = 0;
  #deviation = 0;
  /** The shortest sample: losses inflate the smoothed one. */
  #least = Infinity;
  /** The number of samples for which the link still counts as lossy. */
  #lossy = 0;

  /** Whether there are enough samples. */
  get isReady(): boolean {
    return this.#count >= SAMPLES_NEEDED;
  }

  /** A round trip, in milliseconds. */
  add(sample: number): void {
    this.#least = Math.min(this.#least, sample);
    if (sample > this.#least + RETRANSMISSION_MARGIN) this.#lossy = LOSS_REMEMBERED;
    else if (this.#lossy > 0) this.#lossy--;
    if (this.#count === 0) {
      // RFC 6298 section 2.2.
      this.#smoothed = sample;
      this.#deviation = sample / 2;
    } else {
      // RFC 6298 section 2.3: the deviation first, from the old mean.
      this.#deviation = 0.75 * this.#deviation + 0.25 * Math.abs(this.#smoothed - sample);
      this.#smoothed = 0.875 * this.#smoothed + 0.125 * sample;
    }
    this.#count++;
  }

  /** The samples no longer describe the link. */
  forget(): void {
    this.#count = 0;
    this.#lossy = 0;
    this.#least = Infinity;
  }

  /** Milliseconds after which silence is suspicious. */
  get suspectAfter(): number {
    return Math.max(this.#smoothed + 4 * this.#deviation, SUSPECT_AT_LEAST);
  }

  /** Milliseconds after which silence means that the peer or the network is dead. */
  get deadAfter(): number {
    const steps = this.#lossy > 0 ? FIVE_RETRANSMISSIONS : FOUR_RETRANSMISSIONS;
    return this.#smoothed + Math.max(4 * this.#deviation, steps * (this.#smoothed + RETRANSMISSION_MARGIN));
  }
}
