// Gives the inspector access to the core of topics, without loading the topics: most servers have none.

import type { Engine } from "./engine/engine.js";
import type { Connection } from "../connection/connection.js";
import type { Topics } from "./topics.js";

/** The part of TopicsCore that the inspector uses. */
export interface InspectedTopics {
  readonly engine: Engine;
  /** The subscriptions of a connection, by topic. */
  topicsOf(connection: Connection): ReadonlyMap<string, unknown>;
}

const cores = new WeakMap<object, InspectedTopics>();

/** Undefined for anything but topics. */
export function coreOfTopics(topics: Topics): InspectedTopics | undefined {
  return cores.get(topics);
}

export function registerTopics(topics: Topics, core: InspectedTopics): void {
  cores.set(topics, core);
}
