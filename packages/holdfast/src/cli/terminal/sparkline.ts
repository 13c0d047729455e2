// Latency at a glance: ▁▂▃▅█, one column each, the newest at the right.

const BARS = "▁▂▃▄▅▆▇█";
/** The smallest range of the scale, in milliseconds, so that noise does not look like peaks. */
const MIN_RANGE = 1;

/** Draws the newest `width` of `samples` (milliseconds; null for a lost ping). */
export function sparkline(samples: readonly (number | null)[], width: number): string {
  const shown = samples.slice(-width);
  const known = shown.filter((sample) => sample !== null);
  const min = Math.min(...known);
  const range = Math.max(Math.max(...known) - min, MIN_RANGE);
  const bar = (sample: number): string => BARS[Math.round(((sample - min) / range) * (BARS.length - 1))];
  return shown.map((sample) => (sample === null ? "×" : bar(sample))).join("");
}
