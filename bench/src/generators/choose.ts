import { buildNative } from "./build-native.js";
import { createNativeGenerator } from "./native.js";
import { createNodeGenerator } from "./node.js";
import type { Generator } from "./generator.js";

/** The generator in C where it can be built, the one in Node elsewhere or if asked for. */
export function chooseGenerator(
  wanted: "c" | "node" | null,
  core: number | null,
  tell: (line: string) => void,
): Generator {
  if (wanted === "node") return createNodeGenerator(core);
  const built = buildNative();
  if (built.isBuilt) return createNativeGenerator(built.program, core);
  if (wanted === "c") throw new Error(`The load generator in C cannot be used: ${built.reason}`);
  tell(`The load generator in C cannot be used: ${built.reason}`);
  tell("Using the one in Node, which small pipelined messages may keep too busy: trust the CPU figures.");
  return createNodeGenerator(core);
}
