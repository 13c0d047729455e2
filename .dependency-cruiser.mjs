// The layers of packages/holdfast/src (docs/architecture.md), and no circles: `npm run lint` checks both.

const source = "^packages/holdfast/src";

/**
 * Layer → the layers that it may import beside itself. `types of X` allows `import type` only: what runs in browsers
 * cannot load it. A folder within a folder may be a layer.
 */
const layers = {
  shared: [],
  heartbeat: ["shared"],
  protocol: ["shared"],
  connection: ["shared", "heartbeat", "types of protocol"],
  "transport/frames": ["shared", "heartbeat", "protocol", "connection"],
  "transport/link": ["shared", "heartbeat", "connection", "types of protocol"],
  "transport/node": ["shared", "heartbeat", "protocol", "connection", "transport/frames"],
  "transport/browser": ["shared", "heartbeat", "connection", "transport/link", "types of protocol"],
  "transport/worker": ["shared", "heartbeat", "connection", "types of protocol"],
  reconnect: ["shared", "heartbeat", "connection", "types of protocol"],
  topics: ["shared", "heartbeat", "connection", "types of protocol"],
  client: ["shared", "heartbeat", "protocol", "connection", "transport", "reconnect"],
  server: ["shared", "heartbeat", "protocol", "connection", "transport", "topics"],
  browser: ["shared", "heartbeat", "connection", "types of protocol", "reconnect"].concat([
    "transport/browser",
    "transport/link",
    "transport/worker",
  ]),
  cli: ["index.ts"],
};

/** Layer → what it may import of Node. Layers that are not listed run in browsers, and import nothing of Node. */
const modulesOfNode = {
  protocol: "^(buffer|crypto|zlib)$",
  "transport/node": ".",
  client: ".",
  server: ".",
  cli: ".",
};

/** File → the optional peer dependency that it alone may load, by a dynamic import. */
const optionalPackages = { "client/dial/socks-tunnel.ts": "socks" };

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    ...Object.entries(layers).flatMap(([layer, allowed]) => importRules(layer, allowed)),
    ...Object.keys(layers).map(nodeRule),
    {
      name: "every folder is a layer",
      comment: "Add the folder to the layers, here and in docs/architecture.md.",
      severity: "error",
      from: { path: `${source}/`, pathNot: [...Object.keys(layers).map(inLayer), `${source}/[^/]+\\.ts$`] },
      to: {},
    },
    {
      name: "no runtime dependency",
      comment: "The library has none. An optional package is loaded where it is used, by a dynamic import.",
      severity: "error",
      from: {
        path: `${source}/`,
        pathNot: Object.keys(optionalPackages).map((file) => `${source}/${file}$`),
      },
      to: { dependencyTypes: ["npm", "npm-dev", "npm-optional", "npm-peer", "npm-no-pkg", "npm-unknown"] },
    },
    ...Object.entries(optionalPackages).map(([file, name]) => ({
      name: `${file} loads ${name} lazily`,
      comment: "An import of the package itself would fail where it is not installed.",
      severity: "error",
      from: { path: `${source}/${file}$` },
      to: {
        path: "node_modules",
        dependencyTypesNot: ["type-only", "dynamic-import"],
      },
    })),
    {
      name: "nothing that does not exist",
      comment: "The import resolves to no file.",
      severity: "error",
      from: { path: `${source}/` },
      to: { couldNotResolve: true, pathNot: "^node$" }, // The reference to Node's types.
    },
    {
      name: "no circle of folders",
      comment: "Types count: whoever reads one folder of a circle has to read them all.",
      severity: "error",
      scope: "folder",
      from: {},
      to: { circular: true },
    },
    {
      name: "no circle of files at run time",
      comment: "Move what both need into a file of its own.",
      severity: "error",
      from: { path: `${source}/` },
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    exclude: { path: ["^packages/holdfast/(dist|build|test-dist)/"] },
    enhancedResolveOptions: { extensions: [".ts", ".js"], conditionNames: ["import", "types", "node"] },
  },
};

function importRules(layer, allowed) {
  const values = allowed.filter((name) => !name.startsWith("types of "));
  const types = allowed.filter((name) => name.startsWith("types of ")).map((name) => name.slice(9));
  const rule = (name, paths, to) => ({
    name,
    comment: `Imports go down only: ${layer} may import ${allowed.join(", ") || "nothing"} (docs/architecture.md).`,
    severity: "error",
    from: { path: inLayer(layer) },
    to: { path: `${source}/`, pathNot: paths.map(inLayer), ...to },
  });
  return [
    rule(`${layer} imports what lies below it`, [layer, ...values, ...types], {}),
    ...(types.length === 0
      ? []
      : [
          {
            ...rule(`${layer} imports only types of ${types.join(", ")}`, [], {}),
            to: { path: types.map(inLayer), dependencyTypesNot: ["type-only"] },
          },
        ]),
  ];
}

function nodeRule(layer) {
  return {
    name: `${layer} and Node's modules`,
    comment: "Only the layers that cannot run in a browser import modules of Node.",
    severity: "error",
    from: { path: inLayer(layer) },
    to: {
      dependencyTypes: ["core"],
      ...(layer in modulesOfNode ? { pathNot: `${modulesOfNode[layer]}` } : {}),
    },
  };
}

function inLayer(layer) {
  return layer.endsWith(".ts") ? `${source}/${layer}$` : `${source}/${layer}/`;
}
