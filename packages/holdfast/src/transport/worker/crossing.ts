// Copies options for a worker. Functions and objects that belong to this thread cannot be sent there.

import { describe, isURL, tagOf } from "../../shared/option-checks.js";
import { InvalidArgumentError } from "../../shared/errors.js";

/** @throws InvalidArgumentError that names the value that cannot be sent */
export function checkCrossing(name: string, value: unknown): unknown {
  return copyOf(name, value, []);
}

/** @param around the objects that contain the value, to detect cycles */
function copyOf(name: string, value: unknown, around: readonly object[]): unknown {
  if (typeof value === "function" || typeof value === "symbol") throw refused(name, value);
  if (typeof value !== "object" || value === null) return value;
  if (isURL(value)) return value.href;
  if (tagOf(value) === "Headers") return [...(value as Headers)];
  if (ArrayBuffer.isView(value) || tagOf(value) === "ArrayBuffer") return value;
  if (around.includes(value)) throw refused(name, value, "an object that contains itself");
  const within = [...around, value];
  if (Array.isArray(value)) return value.map((item, index) => copyOf(`${name}[${index}]`, item, within));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw refused(name, value);
  const entries = Object.entries(value).map(([key, item]): [string, unknown] => [
    key,
    copyOf(name === "" ? key : `${name}.${key}`, item, within),
  ]);
  return Object.fromEntries(entries);
}

function refused(name: string, value: unknown, what = describe(value)): InvalidArgumentError {
  return new InvalidArgumentError(
    `Expected \`${name}\` to be plain data in connectInWorker(), as nothing else can be sent to a worker, got ${what}.`,
  );
}
