import { fileURLToPath } from "node:url";
import type { PeerProgram } from "../peers/peer.js";
import type { ClientLoad } from "../workload.js";
import { buildNative } from "./build-native.js";
import { createNativeGenerator } from "./native.js";
import { createNodeGenerator } from "./node.js";
import type { Generator } from "./generator.js";

/**
 * The other end of the peers under test: a load generator for servers, and for clients a server that keeps up
 * with them.
 */
export interface OtherEnds {
  readonly generator: Generator;
  readonly farEnd: (load: ClientLoad) => PeerProgram;
}

/** The programs in C if they can be built; otherwise, or if requested, those in Node. */
export function chooseOtherEnds(
  wanted: "c" | "node" | null,
  core: number | null,
  tell: (line: string) => void,
): OtherEnds {
  const inNode = { generator: createNodeGenerator(core), farEnd: nodeFarEnd };
  if (wanted === "node") return inNode;
  const [loadgen, farEnd] = [buildNative("loadgen"), buildNative("far-end")];
  if (loadgen.isBuilt && farEnd.isBuilt) {
    return {
      generator: createNativeGenerator(loadgen.program, core),
      farEnd: (load) => nativeFarEnd(farEnd.program, load),
    };
  }
  const reason = loadgen.isBuilt ? (farEnd.isBuilt ? "" : farEnd.reason) : loadgen.reason;
  if (wanted === "c") throw new Error(`The load generator in C cannot be used: ${reason}`);
  tell(`The load generator in C cannot be used: ${reason}`);
  tell("Using the one in Node, which small pipelined messages may saturate: trust the CPU figures.");
  return inNode;
}

function nativeFarEnd(program: string, { work, payload, size }: ClientLoad): PeerProgram {
  const mode = { echo: "echo", send: "sink", receive: "flood" }[work];
  const text = payload === "text" ? ["--text"] : [];
  return { program, arguments: ["--mode", mode, "--size", String(size), ...text], hasChannel: false };
}

function nodeFarEnd(load: ClientLoad): PeerProgram {
  const script = fileURLToPath(new URL("node/far-end.js", import.meta.url));
  return { program: process.execPath, arguments: [script, JSON.stringify(load)], hasChannel: true };
}
