// `npm run size`: prints how many bytes a page loads. `npm run size -- connect explain`: the modules that these exports
// need.

import { brotliSize, bundle } from "./bundle.js";
import { MEASURED } from "./libraries.js";
import { foldersOf, modulesOf } from "./modules.js";

const names = process.argv.slice(2);
await (names.length === 0 ? printLibraries() : printModules());

async function printLibraries(): Promise<void> {
  const rows = await Promise.all(
    MEASURED.map(async ({ name, program, limit, splits = false }) => {
      const { minified, gzip, files, later } = await bundle(program, { splits });
      return {
        name,
        minified,
        gzip,
        brotli: brotliSize(files),
        "later, gzip": later,
        "gzip, at most": limit ?? "",
      };
    }),
  );
  console.table(Object.fromEntries(rows.map(({ name, ...sizes }) => [name, sizes])));
}

async function printModules(): Promise<void> {
  const { gzip, modules } = await modulesOf(names);
  for (const sizes of [foldersOf(modules), modules])
    console.table(Object.fromEntries(sizes.map(({ path, minified }) => [path, { minified }])));
  console.log(`${modules.length} modules, ${gzip} bytes with gzip`);
}
