// The share of each module of the library in a page: `npm run size -- connect` prints it.

import { build } from "esbuild";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

export interface ModuleSize {
  /** Below packages/holdfast/build/. */
  readonly path: string;
  /** Minified size in bytes. */
  readonly minified: number;
}

const ENTRY = fileURLToPath(new URL("../build/browser.js", import.meta.resolve("holdfast")));

/** The modules that a page loads for these exports, the largest first. They come from the compiled, unbundled library. */
export async function modulesOf(
  names: readonly string[],
): Promise<{ readonly gzip: number; readonly modules: readonly ModuleSize[] }> {
  const list = names.join(", ");
  const { metafile, outputFiles } = await build({
    stdin: {
      contents: `import { ${list} } from ${JSON.stringify(ENTRY)}; globalThis.kept = [${list}];`,
      resolveDir: import.meta.dirname,
    },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    metafile: true,
    write: false,
    logLevel: "silent",
  });
  const modules = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).map(([path, { bytesInOutput }]) => ({
      path: path.replace(/^.*\/build\//, ""),
      minified: bytesInOutput,
    })),
  );
  const gzip = outputFiles.reduce(
    (total, { contents }) => total + gzipSync(contents, { level: 9 }).length,
    0,
  );
  return { gzip, modules: modules.sort((a, b) => b.minified - a.minified) };
}

/** The sums of the folders, the largest first. */
export function foldersOf(modules: readonly ModuleSize[]): readonly ModuleSize[] {
  const sums = new Map<string, number>();
  for (const { path, minified } of modules) {
    const folder = path.split("/").slice(0, -1).join("/");
    sums.set(folder, (sums.get(folder) ?? 0) + minified);
  }
  return [...sums].map(([path, minified]) => ({ path, minified })).sort((a, b) => b.minified - a.minified);
}
