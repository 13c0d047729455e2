// The exports of the built library: names, declarations without comments, and missing documentation.

import { join } from "node:path";
import ts from "typescript";
import { root } from "../lib/root.mjs";

const library = "packages/holdfast";

/** The entries of the packages, and the paths of their reports. */
export const entries = [
  { name: "holdfast", types: `${library}/build/index.d.ts`, report: `${library}/api/holdfast.api.md` },
  {
    name: "holdfast/browser",
    types: `${library}/build/browser.d.ts`,
    report: `${library}/api/holdfast-browser.api.md`,
  },
  {
    name: "holdfast/topics",
    types: `${library}/build/topics.d.ts`,
    report: `${library}/api/holdfast-topics.api.md`,
  },
  {
    name: "holdfast/websocket",
    types: `${library}/build/websocket.d.ts`,
    report: `${library}/api/holdfast-websocket.api.md`,
  },
  ...["testing", "adapter"].map((name) => ({
    name: `holdfast/${name}`,
    types: `${library}/build/${name}.d.ts`,
    report: `${library}/api/holdfast-${name}.api.md`,
  })),
  ...["redis", "nats"].map((name) => ({
    name: `@holdfast/${name}`,
    types: `packages/${name}/dist/index.d.ts`,
    report: `packages/${name}/api/${name}.api.md`,
  })),
];

const printer = ts.createPrinter({ removeComments: true });

/**
 * @param {string} types the entry's declaration file, relative to the root
 * @returns {{ exports: Declared[], hidden: Declared[], undocumented: string[] }} each with `name` and `text`;
 * `hidden`: types of the library that exported declarations name, but users cannot
 */
export function readSurface(types) {
  const program = programOfAll();
  const checker = program.getTypeChecker();
  const file = program.getSourceFile(pathOf(types));
  if (file === undefined) throw new Error(`Expected ${types} to be built`);
  const symbols = checker
    .getExportsOfModule(checker.getSymbolAtLocation(file))
    .map((symbol) => ({ name: symbol.name, target: resolve(checker, symbol) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));

  const seen = new Set(symbols.map(({ target }) => target));
  const hidden = [];
  // Types that are found during the loop are processed too.
  const pending = symbols.map(({ target }) => target);
  for (const target of pending) {
    for (const found of namedBy(checker, target)) {
      if (seen.has(found)) continue;
      seen.add(found);
      pending.push(found);
      hidden.push({ name: found.name, text: print(found) });
    }
  }
  return {
    exports: symbols.map(({ name, target }) => ({ name, text: print(target) })),
    hidden: hidden.sort((a, b) => (a.name < b.name ? -1 : 1)),
    undocumented: symbols.filter(({ target }) => !isDocumented(checker, target)).map(({ name }) => name),
  };
}

/** Tests of types, which name each option. */
export const typeTests = [
  "behaviour/option-types.test.ts",
  "behaviour/call-option-types.ts",
  "topics/option-types.ts",
  "testing/option-types.ts",
].map((name) => `${library}/test/${name}`);

let program = null;

/** One program for everything, made once: most of the files are the same, and all of Node's and the page's types. */
export function programOfAll() {
  program ??= ts.createProgram([...entries.map(({ types }) => types), ...typeTests].map(pathOf), {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts", "lib.dom.d.ts"],
    types: ["node"],
    skipLibCheck: true,
  });
  return program;
}

/** The path as the compiler writes it. */
export function pathOf(file) {
  return join(root, file).replaceAll("\\", "/");
}

/** Resolves an alias of `export … from`. */
function resolve(checker, symbol) {
  return (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol);
}

function print(symbol) {
  return (symbol.declarations ?? []).map(printDeclaration).join("\n");
}

function printDeclaration(declaration) {
  const node = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
  const kept = isMembered(node) ? withoutInternals(node) : node;
  const text = printer.printNode(ts.EmitHint.Unspecified, kept, declaration.getSourceFile());
  return text.replace(/^(export )?(declare )?/, "export ");
}

function isMembered(node) {
  return ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node);
}

/** Removes private members, and members that need an internal symbol. */
function withoutInternals(node) {
  const members = node.members.filter((member) => !isInternal(member));
  const { modifiers, name, typeParameters, heritageClauses } = node;
  return ts.isClassDeclaration(node)
    ? ts.factory.updateClassDeclaration(node, modifiers, name, typeParameters, heritageClauses, members)
    : ts.factory.updateInterfaceDeclaration(node, modifiers, name, typeParameters, heritageClauses, members);
}

function isInternal(member) {
  const { name } = member;
  if ((ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Private) !== 0) return true;
  if (name === undefined) return false;
  return (
    ts.isPrivateIdentifier(name) || (ts.isComputedPropertyName(name) && ts.isIdentifier(name.expression))
  );
}

/**
 * The types of the library that the declarations of this symbol name. Constructors are omitted, because only
 * the library calls them.
 */
function namedBy(checker, symbol) {
  const found = new Set();
  const visit = (node) => {
    if (ts.isConstructorDeclaration(node) || (ts.isClassElement(node) && isInternal(node))) return;
    if (ts.isTypeReferenceNode(node) || ts.isExpressionWithTypeArguments(node)) {
      const named = checker.getSymbolAtLocation(
        ts.isTypeReferenceNode(node) ? node.typeName : node.expression,
      );
      const target = named && resolve(checker, named);
      if (target !== undefined && isOurs(target)) found.add(target);
    }
    ts.forEachChild(node, visit);
  };
  for (const declaration of symbol.declarations ?? []) visit(declaration);
  return found;
}

/** The compiled declarations of the packages; the bundled ones of the library are what other packages import. */
const ours = /\/packages\/(holdfast\/build|redis\/dist|nats\/dist)\//;

/** Whether the symbol belongs to a package and is not a type parameter. */
function isOurs(symbol) {
  const [declaration] = symbol.declarations ?? [];
  if (declaration === undefined || ts.isTypeParameterDeclaration(declaration)) return false;
  return ours.test(declaration.getSourceFile().fileName);
}

function isDocumented(checker, symbol) {
  return symbol.getDocumentationComment(checker).length > 0;
}
