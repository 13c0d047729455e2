// Partitions: topics that share a hash tag, so that one script can serve several of them. Their slots are spread evenly
// over the cluster.

import { SLOTS, slotOf } from "./hash-slot.js";

const COUNT = 128;

export interface Partition {
  readonly index: number;
  /** The slot of all its keys and channels. */
  readonly slot: number;
  /** The prefix of its keys and channels. */
  readonly prefix: string;
}

export class Partitions {
  readonly #partitions: readonly Partition[];

  /** @param prefix the prefix of all keys */
  constructor(prefix: string) {
    this.#partitions = TAGS.map((tag, index) => ({
      index,
      slot: slotOf(tag),
      prefix: `${prefix}{${tag}}:`,
    }));
  }

  get all(): readonly Partition[] {
    return this.#partitions;
  }

  /** The partition of a topic, a process or a session. */
  of(name: string): Partition {
    let hash = 0x811c9dc5; // FNV-1a
    for (let index = 0; index < name.length; index++) {
      hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
    }
    const partition = this.#partitions[(hash ^ (hash >>> 16)) & (COUNT - 1)];
    if (partition === undefined) throw new Error("Unreachable: there are 128 partitions.");
    return partition;
  }
}

/** For each of 128 equal ranges of slots, the smallest number whose slot is in that range. */
const TAGS: readonly string[] = findTags();

function findTags(): string[] {
  const tags = new Array<string>(COUNT);
  for (let found = 0, number = 0; found < COUNT; number++) {
    const range = Math.floor(slotOf(String(number)) / (SLOTS / COUNT));
    if (tags[range] !== undefined) continue;
    tags[range] = String(number);
    found++;
  }
  return tags;
}
