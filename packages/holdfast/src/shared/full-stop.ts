// Every sentence of an error ends with one full stop, also where it ends with the text of another error.

export function withFullStop(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** For a text that goes on, or that stands in brackets. */
export function withoutFullStop(text: string): string {
  return text.replace(/\.$/, "");
}
