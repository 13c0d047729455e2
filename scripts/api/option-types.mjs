// Every option has a type test: a new option without one is found here.

import ts from "typescript";
import { entries, pathOf, programOfAll, typeTests } from "./surface.mjs";

/** The options of every exported …Options that no type test names, like `ConnectOptions.pingInterval`. */
export function untestedOptions() {
  const program = programOfAll();
  const mentioned = new Set(
    typeTests.flatMap((file) => propertiesNamedIn(program.getSourceFile(pathOf(file)))),
  );
  const missing = entries
    .flatMap(({ types }) => optionsOf(program, program.getSourceFile(pathOf(types))))
    .filter((option) => !mentioned.has(option.split(".")[1]));
  return [...new Set(missing)].sort();
}

/** Options of Node, such as those of TLS, are not ours to test. */
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
