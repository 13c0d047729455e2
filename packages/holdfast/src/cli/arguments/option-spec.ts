// The table of a verb's options, from which arguments are parsed, and help and completion are generated.

export interface OptionSpec {
  /** The letter for `-x`. */
  readonly short?: string;
  /** The placeholder of the value in the help. Without it, the option is a switch. */
  readonly value?: string;
  /** The value is optional. If given, it follows `=`. */
  readonly isValueOptional?: boolean;
  /** May be given more than once. */
  readonly isList?: boolean;
  readonly help: string;
}

/** By the long name, without the hyphens. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;
