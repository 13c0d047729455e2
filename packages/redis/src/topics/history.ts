// Reads the history of a topic.

import type { Page, Position, TopicMessage } from "holdfast/topics";
import type { Reply } from "../client/connection.js";
import type { Partitions } from "../routing/partitions.js";
import { READ } from "../scripts/topics.js";
import type { Continuity } from "./continuity.js";
import { decodeRecords } from "./message-frame.js";

export async function readHistory(
  continuity: Continuity,
  partitions: Partitions,
  topic: string,
  after: Position,
  limit: number,
): Promise<Page> {
  const { prefix, slot } = partitions.of(topic);
  const keys = [`${prefix}m:${topic}`, `${prefix}s:${topic}`];
  const args = [after.epoch, String(after.offset), String(limit)];
  const { reply } = await continuity.run(READ, slot, keys, args);
  if (reply === null) return { messages: [], isComplete: false, newest: null };
  const [epochBytes, newest, isComplete, start, blocks] = reply as ReadReply;
  const epoch = epochBytes.toString();
  const messages: TopicMessage[] = [];
  for (let index = 0; index < blocks.length; index += 2) {
    const first = { epoch, offset: blocks[index] as number };
    messages.push(...decodeRecords(topic, blocks[index + 1] as Buffer, 0, first));
  }
  const skipped = start - (messages.at(0)?.offset ?? start);
  return {
    messages: messages.slice(skipped, skipped + limit),
    isComplete: isComplete === 1,
    newest: { epoch, offset: newest },
  };
}

type ReadReply = readonly [
  epoch: Buffer,
  newest: number,
  isComplete: number,
  start: number,
  blocks: readonly Reply[],
];
