// The smoothed round trip and its smoothed deviation, in milliseconds (RFC 6298 section 2).

export class SmoothedRoundTrip {
  // Numbers from the beginning: V8 updates those in place, but allocates one for each change of a field that may be null.
  #smoothed = NaN;
  #deviation = NaN;

  /** SRTT; NaN before the first sample. */
  get smoothed(): number {
    return this.#smoothed;
  }

  /** RTTVAR; NaN before the first sample. */
  get deviation(): number {
    return this.#deviation;
  }

  protected smooth(sample: number): void {
    if (Number.isNaN(this.#smoothed)) {
      this.restart(sample);
      return;
    }
    // Section 2.3: the deviation first, from the old mean.
    this.#deviation = 0.75 * this.#deviation + 0.25 * Math.abs(this.#smoothed - sample);
    this.#smoothed = 0.875 * this.#smoothed + 0.125 * sample;
  }

  /** Begins with a first sample (section 2.2); NaN for none yet. */
  protected restart(first: number): void {
    this.#smoothed = first;
    this.#deviation = first / 2;
  }
}
