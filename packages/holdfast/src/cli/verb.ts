// The interface of a verb of the command.

import type { Arguments } from "./arguments/arguments.js";
import type { DurationUnit } from "./arguments/duration.js";
import type { OptionSpecs } from "./arguments/option-spec.js";
import type { Console } from "./terminal/console.js";

export interface Verb {
  readonly name: string;
  /** One line, for the list of verbs. */
  readonly summary: string;
  /** The operands as `--help` shows them, such as `<url>`. */
  readonly operands: string;
  /** The smallest and the largest number of operands. */
  readonly operandCount: readonly [min: number, max: number];
  /** The unit of a duration that is given without one. */
  readonly unit: DurationUnit;
  readonly options: OptionSpecs;
  /** The end of the `--help` page: more details, and examples. */
  readonly notes: string;
  /** Resolves with the exit code. @throws UsageError, HoldfastError */
  run(given: Arguments, console: Console): Promise<number>;
}
