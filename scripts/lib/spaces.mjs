// Removes the spaces between the tokens of JavaScript, and the indentation. The lines stay.

import ts from "typescript";

/** Spaces, and the comments that bundlers read, which are left as they are. */
const SPACES_OR_COMMENT = /\/\*.*?\*\/| +/g;
/** Two tokens that would be one without the space between them: words, and signs such as those of `a + +b`. */
const WORDS = /^[\w$#@\\\u0080-\uffff]{2}$/;
const SIGNS = /^(?:\+\+|--|\/\/|\/\*)$/;

/** @param code JavaScript whose lines are indented with spaces */
export function withoutSpaces(code) {
  let result = "";
  let end = 0;
  for (const [from, to] of literalsIn(code)) {
    result += removeSpaces(code, end, from) + code.slice(from, to);
    end = to;
  }
  return result + removeSpaces(code, end, code.length);
}

function removeSpaces(code, from, to) {
  return code.slice(from, to).replace(SPACES_OR_COMMENT, (found, offset) => {
    if (found.startsWith("/*")) return found;
    const [before = "", after = ""] = [code[from + offset - 1], code[from + offset + found.length]];
    // A number before a dot: `1 .toString()`.
    const isNeeded = WORDS.test(before + after) || SIGNS.test(before + after) || /\d\./.test(before + after);
    return isNeeded ? " " : "";
  });
}

/** Where strings, templates and regular expressions are: their spaces stay. */
function literalsIn(code) {
  const file = ts.createSourceFile("chunk.js", code, ts.ScriptTarget.ES2022, false, ts.ScriptKind.JS);
  const found = [];
  const visit = (node) => {
    if (isLiteral(node)) found.push([node.getStart(file), node.end]);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found.sort(([a], [b]) => a - b);
}

function isLiteral({ kind }) {
  return (
    kind === ts.SyntaxKind.StringLiteral ||
    kind === ts.SyntaxKind.RegularExpressionLiteral ||
    (kind >= ts.SyntaxKind.FirstTemplateToken && kind <= ts.SyntaxKind.LastTemplateToken)
  );
}
