// A number in [0, 1) out of the port for randomness.

import type { Random } from "../../connection/ports.js";

export function randomFraction(random: Random): number {
  const words = new Uint32Array(1);
  random.fill(new Uint8Array(words.buffer));
  return words[0] / 2 ** 32;
}
