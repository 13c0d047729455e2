// Parses sizes: 64, 16k, 1m.

const FACTORS: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** Bytes; null unless `text` is a size from `min` to `max`. */
export function parseSize(text: string, min: number, max: number): number | null {
  const [, digits = "", unit = ""] = /^(\d+)([kmg]?)$/i.exec(text) ?? [];
  const size = digits === "" ? NaN : Number(digits) * FACTORS[unit.toLowerCase()];
  return size >= min && size <= max ? size : null;
}

/** In the largest unit that gives a whole number. */
export function sizeText(bytes: number): string {
  const unit = ["g", "m", "k"].find((letter) => bytes > 0 && bytes % FACTORS[letter] === 0) ?? "";
  return `${bytes / FACTORS[unit]}${unit}`;
}
