// Puts a text together from any number of pieces. Adding them to a string would copy all of it each time that it is read, and
// take fifty times the memory of pieces of one character.

/** The number of pieces that are joined at a time. */
const FEW = 1024;

export class LongText {
  length = 0;
  readonly #parts: string[] = [];
  #newest: string[] = [];

  add(piece: string): void {
    this.length += piece.length;
    if (this.#newest.push(piece) < FEW) return;
    this.#parts.push(this.#newest.join(""));
    this.#newest = [];
  }

  toString(): string {
    return [...this.#parts, ...this.#newest].join("");
  }
}
