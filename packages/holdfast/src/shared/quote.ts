// Quotes text of the peer or the caller for messages. The text may be hostile or long.

/** Longer texts are cut, since a message is one sentence. */
const LONGEST_QUOTATION = 80;

/**
 * `text` in double quotes for a message or a log line. Everything but printable ASCII is escaped, so that it cannot
 * control a terminal or forge a log line. Long texts are shortened.
 */
export function quote(text: string): string {
  return `"${text.slice(0, LONGEST_QUOTATION).replace(UNSAFE, escape)}${text.length > LONGEST_QUOTATION ? "…" : ""}"`;
}

/** The quoted values for the end of a message, or "none". */
export function quoteAll(texts: readonly string[]): string {
  const shown = texts.slice(0, 4).map(quote).join(" and ");
  return texts.length === 0 ? "none" : texts.length > 4 ? `${shown} and ${texts.length - 4} more` : shown;
}

const UNSAFE = /[^\x20-\x7e]|["\\]/g;

function escape(character: string): string {
  if (character === '"' || character === "\\") return `\\${character}`;
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
