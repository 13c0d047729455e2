// What options a verb takes.

export interface OptionSpec {
  /** The letter for `-x`. */
  readonly short?: string;
  /** What the value is, for the help; without it, the option is a switch. */
  readonly value?: string;
  /** The value may be left out; where it is given, `=` stands before it. */
  readonly isValueOptional?: boolean;
  /** May be given more than once. */
  readonly isList?: boolean;
  readonly help: string;
}

/** By the long name, without the hyphens. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;
