// Every option has a type test; a new option without one fails here.

import assert from "node:assert/strict";
import { test } from "node:test";
import { join } from "node:path";
import ts from "typescript";
import { root } from "../lib/root.mjs";
import { entries } from "./surface.mjs";

const typeTests = [
  "behaviour/option-types.test.ts",
  "behaviour/call-option-types.ts",
  "topics/option-types.ts",
  "testing/option-types.ts",
].map((name) => `packages/holdfast/test/${name}`);

test("API: every option of every exported …Options has a type test", () => {
  const files = [...entries.map(({ types }) => types), ...typeTests].map((path) => join(root, path));
  const program = ts.createProgram(files, {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    types: ["node"],
    skipLibCheck: true,
  });
  const mentioned = new Set(
    files.slice(entries.length).flatMap((file) => propertiesNamedIn(program.getSourceFile(file))),
  );
  const missing = files
    .slice(0, entries.length)
    .flatMap((file) => optionsOf(program, program.getSourceFile(file)))
    .filter((option) => !mentioned.has(option.split(".")[1]));
  assert.deepEqual([...new Set(missing)].sort(), []);
});

/** Named like `ConnectOptions.pingInterval`. Options of Node, such as those of TLS, are not ours to test. */
function optionsOf(program, file) {
  const checker = program.getTypeChecker();
  return checker
    .getExportsOfModule(checker.getSymbolAtLocation(file))
    .filter(({ name }) => name.endsWith("Options"))
    .flatMap((symbol) =>
      checker
        .getDeclaredTypeOfSymbol(
          symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol,
        )
        .getApparentProperties()
        .filter(({ declarations }) =>
          declarations?.[0]?.getSourceFile().fileName.includes("/holdfast/build/"),
        )
        .map(({ name }) => `${symbol.name}.${name}`),
    );
}

function propertiesNamedIn(file) {
  const names = [];
  const visit = (node) => {
    if (
      ts.isPropertyAssignment(node) ||
      ts.isShorthandPropertyAssignment(node) ||
      ts.isMethodDeclaration(node)
    ) {
      names.push(node.name.getText(file));
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return names;
}
