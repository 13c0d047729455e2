// Rejects unknown options, and options that are not an object. A misspelt name or an option of another library must not
// be ignored: it may be the check that keeps strangers out.

import { InvalidArgumentError } from "./errors.js";
import { nearestName } from "./nearest-name.js";
import { describe } from "./option-checks.js";

/** The names of an options object. The compiler compares them with its type, so none can be missing. */
export type OptionNames<Options> = Readonly<Record<keyof Options, true>>;

/** Advice for an option that does not exist: an imperative sentence without its full stop. */
export type OptionAdvice = Readonly<Record<string, string>>;

/**
 * Ignores undefined values, and the fields of class instances, which may have more. An inherited name
 * counts, as an inherited value does.
 *
 * @param what the function that takes the options, as the message names it: `connect()`
 * @throws InvalidArgumentError for an unknown name, and for a value that is neither undefined nor an object
 */
export function checkOptionNames(
  what: string,
  options: unknown,
  names: Readonly<Record<string, true>>,
  advice: OptionAdvice = {},
): void {
  if (options === undefined) return;
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    refuseValue(what, options, "subprotocols" in names);
  }
  for (const name in options) {
    if (!Object.hasOwn(names, name))
      refuseUnknown(what, options as Record<string, unknown>, name, names, advice);
  }
}

/** As `checkOptionNames`, for an argument that is required. */
export function requireOptions(what: string, options: unknown, names: Readonly<Record<string, true>>): void {
  if (options === undefined) refuseValue(what, options, false);
  checkOptionNames(what, options, names);
}

/** @param mayBeProtocols other libraries take a protocol, or a list of them, in this place */
function refuseValue(what: string, value: unknown, mayBeProtocols: boolean): never {
  const hasProtocols = mayBeProtocols && (typeof value === "string" || Array.isArray(value));
  const remedy = hasProtocols ? " Pass protocols as `{ subprotocols: […] }`." : "";
  throw new InvalidArgumentError(
    `Expected the options of ${what} to be an object, got ${describe(value)}.${remedy}`,
  );
}

function refuseUnknown(
  what: string,
  options: Record<string, unknown>,
  name: string,
  names: Readonly<Record<string, true>>,
  advice: OptionAdvice,
): void {
  const isCommon = Object.hasOwn(Object.prototype, name) && !Object.hasOwn(options, name); // Of a polyfill.
  if (isCommon || options[name] === undefined || isInstance(options)) return;
  const nearest = nearestName(name, Object.keys(names));
  const remedy = Object.hasOwn(advice, name)
    ? `${advice[name] ?? ""}.`
    : nearest === null
      ? "Remove it."
      : `Did you mean \`${nearest}\`?`;
  throw new InvalidArgumentError(`Expected only options of ${what}, got \`${name}\`. ${remedy}`);
}

/** Whether it is an instance of the application's class, which may have more fields. */
function isInstance(options: object): boolean {
  const { constructor } = options as { constructor?: unknown };
  return typeof constructor === "function" && constructor.name !== "Object";
}
