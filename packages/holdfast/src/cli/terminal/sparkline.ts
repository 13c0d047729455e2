// Latency at a glance: ▁▂▃▅█, one column each, the newest at the right.

const BARS = "▁▂▃▄▅▆▇█";
/** Below this spread, in milliseconds, everything is level: noise is no mountain. */
const LEAST_SPREAD = 1;

/** Of `samples` (milliseconds; null for a ping that was lost) the newest `width`. */
export function sparkline(samples: readonly (number | null)[], width: number): string {
  const shown = samples.slice(-width);
  const known = shown.filter((sample) => sample !== null);
  const min = Math.min(...known);
  const spread = Math.max(Math.max(...known) - min, LEAST_SPREAD);
  const bar = (sample: number): string => BARS[Math.round(((sample - min) / spread) * (BARS.length - 1))];
  return shown.map((sample) => (sample === null ? "×" : bar(sample))).join("");
}
