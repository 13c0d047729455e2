// The arguments of `close()`, with the errors of `ws`.

/** The Close to send; code 1005 sends one without a code. */
export interface CloseArguments {
  readonly code: number;
  readonly reason: string;
}

/** @throws TypeError, RangeError */
export function checkCloseArguments(code: unknown, data: unknown): CloseArguments {
  if (code === undefined) return { code: 1005, reason: "" };
  if (typeof code !== "number" || !isSendable(code)) {
    throw new TypeError("First argument must be a valid error code number");
  }
  // As in `ws`, any value without a length is no reason.
  if (data === undefined || data === null || !(data as { length?: unknown }).length)
    return { code, reason: "" };
  if (Buffer.byteLength(data as string) > 123) {
    throw new RangeError("The message must not be greater than 123 bytes");
  }
  if (typeof data !== "string" && !(data instanceof Uint8Array)) {
    throw new TypeError("Second argument must be a string or a Uint8Array");
  }
  return { code, reason: Buffer.from(data as string).toString() };
}

/** RFC 6455 section 7.4, and the codes that IANA has registered since. */
function isSendable(code: number): boolean {
  const isRegistered = code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
  return isRegistered || (code >= 3000 && code <= 4999);
}
