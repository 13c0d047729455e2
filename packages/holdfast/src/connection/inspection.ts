// Shows objects in `console.log()` and `util.inspect()` of Node.js, Bun and Deno: one line, without secrets.

/** The key of the method that these functions call. */
export const inspectCustom: unique symbol = Symbol.for("nodejs.util.inspect.custom");

/** Adds that method to a class. A method in the class body would add the symbol to the published declarations. */
export function showInInspector<Shown extends object>(
  { prototype }: { readonly prototype: Shown },
  show: (shown: Shown) => string,
): void {
  Object.defineProperty(prototype, inspectCustom, {
    value(this: Shown): string {
      try {
        return show(this);
      } catch {
        return `[${prototype.constructor.name}]`; // A Proxy, or an object that only inherits: they have no private fields.
      }
    },
  });
}

/** `Connection { id: "a-1", state: "open" }`. */
export function describeObject(name: string, fields: Readonly<Record<string, unknown>>): string {
  const shown = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([field, value]) => `${field}: ${JSON.stringify(value)}`);
  return `${name} { ${shown.join(", ")} }`;
}
