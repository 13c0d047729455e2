// `npm run size`: prints how many bytes a page loads.

import { bundle } from "./bundle.js";
import { MEASURED } from "./libraries.js";

const rows = await Promise.all(
  MEASURED.map(async ({ name, program, limit, splits = false }) => {
    const { minified, gzip, brotli, later } = await bundle(program, { splits });
    return { name, minified, gzip, brotli, "later, gzip": later, "gzip, at most": limit ?? "" };
  }),
);
console.table(Object.fromEntries(rows.map(({ name, ...sizes }) => [name, sizes])));
