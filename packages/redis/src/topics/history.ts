// Reads the history of a topic.

import type { Page, Position } from "holdfast/topics";
import type { Reply } from "../client/connection.js";
import type { Commands } from "../routing/commands.js";
import type { Partitions } from "../routing/partitions.js";
import { READ } from "../scripts/topics.js";
import { messageOf } from "./message-frame.js";

export async function readHistory(
  commands: Commands,
  partitions: Partitions,
  newEpoch: string,
  topic: string,
  after: Position,
  limit: number,
): Promise<Page> {
  const { prefix, slot } = partitions.of(topic);
  const keys = [`${prefix}m:${topic}`, `${prefix}s:${topic}`];
  const args = [newEpoch, after.epoch, String(after.offset), String(limit)];
  const { reply } = await commands.run(READ, slot, keys, args);
  if (reply === null) return { messages: [], isComplete: false, newest: null };
  const [epochBytes, newest, isComplete, list] = reply as readonly [Buffer, number, number, readonly Reply[]];
  const epoch = epochBytes.toString();
  const messages = [];
  for (let index = 0; index < list.length; index += 3) {
    const [offset, kind, data] = list.slice(index, index + 3) as [number, Buffer, Buffer];
    messages.push(messageOf(topic, kind.toString(), data, { epoch, offset }));
  }
  return { messages, isComplete: isComplete === 1, newest: { epoch, offset: newest } };
}
