// Compiles the TypeScript of the pages as a reader's compiler would: one program with all blocks, each a
// separate module next to its page, with the built library as `holdfast`.

import { dirname, join } from "node:path";
import ts from "typescript";
import { root } from "../lib/root.mjs";

/** The options of a careful reader. `node` types: examples use timers and files. */
const options = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  moduleDetection: ts.ModuleDetectionKind.Force,
  lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts", "lib.dom.d.ts", "lib.dom.asynciterable.d.ts"],
  types: ["node"],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  verbatimModuleSyntax: true,
  skipLibCheck: true, // `npm run check:package` checks our declarations.
};

/**
 * @param {{ path: string, blocks: { code: string, line: number }[] }[]} pages with the blocks to compile
 * @returns {string[]} the compiler's errors, each as `page:line: message`
 */
export function compile(pages) {
  const sources = new Map(
    pages.flatMap(({ path, blocks }) =>
      blocks.map((block) => [fileName(path, block.line), { ...block, path }]),
    ),
  );
  const host = ts.createCompilerHost(options);
  const virtual = (name) => sources.get(name);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (name) => virtual(name) !== undefined || fileExists(name);
  host.readFile = (name) => virtual(name)?.code ?? readFile(name);
  host.getSourceFile = (name, settings, ...rest) => {
    const source = virtual(name);
    if (source === undefined) return getSourceFile(name, settings, ...rest);
    return ts.createSourceFile(
      name,
      source.code,
      { ...settings, impliedNodeFormat: ts.ModuleKind.ESNext },
      true,
    );
  };
  const program = ts.createProgram([...sources.keys()], options, host);
  const places = [...sources.keys()].map((name) => program.getSourceFile(name));
  const diagnostics = [
    ...program.getOptionsDiagnostics(),
    ...places.flatMap((file) => [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
    ]),
  ];
  return diagnostics.map((diagnostic) => describe(diagnostic, sources));
}

/** Compiles one block without checking types. */
export function transpile(code) {
  return ts.transpileModule(code, { compilerOptions: options, fileName: "block.mts" }).outputText;
}

/** Next to the page, so that imports resolve as for a file of this repository. */
function fileName(path, line) {
  return join(root, dirname(path), `block-at-line-${line}-of-${path.split("/").at(-1)}.mts`).replaceAll(
    "\\",
    "/",
  );
}

function describe({ file, start, messageText }, sources) {
  const message = ts.flattenDiagnosticMessageText(messageText, "\n");
  if (file === undefined) return message;
  const { path, line } = sources.get(file.fileName);
  return `${path}:${line + file.getLineAndCharacterOfPosition(start).line}: ${message}`;
}
