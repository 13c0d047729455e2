// The layers of packages/holdfast/src (docs/architecture.md) as an ESLint rule: who may import whom.

import { builtinModules } from "node:module";
import { posix } from "node:path";

/** Everything in Node. */
const allOfNode = "node:*";

/**
 * Layer → what its files may import besides their own folder: other layers, single files (with a slash in their
 * name), Node's modules. `.` stands for the files directly in src/, the public surfaces.
 */
export const layers = {
  protocol: ["node:buffer", "node:crypto", "node:zlib"],
  heartbeat: [],
  connection: ["protocol", "heartbeat"],
  node: ["connection", "protocol", "heartbeat", allOfNode],
  client: ["node", "connection", "protocol", "heartbeat", allOfNode],
  server: ["node", "connection", "protocol", "heartbeat", allOfNode],
  persist: ["connection", "heartbeat", "protocol/errors"],
  browser: ["connection", "persist", "heartbeat"],
  cli: [".", allOfNode],
  ".": ["protocol", "heartbeat", "connection", "node", "client", "server", "persist", "browser"],
};

const sourceFolder = "packages/holdfast/src/";

/** Reports imports, re-exports, dynamic imports and type imports that go up the list or sideways. */
export const layersRule = {
  meta: {
    type: "problem",
    schema: [],
    messages: {
      forbidden: "{{layer}} may not import {{target}}. It may import: {{allowed}} (docs/architecture.md).",
      unknown: "{{layer}} is no layer yet: add it to scripts/eslint/layers.mjs and docs/architecture.md.",
      package: "{{target}} is a package, and the library has no runtime dependency.",
      computed: "Import by a literal name, so that the layers can be checked.",
    },
  },
  create(context) {
    const file = sourcePath(context.filename);
    if (file === null) return {};
    const layer = layerOf(file);
    const check = (node) => {
      if (node === null) return;
      const problem = judge(file, layer, literal(node));
      if (problem !== null) context.report({ node, ...problem });
    };
    return {
      Program: (node) => {
        if (!(layer in layers)) context.report({ node, messageId: "unknown", data: { layer } });
      },
      ImportDeclaration: ({ source }) => check(source),
      ExportNamedDeclaration: ({ source }) => check(source),
      ExportAllDeclaration: ({ source }) => check(source),
      ImportExpression: ({ source }) => check(source),
      TSImportType: ({ source }) => check(source),
    };
  },
};

function judge(file, layer, target) {
  if (target === null) return { messageId: "computed" };
  if (isAllowed(file, layer, target)) return null;
  if (!isNodes(target) && !target.startsWith(".")) return { messageId: "package", data: { target } };
  const allowed = ["its own folder", ...(layers[layer] ?? [])].join(", ");
  return { messageId: "forbidden", data: { layer: layer === "." ? "src/" : `${layer}/`, target, allowed } };
}

function isAllowed(file, layer, target) {
  const allowed = layers[layer] ?? [];
  if (isNodes(target))
    return target.startsWith("node:") && (allowed.includes(target) || allowed.includes(allOfNode));
  if (!target.startsWith(".")) return false;
  const path = posix.normalize(posix.join(posix.dirname(file), target)).replace(/\.[jt]s$/, "");
  if (path.startsWith("..")) return false;
  return layerOf(path) === layer || allowed.includes(layerOf(path)) || allowed.includes(path);
}

/** A module of Node, spelt with `node:` or (which is refused: browsers' bundlers would look for a package) without. */
function isNodes(target) {
  return target.startsWith("node:") || builtinModules.includes(target);
}

/** The first folder below src/, or `.` for a file directly in it. */
function layerOf(path) {
  return path.includes("/") ? path.slice(0, path.indexOf("/")) : ".";
}

function sourcePath(filename) {
  const path = filename.replaceAll("\\", "/");
  const start = path.lastIndexOf(sourceFolder);
  return start === -1 ? null : path.slice(start + sourceFolder.length);
}

function literal(node) {
  return node.type === "Literal" && typeof node.value === "string" ? node.value : null;
}
