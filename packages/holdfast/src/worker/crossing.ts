// Options on their way to a worker: what is code, or tied to this thread, cannot go there.

import { describe, isURL, tagOf } from "../connection/options.js";
import { InvalidArgument } from "../protocol/errors.js";

/** @throws InvalidArgument that names what cannot cross */
export function checkCrossing(name: string, value: unknown): unknown {
  if (typeof value === "function" || typeof value === "symbol") throw refused(name, value);
  if (typeof value !== "object" || value === null) return value;
  if (isURL(value)) return value.href;
  if (tagOf(value) === "Headers") return [...(value as Headers)];
  if (ArrayBuffer.isView(value) || tagOf(value) === "ArrayBuffer") return value;
  if (Array.isArray(value)) return value.map((item, index) => checkCrossing(`${name}[${index}]`, item));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw refused(name, value);
  const entries = Object.entries(value).map(([key, item]): [string, unknown] => [
    key,
    checkCrossing(name === "" ? key : `${name}.${key}`, item),
  ]);
  return Object.fromEntries(entries);
}

function refused(name: string, value: unknown): InvalidArgument {
  return new InvalidArgument(
    `Expected \`${name}\` to be plain data in connectInWorker(), as nothing else can be sent to a worker, got ${describe(value)}`,
  );
}
