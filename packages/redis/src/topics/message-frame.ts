// A message as it is sent to the subscribers of its channel, and as it is kept: its kind, then "OFFSET EPOCH" if it has
// history, a line feed, and the data.

import type { TopicMessage } from "holdfast/topics";

/** Text or binary; lower case if connections may not compress it. */
export type Kind = "B" | "T" | "b" | "t";

export function kindOf(data: Uint8Array | string, compress: boolean): Kind {
  if (typeof data === "string") return compress ? "T" : "t";
  return compress ? "B" : "b";
}

/** Null if it is none of ours. */
export function decodeFrame(topic: string, frame: Buffer): TopicMessage | null {
  const end = frame.indexOf(LINE_FEED);
  if (end < 1) return null;
  const [offset, epoch] = end === 1 ? [] : frame.toString("latin1", 1, end).split(" ");
  const place = epoch === undefined ? null : { epoch, offset: Number(offset) };
  return messageOf(topic, frame.toString("latin1", 0, 1), frame.subarray(end + 1), place);
}

export function messageOf(
  topic: string,
  kind: string,
  bytes: Buffer,
  place: { readonly epoch: string; readonly offset: number } | null,
): TopicMessage {
  const isText = kind === "T" || kind === "t";
  return {
    type: "message",
    topic,
    // A copy: a part of what was read from the socket would keep all of it in memory.
    data: isText ? bytes.toString() : new Uint8Array(bytes),
    offset: place?.offset ?? null,
    epoch: place?.epoch ?? null,
    compress: kind === "T" || kind === "B",
  };
}

const LINE_FEED = 0x0a;
