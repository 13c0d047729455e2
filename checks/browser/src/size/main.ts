// `npm run size`: prints how many bytes a page loads.

import { bundle } from "./bundle.js";
import { MEASURED } from "./libraries.js";

const rows = await Promise.all(
  MEASURED.map(async ({ name, program, limit }) => {
    const { minified, gzip, brotli } = await bundle(program);
    return { name, minified, gzip, brotli, "gzip, at most": limit ?? "" };
  }),
);
console.table(Object.fromEntries(rows.map(({ name, ...sizes }) => [name, sizes])));
