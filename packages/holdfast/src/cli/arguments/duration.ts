// Parses durations: 500ms, 20s, 1.5m.

export type DurationUnit = "ms" | "s";

const FACTORS: Readonly<Partial<Record<string, number>>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds; null unless `text` is a positive duration. A number without a unit counts in `unit`. */
export function parseDuration(text: string, unit: DurationUnit): number | null {
  const match = /^(\d+(?:\.\d+)?|\.\d+)(ms|s|m|h)?$/.exec(text);
  if (match === null) return null;
  const [, digits, given = unit] = match as readonly (string | undefined)[];
  const milliseconds = Number(digits) * (FACTORS[given] ?? NaN);
  return milliseconds > 0 && milliseconds < 2 ** 31 ? milliseconds : null;
}
