// What a peer wrote, shown within a sentence without quotes: it may not move a cursor or begin a line of a log.

/** Line breaks and terminal commands (C0, DEL, C1), and what turns the direction of the text behind it. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** `text` with these characters written as `\u001b`; the rest, in any script, stays as it is. */
export function escapeControls(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Where the first C0 control or DEL is, which no URL and no header may hold; -1 where there is none. */
export function findControlCharacter(text: string): number {
  return text.search(CONTROL_CHARACTER);
}

export function hasControlCharacter(text: string): boolean {
  return CONTROL_CHARACTER.test(text);
}

// eslint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL_CHARACTER = /[\x00-\x1f\x7f]/;
