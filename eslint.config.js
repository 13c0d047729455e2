// The linter: strict and type-aware over all workspaces. Where a rule departs
// from the presets, the reason stands beside it.

import eslint from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";
import { plainWords } from "./scripts/lint/plain-words.mjs";

const library = "packages/holdfast/src";
const tests = [
  "packages/holdfast/test/**",
  "testkit/src/**",
  "checks/interop/src/**",
  "checks/browser/src/**",
  "**/*.test.ts",
];

const throughPorts = "Time, randomness and the outside come in through the ports of connection/ports.ts.";

/** Below client/, server/ and transport/node/ there is no clock, no timer, no randomness and no process. */
const impureGlobals = [
  ...["setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate"],
  ...["queueMicrotask", "performance", "process", "crypto", "fetch", "WebSocket"],
].map((name) => ({ name, message: throughPorts }));

/** Browsers lack it, although Node's types declare it. */
const noBuffer = { name: "Buffer", message: "Uint8Array: browsers have no Buffer." };

/** The globals of plain JavaScript files; in TypeScript the compiler knows them. */
const nodeGlobals = (
  "console process Buffer URL performance fetch AbortController AbortSignal WebSocket TextEncoder TextDecoder " +
  "setTimeout setInterval setImmediate clearTimeout clearInterval clearImmediate queueMicrotask structuredClone"
).split(" ");

/** The folders that run in browsers as well. */
const universalFolders = ["shared", "heartbeat", "connection", "reconnect", "transport/link"];
const browserFolders = ["browser", "transport/browser", "transport/worker"];

const filesIn = (folders) => folders.map((folder) => `${library}/${folder}/**/*.ts`);

/** Syntax that this code base does without. */
const unwantedSyntax = [
  {
    selector: "TSEnumDeclaration",
    message: "A union of string literals says the same without run-time code.",
  },
  { selector: "TSParameterProperties", message: "Declare the field, with its comment, and assign it." },
  {
    selector: "ExportDefaultDeclaration",
    message: "Named exports: one word for one thing everywhere.",
  },
  {
    selector:
      "PropertyDefinition[accessibility='private'], MethodDefinition[accessibility='private'][kind!='constructor']",
    message: "State is kept in #private members, which are private at run time as well.",
  },
];

/** The message of an error is made of sentences. Errors that take a reason instead of a message are left out. */
const errorSentences = [
  "> Literal.arguments:first-child[value=/[^.!?]$/]",
  "> TemplateLiteral.arguments:first-child > TemplateElement:last-child[value.raw=/[^.!?]$/]",
].map((message) => ({
  selector: `NewExpression[callee.name=/^(?!NotSent|Topic).*Error$/] ${message}`,
  message: "End the sentence with a full stop.",
}));

/** The wall clock by another name: `new Date()` without an argument, and `Date()`. */
const wallClock = {
  selector: ":matches(NewExpression, CallExpression)[callee.name='Date'][arguments.length=0]",
  message: throughPorts,
};

export default defineConfig(
  globalIgnores([
    ...["**/dist/", "**/build/", "**/test-dist/", "**/coverage/", ".cache/", "bench/results/"],
    "packages/ws/types/", // Declarations of classes in plain JavaScript, in the style of @types.
  ]),

  eslint.configs.recommended,
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["**/*.{ts,js,mjs}"],
    plugins: { house: { rules: { "plain-words": plainWords } } },
    rules: { "house/plain-words": "error" },
  },
  {
    files: ["**/*.{js,mjs}"],
    languageOptions: { globals: Object.fromEntries(nodeGlobals.map((name) => [name, "readonly"])) },
  },

  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-shadow": "error",
      "@typescript-eslint/explicit-module-boundary-types": "error",
      // node:test collects what these return by itself.
      "@typescript-eslint/no-floating-promises": [
        "error",
        {
          allowForKnownSafeCalls: [
            { from: "package", package: "node:test", name: ["test", "describe", "it", "suite"] },
          ],
        },
      ],
      // A number in a message needs no ceremony.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // `() => doIt()` is how a callback reads; and `void promise` says that nobody waits, on purpose.
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      // `while (true)` with a way out in its middle is a plain loop.
      "@typescript-eslint/no-unnecessary-condition": [
        "error",
        { allowConstantLoopConditions: "only-allowed-literals" },
      ],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      // A callback that does nothing needs no excuse.
      "@typescript-eslint/no-empty-function": ["error", { allow: ["arrowFunctions"] }],
      // `undefined` is what `default` is for, and a default is a decision.
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      // The reason of an aborted signal is the caller's, and passed on as it is.
      "@typescript-eslint/prefer-promise-reject-errors": "off",
      // Error classes narrow by their constructor here, and are made by it.
      "@typescript-eslint/no-unsafe-class-instance-assignment": "off",
      eqeqeq: "error",
      "no-restricted-syntax": ["error", ...unwantedSyntax],
      // A file is about one thing: long is a hint, not a mistake.
      "max-lines": ["warn", { max: 250, skipBlankLines: true, skipComments: true }],
    },
  },

  {
    files: ["packages/{holdfast,nats,redis}/src/**/*.ts"],
    rules: { "no-restricted-syntax": ["error", ...unwantedSyntax, ...errorSentences] },
  },
  {
    files: [`${library}/**/*.ts`],
    rules: { "no-console": "error" },
  },
  {
    files: filesIn(["cli", "transport/node"]),
    rules: { "no-console": "off" },
  },
  {
    files: filesIn([...universalFolders, "protocol", "transport/frames", "transport/worker"]),
    rules: {
      "no-restricted-globals": ["error", { globals: impureGlobals, checkGlobalObject: true }],
      "no-restricted-properties": [
        "error",
        { object: "Date", property: "now", message: throughPorts },
        { object: "Math", property: "random", message: throughPorts },
        { object: "AbortSignal", property: "timeout", message: throughPorts },
      ],
      "no-restricted-syntax": ["error", ...unwantedSyntax, ...errorSentences, wallClock],
    },
  },
  {
    files: filesIn(universalFolders),
    rules: {
      "@typescript-eslint/no-restricted-types": ["error", { types: { Buffer: noBuffer.message } }],
      "no-restricted-globals": ["error", { globals: [...impureGlobals, noBuffer], checkGlobalObject: true }],
    },
  },
  {
    // The browser's own globals are its business.
    files: filesIn(browserFolders),
    rules: {
      "@typescript-eslint/no-restricted-types": ["error", { types: { Buffer: noBuffer.message } }],
      "no-restricted-globals": ["error", { globals: [noBuffer], checkGlobalObject: true }],
    },
  },
  {
    files: tests,
    rules: {
      // Tests end a function with `assert(…)`, hand async functions to node:test and reach into odd corners on purpose.
      "@typescript-eslint/explicit-module-boundary-types": "off",
      "@typescript-eslint/require-await": "off",
      // An index that is not there fails the comparison anyway, and checking for it is fine, too.
      "@typescript-eslint/no-unnecessary-condition": "off",
      // The text that is taken apart here is ASCII.
      "@typescript-eslint/no-misused-spread": "off",
      "max-lines": "off",
    },
  },
);
