// Arguments of a connection's methods: checked before anything changes.

import { isSendableCloseCode, MAX_REASON_SIZE, type CloseFrame } from "../shared/close-code.js";
import { ignoreRejection } from "../shared/deferred.js";
import { InvalidArgumentError } from "../shared/errors.js";
import { MAX_CONTROL_PAYLOAD } from "../shared/opcode.js";
import { invalidArgument, tagOf } from "../shared/option-checks.js";

/** Bytes, as the platform knows them: an ArrayBuffer or a view of one. */
export type Bytes = ArrayBuffer | ArrayBufferView;

const encoder = new TextEncoder();

/**
 * The bytes that a buffer or a view covers, without a copy. Null if it is neither, or if its memory was transferred to
 * another owner or shrank below the view. Buffers and views of another realm (a vm context, jsdom) count as well.
 */
export function toBytes(data: unknown): Uint8Array | null {
  try {
    if (data instanceof Uint8Array && data.length > 0) return data;
    if (!ArrayBuffer.isView(data)) return isBuffer(data) ? new Uint8Array(data) : null;
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    // A typed array that lost its memory reads as empty, but its iterator throws. For a DataView, the getters above
    // throw.
    if (bytes.length === 0 && tagOf(data) !== "DataView") typedArrayValues.call(data as Uint8Array);
    return bytes;
  } catch {
    return null;
  }
}

// eslint-disable-next-line @typescript-eslint/unbound-method -- Called with a view of any realm.
const typedArrayValues = Uint8Array.prototype.values;

/**
 * `instanceof` fails across realms, and the tag can be forged, but this getter throws for anything that is no buffer.
 */
function isBuffer(data: unknown): data is ArrayBufferLike {
  const tag = tagOf(data);
  if (tag !== "ArrayBuffer" && tag !== "SharedArrayBuffer") return false;
  const { prototype } = tag === "ArrayBuffer" ? ArrayBuffer : SharedArrayBuffer;
  Object.getOwnPropertyDescriptor(prototype, "byteLength")?.get?.call(data);
  return true;
}

/** @throws InvalidArgumentError (RFC 6455 section 5.5: at most 125 bytes) */
export function checkControlPayload(payload: unknown): Uint8Array {
  const bytes = typeof payload === "string" ? encoder.encode(payload) : toBytes(payload);
  if (bytes === null) throw invalidArgument("payload", "a string or bytes", payload);
  if (bytes.length > MAX_CONTROL_PAYLOAD) {
    throw new InvalidArgumentError(
      `Expected \`payload\` to be at most 125 bytes (RFC 6455 section 5.5), got ${bytes.length}.`,
    );
  }
  return new Uint8Array(bytes); // Not `slice`, which shares the memory of a Buffer.
}

/** @throws InvalidArgumentError (RFC 6455 sections 5.5.1 and 7.4) */
export function checkClose(code: unknown, reason: unknown): CloseFrame {
  if (typeof code !== "number" || !isSendableCloseCode(code)) {
    throw invalidArgument("code", "one that may be sent (1000–1003, 1007–1014, 3000–4999)", code);
  }
  if (typeof reason !== "string") throw invalidArgument("reason", "a string", reason);
  const size = encoder.encode(reason).length;
  if (size > MAX_REASON_SIZE) {
    throw new InvalidArgumentError(
      `Expected \`reason\` to be at most ${MAX_REASON_SIZE} bytes of UTF-8, got ${size}.`,
    );
  }
  return { code, reason };
}

/**
 * Whether a caller must wait for what a callback returned. Throws if a getter `then` throws.
 *
 * Use `toPromise` to wait: a foreign `then` may throw, settle twice, or both.
 */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  const mayBe = (typeof value === "object" && value !== null) || typeof value === "function";
  return mayBe && typeof (value as { then?: unknown }).then === "function";
}

/** Converts a thenable, whatever its `then` does. Returns a plain promise as it is. */
export function toPromise<Value>(value: Value | PromiseLike<Value>): Promise<Value> {
  if (value instanceof Promise && value.then === then && value.constructor === Promise) return value;
  return new Promise((resolve) => resolve(value));
}

/** Calls a callback whose result does not matter, and reports its error, also if it is an async function. */
export function callSafely(callback: () => unknown, onFailed: (error: unknown) => void): void {
  try {
    const result = callback();
    if (isThenable(result)) toPromise(result).catch(onFailed);
  } catch (error) {
    onFailed(error);
  }
}

/**
 * Checks the result of a callback that has to answer at once: a promise would settle too late.
 *
 * @param what the value or the kind of function that is expected
 * @throws InvalidArgumentError for a promise, whose rejection is ignored
 */
export function refusePromise(name: string, what: string, result: unknown): void {
  if (!isThenable(result)) return;
  ignoreRejection(result);
  throw invalidArgument(name, what, result);
}

// eslint-disable-next-line @typescript-eslint/unbound-method -- Compared, never called.
const { then } = Promise.prototype;
