// Gives classes the properties that Web IDL gives interfaces (https://webidl.spec.whatwg.org/#es-interfaces).

/** Makes the members of a class enumerable, and sets its name for `Object.prototype.toString()`. */
export function describeInterface(constructor: { readonly prototype: object }, name: string): void {
  const { prototype } = constructor;
  for (const key of Object.getOwnPropertyNames(prototype)) {
    if (key !== "constructor") Object.defineProperty(prototype, key, { enumerable: true });
  }
  Object.defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
  Object.defineProperty(constructor, "name", { value: name, configurable: true });
}

/** Sets the number of required arguments: optional parameters of TypeScript count as required ones in JavaScript. */
export function setRequiredArguments(owner: object, name: string, count: number): void {
  Object.defineProperty(Reflect.get(owner, name), "length", { value: count, configurable: true });
}

/** Defines constants, on the class and on its prototype. */
export function defineConstants(
  constructor: { readonly prototype: object },
  constants: Readonly<Record<string, number>>,
): void {
  for (const [name, value] of Object.entries(constants)) {
    for (const owner of [constructor, constructor.prototype]) {
      Object.defineProperty(owner, name, { value, enumerable: true, writable: false, configurable: false });
    }
  }
}
