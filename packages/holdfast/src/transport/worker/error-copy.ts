// Copies errors between threads: structured cloning keeps neither their classes nor their properties.

import { ConcurrencyError, TooSlowError } from "../../connection/errors.js";
import {
  HandshakeError,
  HoldfastError,
  InvalidArgumentError,
  InvalidHeaderError,
  InvalidStateError,
  InvalidStatusError,
  InvalidUpgradeError,
  InvalidURLError,
  MessageTooBigError,
  NegotiationError,
  OpenTimeoutError,
  ProtocolError,
  ProxyError,
  RedirectError,
} from "../../shared/errors.js";
import { errorOf } from "../../shared/thrown.js";

export interface ErrorCopy {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly fields: readonly (readonly [name: string, value: FieldCopy])[];
  readonly cause: ErrorCopy | null;
}

type FieldCopy =
  | { readonly kind: "error"; readonly error: ErrorCopy }
  | { readonly kind: "headers"; readonly entries: readonly [string, string][] }
  | { readonly kind: "list"; readonly items: readonly FieldCopy[] }
  | { readonly kind: "plain"; readonly value: boolean | number | string | Uint8Array | null };

/** Copies a thrown value, which need not be an error. Properties that cannot be cloned are omitted. */
export function copyError(thrown: unknown): ErrorCopy {
  const error = errorOf(thrown);
  const fields: [string, FieldCopy][] = [];
  const hidden = error instanceof RedirectError ? ["hops"] : [];
  for (const name of [...Object.keys(error), ...hidden]) {
    const copy = copyField(read(error, name));
    if (copy !== null && name !== "cause") fields.push([name, copy]);
  }
  const cause = error === thrown ? read(error, "cause") : undefined;
  return {
    name: error.name,
    message: error.message,
    stack: error.stack ?? "",
    fields,
    cause: cause === undefined ? null : copyError(cause),
  };
}

/** Creates an instance of the same class if it is a class of this library or of the language. */
export function rebuildError(copy: ErrorCopy): Error {
  const error = new Error(
    copy.message,
    copy.cause === null ? undefined : { cause: rebuildError(copy.cause) },
  );
  const kind = CLASSES.get(copy.name);
  if (kind !== undefined) Object.setPrototypeOf(error, kind.prototype as object);
  Object.defineProperty(error, "stack", { value: copy.stack, writable: true, configurable: true });
  for (const [name, field] of copy.fields) {
    Object.defineProperty(error, name, {
      value: rebuildField(field),
      enumerable: name !== "hops",
      writable: true,
      configurable: true,
    });
  }
  return error;
}

/** Undefined if a getter throws. */
function read(error: Error, name: string): unknown {
  try {
    return (error as unknown as Readonly<Record<string, unknown>>)[name];
  } catch {
    return undefined;
  }
}

function copyField(value: unknown): FieldCopy | null {
  if (value === null || ["boolean", "number", "string"].includes(typeof value)) {
    return { kind: "plain", value: value as boolean | number | string | null }; // It is one of those classes.
  }
  if (value instanceof Uint8Array) return { kind: "plain", value: value.slice() };
  if (value instanceof Headers) return { kind: "headers", entries: [...value] };
  if (value instanceof Error) return { kind: "error", error: copyError(value) };
  if (!Array.isArray(value)) return null;
  return { kind: "list", items: value.map(copyField).filter((item) => item !== null) };
}

function rebuildField(field: FieldCopy): unknown {
  switch (field.kind) {
    case "error":
      return rebuildError(field.error);
    case "headers":
      return new Headers(field.entries.map(([name, value]): [string, string] => [name, value]));
    case "list":
      return field.items.map(rebuildField);
    case "plain":
      return field.value;
  }
}

/** The keys are the names that the instances carry: minifiers do not change those. */
const CLASSES: ReadonlyMap<string, { readonly prototype: unknown }> = new Map(
  [
    ConcurrencyError,
    HandshakeError,
    HoldfastError,
    InvalidArgumentError,
    InvalidHeaderError,
    InvalidStateError,
    InvalidStatusError,
    InvalidUpgradeError,
    InvalidURLError,
    MessageTooBigError,
    NegotiationError,
    OpenTimeoutError,
    ProtocolError,
    ProxyError,
    RangeError,
    RedirectError,
    TooSlowError,
    TypeError,
  ].map((kind) => [kind.prototype.name, kind]),
);
