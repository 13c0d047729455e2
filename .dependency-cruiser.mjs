// The layers of packages/holdfast/src (docs/architecture.md). `npm run lint` checks them, and that there are no circular imports.

const source = "^packages/holdfast/src";

/**
 * Layer → the other layers that it may import. `types of X` allows only `import type`, because code for browsers cannot
 * load it. A nested folder may be a layer.
 */
const layers = {
  shared: [],
  heartbeat: ["shared"],
  protocol: ["shared"],
  session: ["shared"],
  connection: ["shared", "heartbeat", "session", "types of protocol"],
  "transport/frames": ["shared", "heartbeat", "session", "protocol", "connection"],
  "transport/link": ["shared", "heartbeat", "session", "connection", "types of protocol"],
  "transport/node": ["shared", "heartbeat", "session", "protocol", "connection", "transport/frames"],
  "transport/browser": [
    "shared",
    "heartbeat",
    "session",
    "connection",
    "transport/link",
    "types of protocol",
  ],
  "transport/session": [
    "shared",
    "heartbeat",
    "session",
    "connection",
    "transport/link",
    "types of protocol",
  ],
  "transport/worker": ["shared", "heartbeat", "session", "connection", "types of protocol"],
  streams: ["shared", "connection"],
  reconnect: ["shared", "heartbeat", "session", "connection", "types of protocol"],
  topics: ["shared", "heartbeat", "session", "connection", "types of protocol"],
  client: ["shared", "heartbeat", "session", "protocol", "connection", "transport", "reconnect"],
  server: ["shared", "heartbeat", "session", "protocol", "connection", "transport", "topics"],
  adopt: ["shared", "heartbeat", "protocol", "connection", "transport"],
  browser: ["shared", "heartbeat", "session", "connection", "types of protocol", "reconnect"].concat([
    "transport/browser",
    "transport/link",
    "transport/session",
    "transport/worker",
  ]),
  testing: ["shared", "heartbeat", "session", "protocol", "connection", "transport"],
  // Like browser/, it runs in both; entry points pass the connector of their platform.
  compat: ["shared", "session", "connection", "reconnect", "types of protocol"],
  // Pure functions and the messages of the inspector, which are no part of the public surface: the alternative was a copy.
  cli: [
    "index.ts",
    "topics.ts",
    "shared/close-code.ts",
    "shared/nearest-name.ts",
    "server/inspect/wire.ts",
  ].concat(["client/proxy/environment.ts"]),
};

/** Layer → the modules of Node that it may import. Other layers run in browsers, and import no modules of Node. */
const modulesOfNode = {
  protocol: "^(buffer|crypto|zlib)$",
  "transport/node": ".",
  adopt: ".",
  testing: ".",
  streams: "^stream$", // Only node-stream.ts, which the entry points of browsers leave out.
  client: ".",
  server: ".",
  cli: ".",
};

/** File → the optional peer dependency that only it may load, by a dynamic import. */
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
      // The reference to Node's types, and the page that the build makes.
      to: { couldNotResolve: true, pathNot: "^node$|/inspect-page\\.mjs$" },
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
