// Makes text of a peer safe to show without quotes: it must not move the cursor or begin a new line of a log.

/** Line breaks, terminal commands (C0, DEL, C1), and characters that change the direction of the following text. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** Escapes these characters, as in `\u001b`. Other text, in any script, is unchanged. */
export function escapeControls(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The index of the first C0 control or DEL, which URLs and headers must not contain; -1 if there is none. */
export function findControlCharacter(text: string): number {
  return text.search(CONTROL_CHARACTER);
}

export function hasControlCharacter(text: string): boolean {
  return CONTROL_CHARACTER.test(text);
}

// eslint-disable-next-line no-control-regex -- the expression searches for them
const CONTROL_CHARACTER = /[\x00-\x1f\x7f]/;
