// "Did you mean …?"

import { nearestName } from "../../shared/nearest-name.js";

/** A sentence that suggests the most similar of `names`, with a space before it; empty if none is similar. */
export function suggestionFor(word: string, names: readonly string[]): string {
  const nearest = nearestName(word, names);
  return nearest === null ? "" : ` Did you mean "${nearest}"?`;
}
