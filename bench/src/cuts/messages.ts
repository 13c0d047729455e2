// The messages of the cut bench. Each says its sequence, its number and its size, so that a receiver can check all of it.

import type { SeededRandom } from "holdfast-testkit";

/** Each sequence is numbered from 0, for each session and direction. Broadcasts have one numbering for all. */
export type SequenceName = "broadcast" | "direct" | "streamed";

export interface NumberedMessage {
  readonly sequence: SequenceName;
  readonly number: number;
}

/** A text of this length at least, which depends on its sequence, its number and its length only. */
export function compose(sequence: SequenceName, number: number, length: number): string {
  const head = `${sequence}:${number}:${length}:`;
  const filler = `${number} words that compress and an umlaut ü. `;
  const missing = Math.max(0, length - head.length);
  return head + filler.repeat(Math.ceil(missing / filler.length)).slice(0, missing);
}

/** The sequence and the number of a message; null if it is not what `compose()` returned. */
export function read(message: string | Uint8Array): NumberedMessage | null {
  const text = typeof message === "string" ? message : Buffer.from(message).toString();
  const head = /^(broadcast|direct|streamed):(\d+):(\d+):/.exec(text);
  if (head === null) return null;
  const sequence = head[1] as SequenceName; // The pattern allows nothing else.
  const number = Number(head[2]);
  return compose(sequence, number, Number(head[3])) === text ? { sequence, number } : null;
}

/** As text or as bytes. */
export function inEitherType(text: string, random: SeededRandom): string | Uint8Array {
  return random.number() < 0.5 ? text : Buffer.from(text);
}

/** In two to five pieces, each of them after a turn of the event loop at least. */
export async function* inPieces(text: string, random: SeededRandom): AsyncGenerator<string | Uint8Array> {
  const isText = random.number() < 0.5;
  const size = Math.ceil(text.length / random.integer(2, 5));
  for (let start = 0; start < text.length; start += size) {
    const piece = text.slice(start, start + size);
    yield isText ? piece : Buffer.from(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Mostly small; some are large enough to be compressed, and a few larger than the buffers of a socket like to be. */
export function pickLength(random: SeededRandom): number {
  const share = random.number();
  if (share < 0.7) return random.integer(20, 300);
  return share < 0.985 ? random.integer(300, 4_000) : random.integer(4_000, 30_000);
}
