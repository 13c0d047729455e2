// Packs the messages of one script. Consecutive messages of a topic become one entry of its stream and one message on
// its channel, so Redis and the subscribers process them together.

import type { HistoryLimits, Publication } from "holdfast/topics";
import type { Partition } from "../routing/partitions.js";
import { sizeOfRecord, writeRecord } from "./message-frame.js";

/** A message of a batch. */
export interface Member {
  readonly publication: Publication;
  readonly partition: Partition;
}

export interface EncodedBatch<Item extends Member> {
  readonly keys: readonly string[];
  readonly data: Buffer;
  /** The messages of each result, and the index of their topic's keys in KEYS. */
  readonly results: readonly Part<Item>[];
}

/** Messages that succeed or fail together: one with an id, or several without. */
export interface Part<Item> {
  readonly place: number;
  readonly idPlace: number;
  readonly members: Item[];
}

/** Messages of one topic with the same limits, in order. */
interface Group<Item> {
  readonly place: number;
  /** Bytes before the letter that distinguishes the keys of a topic. */
  readonly prefix: number;
  readonly history: HistoryLimits | null;
  readonly parts: Part<Item>[];
}

/** Bytes: as `PUBLISH` reads them. */
const START = 4;
const GROUP = 28;
const PART = 12;

export function encodeBatch<Item extends Member>(batch: readonly Item[]): EncodedBatch<Item> {
  const keys: string[] = [];
  const groups: Group<Item>[] = [];
  /** The last group of each topic. */
  const groupOf = new Map<string, Group<Item>>();
  let size = START;
  let parts = 0;
  for (const member of batch) {
    const { partition, publication } = member;
    const { topic, history, id, data } = publication;
    const known = groupOf.get(topic);
    let group = known;
    if (group === undefined || !isSame(group.history, history)) {
      const { prefix } = partition;
      const place = known?.place ?? keys.push(`${prefix}m:${topic}`, `${prefix}s:${topic}`) - 1;
      group = { place, prefix: known?.prefix ?? Buffer.byteLength(prefix), history, parts: [] };
      groupOf.set(topic, group);
      groups.push(group);
    }
    const last = group.parts.at(-1);
    if (id === null && last?.idPlace === 0) last.members.push(member);
    else {
      // The length keeps the topic "a:b" with the id "c" apart from "a" with "b:c".
      const idPlace = id === null ? 0 : keys.push(`${partition.prefix}i:${topic.length}:${topic}:${id}`);
      group.parts.push({ place: group.place, idPlace, members: [member] });
      parts++;
    }
    size += sizeOfRecord(data);
  }
  const head = START + groups.length * GROUP + parts * PART;
  const target = Buffer.allocUnsafe(head - START + size);
  const end = write(target, head, groups);
  return { keys, data: target.subarray(0, end), results: groups.flatMap((group) => group.parts) };
}

/** Returns the end of the data. */
function write(target: Buffer, head: number, groups: readonly Group<Member>[]): number {
  target.writeUInt32LE(head, 0);
  let at = START;
  let end = head;
  for (const { place, prefix, history, parts } of groups) {
    target.writeUInt32LE(place, at);
    target.writeUInt32LE(prefix, at + 4);
    target.writeUInt32LE(parts.length, at + 8);
    target.writeDoubleLE(history?.messages ?? 0, at + 12);
    target.writeDoubleLE(history?.age ?? 0, at + 20);
    at += GROUP;
    for (const { idPlace, members } of parts) {
      const start = end;
      for (const { publication } of members) {
        end = writeRecord(target, end, publication.data, publication.compress);
      }
      target.writeUInt32LE(idPlace, at);
      target.writeUInt32LE(members.length, at + 4);
      target.writeUInt32LE(end - start, at + 8);
      at += PART;
    }
  }
  return end;
}

function isSame(one: HistoryLimits | null, other: HistoryLimits | null): boolean {
  return one === other || (one?.messages === other?.messages && one?.age === other?.age);
}
