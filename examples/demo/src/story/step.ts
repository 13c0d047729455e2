// Describes a step of the demo.

import type { Stage } from "./stage.js";

export interface Step {
  readonly title: string;
  /** A description of the step, in a few sentences. */
  readonly plan: string;
  /** Executes the step and prints what happens. Rejects if the expected effect does not occur. */
  readonly run: (stage: Stage) => Promise<Finding>;
}

export interface Finding {
  /** A sentence for the end of the step. */
  readonly sentence: string;
  /** A few words for the summary. */
  readonly figure: string;
}

/** Throws if a claim of the step is not true. */
export function ensure(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(what);
}
