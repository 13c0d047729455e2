/** The code of an error of the system, such as ECONNRESET; undefined for any other error. */
export function codeOf(error: Error | null): unknown {
  return error !== null && "code" in error ? error.code : undefined;
}
