// Bundles the compiled library into packages/holdfast/dist, which ships. It has few files instead of three
// hundred, so that `import("holdfast")` opens only a handful, and its declarations name only exports. Modules
// that entries share are chunks, so that a program that imports two entries has each class once.

import { renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { transform } from "esbuild";
import { rollup } from "rollup";
import { dts } from "rollup-plugin-dts";
import ts from "typescript";
import { filesBelow } from "./lib/files.mjs";
import { planChunks } from "./lib/chunks.mjs";
import { findInternal, relax } from "./lib/declarations.mjs";
import { isMain } from "./lib/main.mjs";
import { root } from "./lib/root.mjs";
import { withoutSpaces } from "./lib/spaces.mjs";

const library = join(root, "packages/holdfast");
const finished = join(library, "dist");
const unfinished = join(root, ".cache/bundle");

/** The entries of package.json, and the scripts that workers run. */
const entries = [
  ...["index", "worker", "topics", "websocket"].flatMap((name) => [
    name,
    name === "index" ? "browser" : `browser-${name}`,
  ]),
  "adapter",
  "testing",
];
/**
 * The modules that a page loads before its first WebSocket opens. Bundlers cannot divide a chunk. So each of these modules
 * is an entry, which keeps it apart from the code that is loaded while the WebSocket opens.
 */
const pageStarts = {
  "page-connect": "browser/connect",
  "page-client": "browser/client",
  "page-persistent": "browser/connect-persistent",
  "page-worker": "browser/connect-in-worker",
};

/** The scripts of workers export nothing, so both have the same declarations. */
const declared = entries.filter((name) => name !== "browser-worker");

/** Node's modules, and the optional peer dependency. */
const external = [/^node:/, "socks"];

/** Bundles, unless the bundle is newer than all of its sources. */
export async function bundle() {
  if (isUpToDate()) return;
  // Build in a separate folder, so that an existing bundle is always complete.
  rmSync(unfinished, { recursive: true, force: true });
  await Promise.all([bundleCode(), bundleCommand(), bundleDeclarations()]);
  rmSync(finished, { recursive: true, force: true });
  renameSync(unfinished, finished);
}

async function bundleCode() {
  const starts = Object.entries(pageStarts).map(([name, path]) => [name, join(library, `build/${path}.js`)]);
  await write({ ...inputs(entries, ".js"), ...Object.fromEntries(starts) }, external, unfinished);
}

/**
 * The command imports the library as any program does. Bundled together, the library would be split into the parts that
 * each verb uses, and `import("holdfast")` would open four times as many files.
 */
async function bundleCommand() {
  const command = { main: join(library, "build/cli/main.js") };
  const paths = Object.fromEntries(
    ["index", "topics"].map((name) => [join(library, `build/${name}.js`), `../${name}.js`]),
  );
  // Its verbs are small beside the library, which most of them load.
  const limits = { dynamic: 120_000 };
  await write(command, [...external, ...Object.keys(paths)], join(unfinished, "cli"), paths, limits);
}

async function write(input, externals, dir, paths = {}, limits = {}) {
  const built = await rollup({
    input,
    external: externals,
    plugins: [workerScripts, compact],
    onLog: failOnWarning,
  });
  const options = {
    dir,
    paths,
    format: "es",
    entryFileNames: "[name].js",
    chunkFileNames: "chunk-[hash].js",
    hoistTransitiveImports: false,
    generatedCode: "es2015",
  };
  await writeChunks(built, options, limits);
}

async function bundleDeclarations() {
  const built = await rollup({
    input: inputs(declared, ".d.ts"),
    external,
    plugins: [dts(), withoutInternal, withFewTypes],
    onLog: failOnWarning,
  });
  const options = {
    dir: unfinished,
    format: "es",
    entryFileNames: "[name].ts",
    chunkFileNames: "types-[hash].d.ts",
  };
  // Only the compiler loads them.
  await writeChunks(built, options, { small: 80_000, waste: 80_000 });
}

/** Writes the bundle with fewer chunks than rollup would make. */
async function writeChunks(built, options, limits) {
  const { output } = await built.generate(options);
  const chunks = output.filter(({ type }) => type === "chunk");
  const names = planChunks(chunks, limits);
  const manual = { manualChunks: (id) => names.get(id), onlyExplicitManualChunks: true };
  await built.write({ ...options, ...manual, plugins: [withoutUnused] });
  await built.close();
}

function inputs(names, ending) {
  const output = ending === ".js" ? "" : ".d";
  return Object.fromEntries(
    names.map((name) => [`${name}${output}`, join(library, "build", `${name}${ending}`)]),
  );
}

/** Chunks are next to the entries, so the worker's script is too, wherever the module that starts it was. */
const workerScripts = {
  name: "worker-scripts",
  transform: (code) => ({
    code: code.replaceAll(
      /new URL\("[./]+\/([\w-]+\.js)", import\.meta\.url\)/g,
      'new URL("./$1", import.meta.url)',
    ),
    map: null,
  }),
};

/** Declarations name only what an entry exports: everything else is internal. */
const withoutInternal = {
  name: "without-internal",
  generateBundle: (_, files) => {
    const internal = findInternal(Object.values(files));
    if (internal.length === 0) return;
    throw new Error(`Expected declarations of exports only, got others too: ${internal.join(", ")}.`);
  },
};

/** Pages compile the declarations without Node's types, programs for Node.js without those of the DOM. */
const withFewTypes = {
  name: "with-few-types",
  renderChunk: (code) => ({ code: withDisposables(relax(code)), map: null }),
};

/**
 * Adds a reference to the library that declares `AsyncDisposable`, which the page's compilation target may
 * not include.
 */
function withDisposables(code) {
  return /asyncdispos/i.test(code) ? `/// <reference lib="esnext.disposable" />\n${code}` : code;
}

/**
 * Removes comments, which are two fifths of the code, since editors show those of the declarations (esbuild keeps those of
 * class members), and spaces. Names and lines stay, so that stack traces and debuggers show what the source says.
 */
const compact = {
  name: "compact",
  renderChunk: async (code) => {
    const compilerOptions = { target: "ES2022", module: "ESNext", removeComments: true };
    const { outputText } = ts.transpileModule(code, { compilerOptions });
    // In ASCII: V8 takes twice the memory for a file with other characters.
    const text = (await transform(outputText, { target: "es2022" })).code;
    return { code: withoutSpaces(markPure(text)), map: null };
  },
};

/** Drops the chunks of `pageStarts` whose module is in a chunk with others: nobody imports these. */
const withoutUnused = {
  name: "without-unused",
  generateBundle: (_, files) => {
    const imported = new Set(Object.values(files).flatMap(({ imports = [] }) => imports));
    for (const name of Object.keys(pageStarts)) if (!imported.has(`${name}.js`)) delete files[`${name}.js`];
  },
};

/**
 * Lets bundlers drop unused code. They keep classes with static blocks or computed names, and objects that
 * are created at the top level or begin with the members of another, unless these are marked as free of side effects. The classes of `holdfast/websocket`
 * are made by functions.
 */
function markPure(code) {
  const lines = code.split("\n");
  let isWithinClass = false;
  let isWithinSpread = false;
  return lines
    .map((line, index) => {
      const [, name] = /^class ([\w$]+)[^{]* \{$/.exec(line) ?? [];
      if (name !== undefined) {
        isWithinClass = true;
        return `const ${name} = /* @__PURE__ */ (() => ${line}`;
      }
      if (isWithinClass && line === "}") {
        isWithinClass = false;
        return "})();";
      }
      if (/^const [\w$]+ = \{$/.test(line) && lines[index + 1]?.startsWith("  ...")) {
        isWithinSpread = true;
        return line.replace("{", "/* @__PURE__ */ (() => ({");
      }
      if (isWithinSpread && line === "};") {
        isWithinSpread = false;
        return "}))();";
      }
      return line.replace(
        /^((?:const|let) [\w$]+ = )(?=new |Object\.freeze\(|Promise\.resolve\(\)|defineWebSocket)/,
        "$1/* @__PURE__ */ ",
      );
    })
    .join("\n");
}

/** The library's classes refer to each other, and the worker's script exports nothing. */
const expectedWarnings = new Set(["CIRCULAR_DEPENDENCY", "EMPTY_BUNDLE"]);

function failOnWarning(level, log) {
  if (level === "warn" && !expectedWarnings.has(log.code)) throw new Error(log.message);
}

function isUpToDate() {
  const times = (paths) => paths.map((path) => statSync(join(root, path)).mtimeMs);
  const made = times(filesBelow("packages/holdfast/dist"));
  const sources = [
    "scripts/bundle.mjs",
    ...filesBelow("scripts/lib"),
    ...filesBelow("packages/holdfast/build"),
  ];
  return made.length > 0 && Math.min(...made) > Math.max(...times(sources));
}

if (isMain(import.meta.url)) await bundle();
