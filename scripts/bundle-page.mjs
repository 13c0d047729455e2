// Bundles the inspector's page (packages/holdfast/inspect-page) into one HTML document, compressed, as a module that the
// library loads with the first request for the page.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { build, transform } from "esbuild";
import { isMain } from "./lib/main.mjs";
import { root } from "./lib/root.mjs";

const folder = join(root, "packages/holdfast/inspect-page");
const output = join(root, "packages/holdfast/build/server/inspect/inspect-page.mjs");
const uPlot = join(root, "node_modules/uplot");

/** Writes the module, unless it is the same as before: then the library's bundle is not outdated. */
export async function bundlePage() {
  const compressed = brotliCompressSync(await pageText()).toString("base64");
  const code = [
    'import { brotliDecompressSync } from "node:zlib";',
    `export const page = brotliDecompressSync(Buffer.from("${compressed}", "base64")).toString();\n`,
  ].join("\n");
  if (!existsSync(output) || readFileSync(output, "utf8") !== code) writeFileSync(output, code);
}

async function pageText() {
  const text = (...path) => readFileSync(join(...path), "utf8");
  const [script, style] = await Promise.all([
    build({
      entryPoints: [join(folder, "src/main.ts")],
      bundle: true,
      write: false,
      minify: true,
      format: "iife",
      target: "es2022",
      legalComments: "none",
    }),
    transform(`${text(uPlot, "dist/uPlot.min.css")}\n${text(folder, "page.css")}`, {
      loader: "css",
      minify: true,
      legalComments: "none",
    }),
  ]);
  const { version } = JSON.parse(text(uPlot, "package.json"));
  const markup = text(folder, "index.html").replaceAll(/\n\s*/g, "\n");
  // Functions: a replacement string would interpret `$`.
  return markup
    .replace(
      "<head>",
      () => `<!--\nThis page contains uPlot ${version}:\n${text(uPlot, "LICENSE")}-->\n<head>`,
    )
    .replace("<style></style>", () => `<style>${style.code}</style>`)
    .replace("<script></script>", () => `<script>${script.outputFiles[0].text}</script>`);
}

if (isMain(import.meta.url)) await bundlePage();
