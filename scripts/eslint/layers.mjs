// The layers of packages/holdfast/src (docs/architecture.md) as an ESLint rule: who may import whom.

import { builtinModules } from "node:module";
import { posix } from "node:path";

/** Everything in Node. */
const allOfNode = "node:*";

/** The files of protocol/ that run in browsers as well: a layer of their own, below all others. */
export const universal = [
  "close-code",
  "control-characters",
  "errors",
  "frame/opcode",
  "handshake/link-subprotocol",
  "handshake/quote",
  "handshake/show-url",
  "handshake/subprotocol-required",
  "handshake/token",
  "frame/observed-frame",
  "message/text-bytes",
  "message/text-form",
  "role",
  "thrown",
].map((name) => `protocol/${name}`);

/**
 * Layer → what its files may import besides their own folder: other layers, only the types of one, single files (with
 * a slash in their name), Node's modules. `.` stands for the files directly in src/, the public surfaces. A folder
 * within a folder may be a layer of its own.
 */
export const layers = {
  universal: [],
  protocol: ["universal", "node:buffer", "node:crypto", "node:zlib"],
  heartbeat: [],
  connection: ["universal", "heartbeat", typesOf("protocol")],
  "connection/frames": ["connection", "protocol", "universal", "heartbeat"],
  node: ["connection/frames", "connection", "protocol", "universal", "heartbeat", allOfNode],
  client: [
    "worker",
    "persist",
    "node",
    "connection/frames",
    "connection",
    "protocol",
    "universal",
    "heartbeat",
    allOfNode,
  ],
  server: ["node", "connection/frames", "connection", "protocol", "universal", "heartbeat", allOfNode],
  persist: ["universal", "connection", "heartbeat"],
  worker: ["connection", "persist", "heartbeat", "universal", typesOf("protocol")],
  browser: ["worker", "connection", "persist", "heartbeat", "universal", typesOf("protocol")],
  cli: [".", allOfNode],
  ".": [
    "protocol",
    "universal",
    "heartbeat",
    "connection",
    "node",
    "client",
    "server",
    "persist",
    "worker",
    "browser",
  ],
};

/**
 * File → packages that it may load by a dynamic import, and import types of: optional peer dependencies, which the
 * library does without until somebody uses the feature.
 */
const optionalPackages = { "client/proxy/socks-tunnel.ts": ["socks"] };

/** What `import type` brings is gone when the code runs. */
function typesOf(layer) {
  return `types of ${layer}`;
}

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
    const check = (node, isTypeOnly = false, isLazy = isTypeOnly) => {
      if (node === null) return;
      if (isLazy && optionalPackages[file]?.includes(literal(node))) return;
      const problem = judge(file, layer, literal(node), isTypeOnly);
      if (problem !== null) context.report({ node, ...problem });
    };
    return {
      Program: (node) => {
        if (!(layer in layers)) context.report({ node, messageId: "unknown", data: { layer } });
      },
      ImportDeclaration: ({ source, importKind }) => check(source, importKind === "type"),
      ExportNamedDeclaration: ({ source, exportKind }) => check(source, exportKind === "type"),
      ExportAllDeclaration: ({ source, exportKind }) => check(source, exportKind === "type"),
      ImportExpression: ({ source }) => check(source, false, true),
      TSImportType: ({ source }) => check(source, true),
    };
  },
};

function judge(file, layer, target, isTypeOnly) {
  if (target === null) return { messageId: "computed" };
  if (isAllowed(file, layer, target, isTypeOnly)) return null;
  if (!isNodes(target) && !target.startsWith(".")) return { messageId: "package", data: { target } };
  const allowed = ["its own folder", ...(layers[layer] ?? [])].join(", ");
  return { messageId: "forbidden", data: { layer: layer === "." ? "src/" : `${layer}/`, target, allowed } };
}

function isAllowed(file, layer, target, isTypeOnly) {
  const allowed = layers[layer] ?? [];
  if (isNodes(target))
    return target.startsWith("node:") && (allowed.includes(target) || allowed.includes(allOfNode));
  if (!target.startsWith(".")) return false;
  const path = posix.normalize(posix.join(posix.dirname(file), target)).replace(/\.[jt]s$/, "");
  if (path.startsWith("..")) return false;
  const targetLayer = layerOf(path);
  if (isTypeOnly && allowed.includes(typesOf(targetLayer))) return true;
  return targetLayer === layer || allowed.includes(targetLayer) || allowed.includes(path);
}

/** A module of Node, spelt with `node:` or (which is refused: browsers' bundlers would look for a package) without. */
function isNodes(target) {
  return target.startsWith("node:") || builtinModules.includes(target);
}

/** The innermost folder that is a layer, or the first one below src/; `.` for a file directly in it. */
function layerOf(path) {
  if (universal.includes(path.replace(/\.ts$/, ""))) return "universal";
  const folders = path.split("/").slice(0, -1);
  for (let depth = folders.length; depth > 1; depth--) {
    const folder = folders.slice(0, depth).join("/");
    if (folder in layers) return folder;
  }
  return folders[0] ?? ".";
}

function sourcePath(filename) {
  const path = filename.replaceAll("\\", "/");
  const start = path.lastIndexOf(sourceFolder);
  return start === -1 ? null : path.slice(start + sourceFolder.length);
}

function literal(node) {
  return node.type === "Literal" && typeof node.value === "string" ? node.value : null;
}
