// What a function of the application threw. It may be anything: `Object.create(null)`, an object whose `toString` throws.

/** The text of a thrown value. Never throws. */
export function textOfThrown(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return "a value that cannot be converted to a string";
  }
}

/** The thrown value as an Error; where it is none, it is the `cause` of one. */
export function errorOfThrown(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(textOfThrown(thrown), { cause: thrown });
}
