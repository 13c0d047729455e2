// The codes of system errors.

/** The code of an error, such as ECONNRESET; undefined if it has none. */
export function codeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
}
