// The TypeScript projects of this repository (the references of tsconfig.json): the paths of their source and
// of their output.

/** Paths are relative to the root, with forward slashes. */
export const projects = [
  { source: "packages/holdfast/src", output: "packages/holdfast/build" },
  { source: "packages/holdfast/inspect-page/src", output: "packages/holdfast/inspect-page/dist" },
  { source: "packages/holdfast/test", output: "packages/holdfast/test-dist" },
  { source: "packages/redis/src", output: "packages/redis/dist" },
  { source: "packages/redis/test", output: "packages/redis/test-dist" },
  { source: "packages/nats/src", output: "packages/nats/dist" },
  { source: "packages/nats/test", output: "packages/nats/test-dist" },
  { source: "packages/ws/src", output: "packages/ws/dist" },
  { source: "packages/ws/test", output: "packages/ws/test-dist" },
  { source: "testkit/src", output: "testkit/dist" },
  { source: "examples/demo/src", output: "examples/demo/dist" },
  { source: "examples/demo-web/src", output: "examples/demo-web/dist" },
  { source: "checks/interop/src", output: "checks/interop/dist" },
  { source: "checks/browser/src", output: "checks/browser/dist" },
  { source: "bench/src", output: "bench/dist" },
  { source: "examples/src", output: "examples/dist" },
  { source: "examples/chat-cluster/src", output: "examples/chat-cluster/dist" },
  { source: "examples/pages/src", output: "examples/pages/dist" },
  { source: "examples/operations/src", output: "examples/operations/dist" },
  { source: "checks/autobahn/src", output: "checks/autobahn/dist" },
  { source: "checks/fuzz/src", output: "checks/fuzz/dist" },
];
