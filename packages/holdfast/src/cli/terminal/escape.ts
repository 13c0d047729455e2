// What peers send must not move the cursor, change colours or type answers: control characters are shown, not obeyed.

// C0, DEL, C1, and what turns the direction of writing or ends a line (Unicode's Bidi_Control, U+2028, U+2029).
// eslint-disable-next-line no-control-regex -- They are what this is about.
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** `text` on one line, fit for a terminal. */
export function escaped(text: string): string {
  return text.replace(CONTROL, (character) => SHORT[character] ?? codePoint(character));
}

/** As the library's own messages show them. */
function codePoint(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
