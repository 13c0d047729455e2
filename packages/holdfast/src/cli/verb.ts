// What each verb of the command is made of.

import type { Arguments } from "./arguments/arguments.js";
import type { DurationUnit } from "./arguments/duration.js";
import type { OptionSpecs } from "./arguments/option-spec.js";
import type { Console } from "./terminal/console.js";

export interface Verb {
  readonly name: string;
  /** One line, for the list of verbs. */
  readonly summary: string;
  /** What stands behind the options, such as `<url>`. */
  readonly operands: string;
  /** How many operands it takes at least and at most. */
  readonly operandCount: readonly [min: number, max: number];
  /** What a duration without a unit counts. */
  readonly unit: DurationUnit;
  readonly options: OptionSpecs;
  /** What a newcomer should know beyond the options, and examples. */
  readonly notes: string;
  /** Resolves with the exit code. @throws UsageError, HoldfastError */
  run(given: Arguments, console: Console): Promise<number>;
}
