// The size of a library for a page: bundled for browsers, minified, compressed.

import { build, type Metafile } from "esbuild";
import { brotliCompressSync, gzipSync } from "node:zlib";

export interface Bundle {
  /** Minified size in bytes. */
  readonly minified: number;
  readonly gzip: number;
  readonly brotli: number;
  /** The files in the bundle. */
  readonly inputs: readonly string[];
  readonly text: string;
}

/** Bundles a short program as a page would. Fails if it needs a module of Node. */
export async function bundle(program: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: program, resolveDir: import.meta.dirname },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    metafile: true,
    write: false,
    logLevel: "silent",
  });
  const [{ contents, text } = { contents: new Uint8Array(), text: "" }] = outputFiles;
  return {
    minified: contents.length,
    gzip: gzipSync(contents, { level: 9 }).length,
    brotli: brotliCompressSync(contents).length,
    inputs: inputsOf(metafile),
    text,
  };
}

function inputsOf({ inputs }: Metafile): readonly string[] {
  return Object.keys(inputs).filter((path) => path !== "<stdin>");
}
