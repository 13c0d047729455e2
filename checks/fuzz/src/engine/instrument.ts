// Adds a counter to the beginning of every function, branch and loop of a JavaScript module, with the
// TypeScript compiler that the repository already has.

import ts from "typescript";
import { EDGES_EXPRESSION } from "./edges.js";

const COUNTERS = "__edges";

/** @param nextEdge returns the number of the next counter, unique across all modules of a process */
export function instrument(source: string, nextEdge: () => number): string {
  const file = ts.createSourceFile("module.js", source, ts.ScriptTarget.ES2022, true, ts.ScriptKind.JS);
  const { transformed } = ts.transform(file, [(context) => (root) => visitFile(root, context, nextEdge)]);
  const [instrumented = file] = transformed;
  return `const ${COUNTERS} = ${EDGES_EXPRESSION};\n${ts.createPrinter().printFile(instrumented)}`;
}

function visitFile(
  root: ts.SourceFile,
  context: ts.TransformationContext,
  nextEdge: () => number,
): ts.SourceFile {
  const { factory } = context;

  /** `__edges[17]++` */
  const counter = (): ts.Expression =>
    factory.createPostfixIncrement(
      factory.createElementAccessExpression(factory.createIdentifier(COUNTERS), nextEdge()),
    );
  const statement = (): ts.Statement => factory.createExpressionStatement(counter());
  const counted = (expression: ts.Expression): ts.Expression =>
    factory.createParenthesizedExpression(factory.createComma(counter(), expression));
  const block = (body: ts.Statement): ts.Block =>
    factory.createBlock([statement(), ...(ts.isBlock(body) ? body.statements : [body])], true);

  const visit = (original: ts.Node): ts.Node => {
    const node = ts.visitEachChild(original, visit, context);
    if (ts.isArrowFunction(node) && !ts.isBlock(node.body)) {
      const { modifiers, typeParameters, parameters, type, equalsGreaterThanToken } = node;
      return factory.updateArrowFunction(
        node,
        modifiers,
        typeParameters,
        parameters,
        type,
        equalsGreaterThanToken,
        counted(node.body),
      );
    }
    if (ts.isBlock(node) && (ts.isFunctionLike(original.parent) || ts.isCatchClause(original.parent))) {
      return block(node);
    }
    if (ts.isIfStatement(node)) {
      const otherwise = node.elseStatement ?? factory.createBlock([]);
      return factory.updateIfStatement(node, node.expression, block(node.thenStatement), block(otherwise));
    }
    if (ts.isForStatement(node)) {
      const { initializer, condition, incrementor } = node;
      return factory.updateForStatement(node, initializer, condition, incrementor, block(node.statement));
    }
    if (ts.isForOfStatement(node)) {
      const { awaitModifier, initializer, expression } = node;
      return factory.updateForOfStatement(
        node,
        awaitModifier,
        initializer,
        expression,
        block(node.statement),
      );
    }
    if (ts.isWhileStatement(node)) {
      return factory.updateWhileStatement(node, node.expression, block(node.statement));
    }
    if (ts.isDoStatement(node)) {
      return factory.updateDoStatement(node, block(node.statement), node.expression);
    }
    if (ts.isCaseClause(node)) {
      return factory.updateCaseClause(node, node.expression, [statement(), ...node.statements]);
    }
    if (ts.isDefaultClause(node)) {
      return factory.updateDefaultClause(node, [statement(), ...node.statements]);
    }
    if (ts.isConditionalExpression(node)) {
      const { condition, questionToken, whenTrue, colonToken, whenFalse } = node;
      return factory.updateConditionalExpression(
        node,
        condition,
        questionToken,
        counted(whenTrue),
        colonToken,
        counted(whenFalse),
      );
    }
    if (ts.isBinaryExpression(node) && SHORT_CIRCUITS.has(node.operatorToken.kind)) {
      return factory.updateBinaryExpression(node, node.left, node.operatorToken, counted(node.right));
    }
    return node;
  };
  return ts.visitEachChild(root, visit, context);
}

/** Operators whose right side is a branch. */
const SHORT_CIRCUITS: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.AmpersandAmpersandToken,
  ts.SyntaxKind.AmpersandAmpersandEqualsToken,
  ts.SyntaxKind.BarBarToken,
  ts.SyntaxKind.BarBarEqualsToken,
  ts.SyntaxKind.QuestionQuestionToken,
  ts.SyntaxKind.QuestionQuestionEqualsToken,
]);
