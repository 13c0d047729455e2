// `createTopics()` and `memoryEngine()` for Node.js, Bun and Deno.

import type { Engine } from "../topics/engine/engine.js";
import { MemoryEngine } from "../topics/memory/memory-engine.js";
import type { TopicsOptions } from "../topics/options.js";
import { openTopics, type Topics } from "../topics/topics.js";
import { nodeRuntime } from "../transport/node/node-runtime.js";
import { topicChannels } from "./topic-channels.js";

/**
 * Creates topics for the connections of this process. Processes whose topics use the same engine (the same Redis, say)
 * share their topics.
 *
 * @param options the engine, and whether topics keep a history
 * @throws InvalidArgumentError
 */
export function createTopics(options: TopicsOptions = {}): Topics {
  return openTopics(nodeRuntime(), options, topicChannels);
}

/** The engine of one process: for development and tests, and for servers of a single process. It stores nothing. */
export function memoryEngine(): Engine {
  return new MemoryEngine(nodeRuntime());
}
