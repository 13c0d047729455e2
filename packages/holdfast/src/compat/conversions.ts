// The conversions of Web IDL (https://webidl.spec.whatwg.org) that the standard's constructors and methods begin with.

const encoder = new TextEncoder();

/** Converts to a USVString: lone surrogates become U+FFFD. */
export function toUSVString(value: unknown): string {
  const text = toDOMString(value);
  return /[\uD800-\uDFFF]/.test(text) ? text.replaceAll(LONE_SURROGATE, "\uFFFD") : text;
}

const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

/** @throws TypeError for a symbol, and whatever `toString()` throws */
export function toDOMString(value: unknown): string {
  if (typeof value === "symbol") throw new TypeError("Expected a string, got a symbol.");
  return String(value);
}

/** Converts to an `[EnforceRange] unsigned short`. */
export function toEnforcedShort(name: string, value: unknown): number {
  const number = Math.trunc(Number(value));
  if (number >= 0 && number <= 65_535) return number + 0;
  throw new TypeError(`Expected \`${name}\` to be a number from 0 to 65535, got ${String(value)}.`);
}

/** Converts to a `[Clamp] unsigned short`: to the nearest number in range, halves to the even one. */
export function toClampedShort(value: unknown): number {
  const number = Number(value);
  if (Number.isNaN(number)) return 0;
  const clamped = Math.min(Math.max(number, 0), 65_535);
  const floor = Math.floor(clamped);
  const isUp = clamped - floor > 0.5 || (clamped - floor === 0.5 && floor % 2 === 1);
  return isUp ? floor + 1 : floor;
}

/** Converts to an `unsigned short`: modulo 65,536. */
export function toShort(value: unknown): number {
  const number = Math.trunc(Number(value));
  return Number.isFinite(number) ? ((number % 65_536) + 65_536) % 65_536 : 0;
}

/**
 * Converts to a dictionary; undefined and null are an empty one.
 * @throws TypeError for any other value that is not an object
 */
export function toDictionary(name: string, value: unknown): Readonly<Record<string, unknown>> {
  if (value === undefined || value === null) return {};
  if (typeof value === "object" || typeof value === "function") return value as Record<string, unknown>; // Any object is one.
  throw new TypeError(`Expected \`${name}\` to be an object, got a ${typeof value}.`);
}

/**
 * Converts to a `sequence<USVString>`.
 * @throws TypeError for a value that is not iterable
 */
export function toSequence(name: string, value: unknown): string[] {
  if (!isIterable(value)) throw new TypeError(`Expected \`${name}\` to be iterable.`);
  return Array.from(value, toUSVString);
}

/** Whether a union with a sequence takes this value as the sequence. */
export function isIterable(value: unknown): value is Iterable<unknown> {
  const isObject = (typeof value === "object" && value !== null) || typeof value === "function";
  if (!isObject) return false;
  const iterator: unknown = (value as Partial<Iterable<unknown>>)[Symbol.iterator];
  return iterator !== undefined && iterator !== null;
}

/** @throws TypeError for fewer arguments than are required */
export function requireArguments(what: string, count: number, required: number): void {
  if (count >= required) return;
  throw new TypeError(`Expected at least ${required} argument(s) for ${what}, got ${count}.`);
}

/**
 * The bytes of a `BufferSource`, copied; none of a buffer that was transferred; null for a value of another type.
 * @throws TypeError for memory that is shared or resizable
 */
export function copyOfBufferSource(value: unknown): Uint8Array<ArrayBuffer> | null {
  const view = ArrayBuffer.isView(value) ? value : null;
  const buffer: unknown = view?.buffer ?? value;
  if (view === null && !isArrayBuffer(buffer)) return null;
  if (!isArrayBuffer(buffer)) throw new TypeError("Expected memory that is not shared with other threads.");
  if ((buffer as { resizable?: boolean }).resizable === true)
    throw new TypeError("Expected an ArrayBuffer of fixed length.");
  if (buffer.byteLength === 0) return new Uint8Array(0); // `slice()` of a transferred buffer throws.
  const { byteOffset, byteLength } = view ?? { byteOffset: 0, byteLength: buffer.byteLength };
  return new Uint8Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

/** Also true for buffers of other realms. */
function isArrayBuffer(value: unknown): value is ArrayBuffer {
  if (value instanceof ArrayBuffer) return true;
  if (Object.prototype.toString.call(value) !== "[object ArrayBuffer]") return false;
  try {
    readByteLength?.call(value);
    return readByteLength !== undefined;
  } catch {
    return false; // Another object with that tag.
  }
}

// eslint-disable-next-line @typescript-eslint/unbound-method -- Called with a buffer of any realm.
const readByteLength = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, "byteLength")?.get;

/** Whether a reason fits into a Close frame: 123 bytes of UTF-8. */
export function isReason(reason: string): boolean {
  return reason.length <= 41 || (reason.length <= 123 && encoder.encode(reason).length <= 123);
}
