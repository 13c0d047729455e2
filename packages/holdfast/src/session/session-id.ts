// Ids and secrets of sessions. The id may be logged. The secret may not: it proves that a client may resume the session.

/** Random bytes of an id: 72 bits. */
export const ID_BYTES = 9;
/** Random bytes of a secret: 128 bits. */
export const SECRET_BYTES = 16;

/** An id made of `ID_BYTES` random bytes: 12 characters of base64url. */
export function formatSessionId(random: Uint8Array): string {
  return base64url(random);
}

/** A secret made of `SECRET_BYTES` random bytes: 22 characters of base64url. */
export function formatSessionSecret(random: Uint8Array): string {
  return base64url(random);
}

/** Whether a text has the form of an id. Such a text is also safe as the name of a file. */
export function isSessionId(text: string): boolean {
  return ID.test(text);
}

/** Whether a text has the form of a secret. */
export function isSessionSecret(text: string): boolean {
  return SECRET.test(text);
}

/** Whether a text has the form of a secret's SHA-256: 64 digits of lower-case hexadecimal. */
export function isSecretHash(text: string): boolean {
  return HASH.test(text);
}

/** Halves the length of hexadecimal digits: a character for each byte. */
export function bytesOfDigits(hex: string): string {
  return hex.replaceAll(/../g, (digits) => String.fromCharCode(Number.parseInt(digits, 16)));
}

/** The reverse of `bytesOfDigits`. */
export function digitsOfBytes(bytes: string): string {
  return Array.from(bytes, (byte) => byte.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}

/** Compares two texts in a time that depends on their lengths only. */
export function equalInConstantTime(left: string, right: string): boolean {
  if (left.length !== right.length) return false;
  let difference = 0;
  for (let index = 0; index < left.length; index++) {
    difference |= left.charCodeAt(index) ^ right.charCodeAt(index);
  }
  return difference === 0;
}

const ID = /^[A-Za-z0-9_-]{12}$/;
const SECRET = /^[A-Za-z0-9_-]{22}$/;
const HASH = /^[0-9a-f]{64}$/;

function base64url(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
