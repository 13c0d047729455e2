// Values that code can throw, and values that code can return instead of a promise. Each is created on demand, because
// some can be used only once.

import { HoldfastError } from "holdfast";

/** Keyed by the name in the test title. */
export const THROWN: Readonly<Record<string, () => unknown>> = {
  "an object without a prototype": () => Object.create(null) as unknown,
  "an object whose toString throws": () => ({ toString: throwing, [Symbol.toPrimitive]: throwing }),
  "an Error whose message throws": () => Object.defineProperty(new Error("x"), "message", { get: throwing }),
  "an Error whose name throws": () => Object.defineProperty(new Error("x"), "name", { get: throwing }),
  "an error of this library whose properties throw": unreadable,
  "an Error whose code is no string": () =>
    Object.assign(new Error("x"), { code: Object.create(null) as unknown }),
  "a Proxy that throws on everything": throwingProxy,
  "a revoked Proxy": () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  "a Symbol": () => Symbol("thrown"),
  undefined: () => undefined,
  null: () => null,
  "a function": () => throwing,
};

/** Keyed by the name in the test title. */
export const THENABLES: Readonly<Record<string, () => Promise<never>>> = {
  "a thenable whose `then` throws": () => thenable(throwing),
  "a thenable whose `then` is a getter that throws": () =>
    Object.defineProperty({}, "then", { get: throwing }) as Promise<never>,
  "a thenable that rejects and then throws": () =>
    thenable((_, reject) => {
      reject(Object.create(null));
      throw new Error("again");
    }),
  "a promise whose own `then` throws": () =>
    Object.assign(Promise.resolve() as Promise<never>, { then: throwing }),
  "a function with a `then` that throws": () =>
    Object.assign(() => undefined, { then: throwing }) as unknown as Promise<never>,
};

function thenable(then: (resolve: unknown, reject: (error: unknown) => void) => void): Promise<never> {
  return { then } as unknown as Promise<never>; // The library relies on `then` only.
}

function throwing(): never {
  throw Object.create(null);
}

function unreadable(): HoldfastError {
  const error = new HoldfastError("x");
  for (const name of ["stack", "name", "message", "code", "cause"])
    Object.defineProperty(error, name, { get: throwing });
  return error;
}

function throwingProxy(): unknown {
  const traps = Object.fromEntries(Reflect.ownKeys(Reflect).map((name) => [name, throwing]));
  return new Proxy({}, traps);
}
