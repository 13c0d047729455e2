// What `console.log()` and `util.inspect()` of Node.js, Bun and Deno show of an object: a line, without secrets.

/** Names the method that they call. */
export const inspectCustom: unique symbol = Symbol.for("nodejs.util.inspect.custom");

/** `Connection { id: "a-1", state: "open" }`. */
export function describeObject(name: string, fields: Readonly<Record<string, unknown>>): string {
  const shown = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([field, value]) => `${field}: ${JSON.stringify(value)}`);
  return `${name} { ${shown.join(", ")} }`;
}
