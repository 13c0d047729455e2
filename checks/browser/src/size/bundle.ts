// What a page pays for a library: bundled for browsers, minified, compressed.

import { build, type Metafile } from "esbuild";
import { brotliCompressSync, gzipSync } from "node:zlib";

export interface Bundle {
  /** Bytes, minified. */
  readonly minified: number;
  readonly gzip: number;
  readonly brotli: number;
  /** The files that are in it. */
  readonly inputs: readonly string[];
  readonly text: string;
}

/** Bundles a program of one or a few lines as a page would have it; fails where it needs anything of Node. */
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
