// Modules of Node.js that most programs do not need, loaded where they are first used.
//
// An `import` would load them with the library: on Node 20, node:http2, node:tls and others are a megabyte of heap. An
// import also reads each property that the module exports, and some of these load further modules: on Node 22, node:http
// loads the WebSocket of undici that way, which is two megabytes.

export const nodeModule: typeof process.getBuiltinModule = (id: string): never =>
  // eslint-disable-next-line no-restricted-globals -- as an import does
  process.getBuiltinModule(id) as never; // The overloads of the declaration.
