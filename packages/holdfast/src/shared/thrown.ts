// Values that the application's code threw or rejected with. JavaScript can throw anything: an object without a
// prototype, a revoked Proxy, an Error whose `message` is a getter that throws. Nothing here ever throws.
// Browsers load this file as well.

/** The value itself where it is an Error that can be read, and otherwise an Error with the value as its `cause`. */
export function errorOf(thrown: unknown): Error {
  return isReadableError(thrown) ? thrown : new Error(thrownText(thrown), { cause: thrown });
}

/** As `String()`, for values that String() may throw for: `TypeError: no such file`. */
export function thrownText(thrown: unknown): string {
  try {
    return messageOfLookalike(thrown) ?? String(thrown);
  } catch {
    return "a value that cannot be converted to a string";
  }
}

/** Of an object that looks like an error, such as what older promise libraries reject with; null for anything else. */
function messageOfLookalike(thrown: unknown): string | null {
  if (typeof thrown !== "object" || thrown === null || isReadableError(thrown)) return null;
  const { message } = thrown as { readonly message?: unknown };
  return typeof message === "string" && message !== "" ? message : null;
}

/** By its tag as well as its class: errors of another realm (a vm context, jsdom) are errors, too. */
function isReadableError(value: unknown): value is Error {
  try {
    if (!(value instanceof Error) && Object.prototype.toString.call(value) !== "[object Error]") return false;
    const { name, message, stack } = value as Error;
    return isText(name) && isText(message) && (stack === undefined || isText(stack));
  } catch {
    return false;
  }
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}
