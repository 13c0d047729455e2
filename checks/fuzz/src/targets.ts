// The targets by name, loaded on demand: the engine instruments their imports.

import type { Target } from "./engine/fuzzer.js";

export const TARGETS = {
  deflate: () => import("./targets/deflate.js"),
  extensions: () => import("./targets/extensions.js"),
  frames: () => import("./targets/frames.js"),
  request: () => import("./targets/request.js"),
  response: () => import("./targets/response.js"),
  subprotocols: () => import("./targets/subprotocols.js"),
  url: () => import("./targets/url.js"),
} as const satisfies Readonly<Record<string, () => Promise<Target>>>;

export type TargetName = keyof typeof TARGETS;

export function isTargetName(name: string): name is TargetName {
  return Object.hasOwn(TARGETS, name);
}
