// Messages as Redis stores them and sends them to subscribers. A record is one message: its kind, the number of its
// bytes in 4 bytes (least significant first), and its data. A frame is "OFFSET EPOCH" of its first message if it has
// history, a line feed, and the records.

import type { Position, TopicMessage } from "holdfast/topics";

type Data = Uint8Array | string;

const HEAD = 5;
const LINE_FEED = 0x0a;
/** Text or binary; lower case if connections may not compress it. */
const [BINARY, TEXT, BARE_BINARY, BARE_TEXT] = [0x42, 0x54, 0x62, 0x74];

/** The most bytes that a record may take. */
export function sizeOfRecord(data: Data): number {
  // Exact for long text only: for short text, counting costs more than the spare room.
  const isShortText = typeof data === "string" && data.length < 1_024;
  return HEAD + (isShortText ? 3 * data.length : Buffer.byteLength(data));
}

/** Returns the end of the record. */
export function writeRecord(target: Buffer, at: number, data: Data, compress: boolean): number {
  const start = at + HEAD;
  let size = data.length;
  if (typeof data === "string") {
    target[at] = compress ? TEXT : BARE_TEXT;
    size = target.write(data, start);
  } else {
    target[at] = compress ? BINARY : BARE_BINARY;
    target.set(data, start);
  }
  target.writeUInt32LE(size, at + 1);
  return start + size;
}

/** Empty if another program published it. */
export function decodeFrame(topic: string, frame: Buffer): readonly TopicMessage[] {
  const end = frame.indexOf(LINE_FEED);
  if (end < 0) return [];
  const [offset, epoch] = frame.toString("latin1", 0, end).split(" ");
  return decodeRecords(topic, frame, end + 1, epoch === undefined ? null : { epoch, offset: Number(offset) });
}

/** @param first the position of the first message; null without history */
export function decodeRecords(
  topic: string,
  bytes: Buffer,
  start: number,
  first: Position | null,
): readonly TopicMessage[] {
  const messages: TopicMessage[] = [];
  for (let at = start; at + HEAD <= bytes.length;) {
    const kind = bytes[at];
    const from = at + HEAD;
    at = from + bytes.readUInt32LE(at + 1);
    const isText = kind === TEXT || kind === BARE_TEXT;
    if (at > bytes.length || !(isText || kind === BINARY || kind === BARE_BINARY)) break;
    messages.push({
      type: "message",
      topic,
      // Copied: a slice would keep the whole chunk of the socket in memory.
      data: isText ? bytes.toString("utf8", from, at) : new Uint8Array(bytes.subarray(from, at)),
      offset: first === null ? null : first.offset + messages.length,
      epoch: first === null ? null : first.epoch,
      compress: kind === TEXT || kind === BINARY,
    });
  }
  return messages;
}
