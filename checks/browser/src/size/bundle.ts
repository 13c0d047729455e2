// The size of a library for a page: bundled for browsers, minified, compressed.

import { build, type Metafile } from "esbuild";
import { basename } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";

export interface Bundle {
  /** Minified size in bytes, without the code that is loaded later. */
  readonly minified: number;
  readonly gzip: number;
  readonly brotli: number;
  /** The code that is loaded only when it is needed: bytes with gzip. */
  readonly later: number;
  /** The files in the bundle. */
  readonly inputs: readonly string[];
  readonly text: string;
}

/**
 * Bundles a short program as a page would. Fails if it needs a module of Node. With `splits`, code that is loaded by a
 * dynamic import is in files of its own; otherwise there is one file.
 */
export async function bundle(program: string, { splits = false } = {}): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: program, resolveDir: import.meta.dirname },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    splitting: splits,
    outdir: OUTPUT,
    metafile: true,
    write: false,
    logLevel: "silent",
  });
  const first = filesAtStart(metafile);
  const files = outputFiles.filter(({ path }) => first.has(basename(path)));
  const rest = outputFiles.filter(({ path }) => !first.has(basename(path)));
  return {
    minified: sum(files.map(({ contents }) => contents.length)),
    gzip: sum(files.map(gzipSize)),
    brotli: sum(files.map(({ contents }) => brotliCompressSync(contents).length)),
    later: sum(rest.map(gzipSize)),
    inputs: inputsOf(metafile),
    text: outputFiles.map(({ text }) => text).join("\n"),
  };
}

/** Nothing is written. */
const OUTPUT = "bundle";

function gzipSize({ contents }: { readonly contents: Uint8Array }): number {
  return gzipSync(contents, { level: 9 }).length;
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}

/** The names of the files that the page loads at once: the program's, and those that it imports statically. */
function filesAtStart({ outputs }: Metafile): ReadonlySet<string> {
  const names = new Set<string>();
  const add = (path: string): void => {
    names.add(basename(path));
    for (const each of outputs[path]?.imports ?? []) if (each.kind === "import-statement") add(each.path);
  };
  for (const [path, { entryPoint }] of Object.entries(outputs)) if (entryPoint === "<stdin>") add(path);
  return names;
}

function inputsOf({ inputs }: Metafile): readonly string[] {
  return Object.keys(inputs).filter((path) => path !== "<stdin>");
}
