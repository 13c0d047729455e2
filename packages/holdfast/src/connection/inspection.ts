// What `console.log()` and `util.inspect()` of Node.js, Bun and Deno show of an object: a line, without secrets.

/** The key of the method that they call. */
export const inspectCustom: unique symbol = Symbol.for("nodejs.util.inspect.custom");

/** Adds that method to a class. A method in the class's body would put the symbol into the declarations that ship. */
export function showInInspector<Shown extends object>(
  { prototype }: { readonly prototype: Shown },
  show: (shown: Shown) => string,
): void {
  Object.defineProperty(prototype, inspectCustom, {
    value(this: Shown): string {
      return show(this);
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
