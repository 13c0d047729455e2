// Escapes control characters, so that a peer's data cannot move the cursor, change colours or trigger input.

// C0, DEL, C1, and characters that change the text direction or end a line (Unicode's Bidi_Control, U+2028, U+2029).
// eslint-disable-next-line no-control-regex -- This file escapes them.
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Returns `text` on one line, safe for a terminal. */
export function escaped(text: string): string {
  return text.replace(CONTROL, (character) => SHORT[character] ?? codePoint(character));
}

/** In the same form as the library's own messages. */
function codePoint(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
