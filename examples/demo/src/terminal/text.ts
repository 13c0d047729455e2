// Formats text for a terminal: safe, wrapped, and with readable figures.

/**
 * Makes text from others safe to print: control characters, and characters that change the writing direction,
 * are shown as escapes (`\x1b`).
 */
export function printable(text: string): string {
  return text.replaceAll(UNSAFE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    const [prefix, length] = code > 0xff ? ["\\u", 4] : ["\\x", 2];
    return prefix + code.toString(16).padStart(length, "0");
  });
}

/** C0, DEL and C1; line and paragraph separators; marks, embeddings and isolates of bidirectional text. */
const UNSAFE = /[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** Splits a paragraph into lines, at spaces; a word that is longer than a line is split too. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (let word of text.split(BREAK).filter((part) => part !== "")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    for (; word.length > width; word = word.slice(width)) lines.push(word.slice(0, width));
    line = line === "" ? word : `${line} ${word}`;
  }
  return line === "" ? lines : [...lines, line];
}

/** The places where a line may be split: between words, but not between a figure and its unit. */
const BREAK = /\s+(?!(?:ms|s|KB)\b)/;

/** `0.42 ms`, `21 ms`, `2.25 s`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 9.995) return `${Number(milliseconds.toFixed(2))} ms`;
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`;
  return `${Number((milliseconds / 1_000).toFixed(2))} s`;
}

/** Seconds with one decimal, in a fixed width. */
export function clock(milliseconds: number): string {
  return (milliseconds / 1_000).toFixed(1);
}
