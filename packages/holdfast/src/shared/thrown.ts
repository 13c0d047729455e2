// Handles values that the application's code threw or rejected with. JavaScript can throw anything: an object without a
// prototype, a revoked Proxy, an Error whose `message` is a getter that throws. These functions never throw.

/** The value itself if it is a readable Error; otherwise an Error with the value as its `cause`. */
export function errorOf(thrown: unknown): Error {
  return isReadableError(thrown) ? thrown : new Error(thrownText(thrown), { cause: thrown });
}

/** Like `String()`, but never throws: `TypeError: no such file`. */
export function thrownText(thrown: unknown): string {
  try {
    return messageOfLookalike(thrown) ?? String(thrown);
  } catch {
    return "a value that cannot be converted to a string";
  }
}

/** The message of an object that looks like an error, as older promise libraries reject with; otherwise null. */
function messageOfLookalike(thrown: unknown): string | null {
  if (typeof thrown !== "object" || thrown === null || isReadableError(thrown)) return null;
  const { message } = thrown as { readonly message?: unknown };
  return typeof message === "string" && message !== "" ? message : null;
}

/** Checks the tag as well as the class, so that errors of another realm (a vm context, jsdom) count too. */
function isReadableError(value: unknown): value is Error {
  try {
    if (!(value instanceof Error) && Object.prototype.toString.call(value) !== "[object Error]") return false;
    const { name, message, stack, code } = value as Error & { readonly code?: unknown };
    String(code); // May throw too.
    return isText(name) && isText(message) && (stack === undefined || isText(stack));
  } catch {
    return false;
  }
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}
