// The smoothing of RFC 6298 section 2.3. Functions rather than a base class: objects of two classes would make every access
// to their fields slower.

/** RTTVAR after another sample, from the SRTT before it. */
export function nextDeviation(deviation: number, smoothed: number, sample: number): number {
  return 0.75 * deviation + 0.25 * Math.abs(smoothed - sample);
}

/** SRTT after another sample. */
export function nextSmoothed(smoothed: number, sample: number): number {
  return 0.875 * smoothed + 0.125 * sample;
}
