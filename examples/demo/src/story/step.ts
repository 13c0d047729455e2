// What a step of the story is.

import type { Stage } from "./stage.js";

export interface Step {
  readonly title: string;
  /** What is going to be done, in a few sentences. */
  readonly plan: string;
  /** Does it, and tells on the way what is seen. Rejects where it does not happen. */
  readonly run: (stage: Stage) => Promise<Finding>;
}

export interface Finding {
  /** A sentence for the end of the step. */
  readonly sentence: string;
  /** A few words for the summary. */
  readonly figure: string;
}

/** Makes sure that what the step tells is what happened. */
export function ensure(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(what);
}
