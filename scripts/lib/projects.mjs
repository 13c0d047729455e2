// The TypeScript projects of this repository (the references of tsconfig.json): where their source is, and where
// their output goes.

/** Paths are relative to the root, with forward slashes. */
export const projects = [
  { source: "packages/holdfast/src", output: "packages/holdfast/dist" },
  { source: "packages/holdfast/test", output: "packages/holdfast/test-dist" },
  { source: "testkit/src", output: "testkit/dist" },
  { source: "demo/src", output: "demo/dist" },
  { source: "demo-web/src", output: "demo-web/dist" },
  { source: "interop/src", output: "interop/dist" },
  { source: "browser-tests/src", output: "browser-tests/dist" },
  { source: "bench/src", output: "bench/dist" },
  { source: "examples/src", output: "examples/dist" },
  { source: "autobahn/src", output: "autobahn/dist" },
  { source: "fuzz/src", output: "fuzz/dist" },
];
