// Contents of messages, the same in each run.

import { SeededRandom } from "holdfast-testkit";

export type Kind = "text" | "noise" | "zeros";

const NOISE = new Uint8Array(128 * 1024);
new SeededRandom(7692).fill(NOISE);

const TEXT = Buffer.from(
  Array.from({ length: 3000 }, (_, id) =>
    JSON.stringify({ id, name: `Größe ${id % 37}`, at: (id * id) % 9973 }),
  ).join(),
);

/** Up to 128 KiB that compress well, not at all, or to almost nothing; another seed selects another part. */
export function contentOf(kind: Kind, size: number, seed = 0): Uint8Array {
  if (kind === "zeros") return new Uint8Array(size);
  const source = kind === "noise" ? NOISE : TEXT;
  const start = seed * 1009;
  return source.subarray(start, start + size);
}
