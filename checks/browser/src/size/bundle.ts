// The size of a library for a page: bundled for browsers, minified, compressed.

import { build, transform } from "esbuild";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { rollup, type OutputChunk } from "rollup";

export interface Bundle {
  /** Minified size in bytes, without the code that is loaded later. */
  readonly minified: number;
  readonly gzip: number;
  /** The minified code, without what is loaded later. */
  readonly files: readonly Uint8Array[];
  /** The code that is loaded only when it is needed: bytes with gzip. */
  readonly later: number;
  /** The files in the bundle. */
  readonly inputs: readonly string[];
  readonly text: string;
}

/**
 * Bundles a short program as a page would. Fails if it needs a module of Node. With `splits`, code that is loaded by a
 * dynamic import is in separate files, as Vite makes them; otherwise there is one file.
 */
export function bundle(program: string, { splits = false } = {}): Promise<Bundle> {
  return splits ? bundleWithRollup(program) : bundleWithEsbuild(program);
}

async function bundleWithEsbuild(program: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: program, resolveDir: import.meta.dirname },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: TARGET,
    metafile: true,
    write: false,
    logLevel: "silent",
  });
  const files = outputFiles.map(({ contents }) => contents);
  const inputs = Object.keys(metafile.inputs).filter((path) => path !== "<stdin>");
  return { ...sizesOf(files, []), inputs, text: outputFiles.map(({ text }) => text).join("\n") };
}

/** For programs that import only "holdfast". */
async function bundleWithRollup(program: string): Promise<Bundle> {
  const built = await rollup({
    input: PROGRAM,
    // As package.json says, which this plugin does not read: an import that nothing is used of is left out.
    treeshake: { moduleSideEffects: (id) => id === PROGRAM },
    plugins: [
      {
        name: "program",
        resolveId: (id) => (id === PROGRAM ? id : id === "holdfast" ? LIBRARY : null),
        load: (id) => (id === PROGRAM ? program : null),
      },
    ],
  });
  const { output } = await built.generate({ format: "es" });
  const chunks = output.filter((file) => file.type === "chunk");
  const first = chunksAtStart(chunks);
  const texts = new Map<OutputChunk, string>();
  for (const chunk of chunks) texts.set(chunk, await minify(chunk.code));
  const bytesOf = (isFirst: boolean): Uint8Array[] =>
    [...texts].filter(([chunk]) => first.has(chunk) === isFirst).map(([, text]) => Buffer.from(text));
  const inputs = chunks.flatMap(({ moduleIds }) => moduleIds.filter((id) => id !== PROGRAM));
  return { ...sizesOf(bytesOf(true), bytesOf(false)), inputs, text: [...texts.values()].join("\n") };
}

const PROGRAM = "program";
const TARGET = "es2022";
const LIBRARY = fileURLToPath(new URL("browser.js", import.meta.resolve("holdfast")));

/** The files that the page loads at once: the program's, and those that it imports statically. */
function chunksAtStart(chunks: readonly OutputChunk[]): ReadonlySet<OutputChunk> {
  const first = new Set(chunks.filter(({ isEntry }) => isEntry));
  for (const { imports } of first)
    for (const name of imports) for (const chunk of chunks) if (chunk.fileName === name) first.add(chunk);
  return first;
}

async function minify(code: string): Promise<string> {
  return (await transform(code, { minify: true, format: "esm", target: TARGET })).code;
}

function sizesOf(
  first: readonly Uint8Array[],
  later: readonly Uint8Array[],
): Pick<Bundle, "files" | "gzip" | "later" | "minified"> {
  return {
    minified: sum(first.map(({ length }) => length)),
    gzip: sum(first.map(gzipSize)),
    files: first,
    later: sum(later.map(gzipSize)),
  };
}

function gzipSize(file: Uint8Array): number {
  return gzipSync(file, { level: 9 }).length;
}

/** Takes much longer than gzip. */
export function brotliSize(files: readonly Uint8Array[]): number {
  return sum(files.map((file) => brotliCompressSync(file).length));
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}
