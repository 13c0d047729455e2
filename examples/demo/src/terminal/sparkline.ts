// Round-trip times as a row of bars.

const BARS = "▁▂▃▄▅▆▇█";

/**
 * The shortest time of each bar, in milliseconds. The scale is logarithmic, so that 20 ms and 2 s are both
 * visible.
 */
const FROM = [0, 5, 10, 40, 100, 250, 600, 1_000];

export function sparkline(milliseconds: readonly number[]): string {
  return milliseconds.map((sample) => BARS[FROM.findLastIndex((from) => sample >= from)] ?? BARS[0]).join("");
}
