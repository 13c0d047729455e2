// The width of text on a terminal, in cells: East Asian characters and emoji take two, combining marks none.

/** The first characters of `text` that fit, and an ellipsis if some do not. Control characters must be escaped. */
export function fitCells(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let shown = "";
  let used = 1; // The ellipsis.
  for (const character of text) {
    used += widthOf(character);
    if (used > width) break;
    shown += character;
  }
  return width < 1 ? "" : `${shown}…`;
}

/** As `padStart()` and `padEnd()`, in cells. */
export function padCells(text: string, width: number, isRight: boolean): string {
  const space = " ".repeat(Math.max(0, width - widthOf(text)));
  return isRight ? space + text : text + space;
}

export function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += WIDE.test(character) ? 2 : NONE.test(character) ? 0 : 1;
  return width;
}

const ASCII = /^[ -~]*$/;
const NONE = /[\p{Mn}\p{Me}\p{Cf}]/u;
/** The blocks of Unicode Standard Annex #11 with the width W or F, and emoji. */
const WIDE =
  /[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;
