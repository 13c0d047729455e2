// Records and changes as bytes. A stored session is a sequence of blocks: a record, then the changes that were logged.
//
//   block = length crc body      length: bytes of the body; crc: CRC-32 of the body; 32 bits each, big-endian
//   body  = length JSON payload  length: bytes of the JSON; 32 bits, big-endian
//
// The JSON has the version of the format in `v`, and a message in it is [kind, bytes]: "t" for text, "u" for text that was
// given as UTF-8, "b" for binary; null for a position that will never arrive. The payloads follow in the same order.

import { HoldfastError } from "../../shared/errors.js";
import { TextBytes } from "../../shared/text-bytes.js";
import { isSecretHash, isSessionId } from "../session-id.js";
import type { SessionMessageData } from "../session-memory.js";
import { crc32 } from "./crc32.js";
import { applyChanges, type SessionChange, type SessionRecord } from "./session-record.js";

const VERSION = 1;

/** Bytes of a block before its body. */
const HEAD = 8;

/** The block of a record. */
export function encodeRecord(record: SessionRecord): Uint8Array {
  const { outgoing, inbox } = record;
  return encodeBlock((write) => ({
    record: {
      ...record,
      outgoing: { ...outgoing, kept: outgoing.kept.map(write) },
      inbox: inbox.map(({ position, message }) => ({ position, message: write(message) })),
    },
  }));
}

/** The block of the changes of one turn. */
export function encodeChanges(changes: readonly SessionChange[]): Uint8Array {
  return encodeBlock((write) => ({
    changes: changes.map((change) =>
      "message" in change ? { ...change, message: write(change.message) } : change,
    ),
  }));
}

/**
 * The record in these blocks, with its changes applied. An incomplete block at the end was not committed, and is ignored.
 * @throws HoldfastError if the record is damaged, or of an unknown version
 */
export function decodeRecord(bytes: Uint8Array): SessionRecord {
  let record: SessionRecord | null = null;
  for (const body of blocksOf(bytes)) {
    record = record === null ? decodeFirst(body) : applyChanges(record, decodeChanges(body));
  }
  if (record === null) throw damaged("it is incomplete");
  return record;
}

type Written = readonly [kind: "b" | "t" | "u", length: number] | null;

function encodeBlock(
  describe: (write: (message: SessionMessageData | null) => Written) => object,
): Uint8Array {
  const payloads: Uint8Array[] = [];
  const description = describe((message) => {
    if (message === null) return null;
    const payload = typeof message === "string" ? encoder.encode(message) : message;
    payloads.push(payload);
    return [typeof message === "string" ? "t" : message instanceof TextBytes ? "u" : "b", payload.length];
  });
  const json = encoder.encode(JSON.stringify({ v: VERSION, ...description }));
  const size = payloads.reduce((sum, { length }) => sum + length, 4 + json.length);
  const block = new Uint8Array(HEAD + size);
  const view = new DataView(block.buffer);
  view.setUint32(0, size);
  view.setUint32(HEAD, json.length);
  let offset = HEAD + 4;
  for (const part of [json, ...payloads]) {
    block.set(part, offset);
    offset += part.length;
  }
  view.setUint32(4, crc32(block.subarray(HEAD)));
  return block;
}

function* blocksOf(bytes: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let offset = 0; offset + HEAD <= bytes.length;) {
    const end = offset + HEAD + view.getUint32(offset);
    if (end > bytes.length) return; // The process was killed while it wrote this block.
    const body = bytes.subarray(offset + HEAD, end);
    if (crc32(body) !== view.getUint32(offset + 4)) throw damaged("its checksum does not match");
    yield body;
    offset = end;
  }
}

interface Body {
  readonly v: number;
  readonly record?: Omit<SessionRecord, "inbox" | "outgoing"> & {
    readonly outgoing: Omit<SessionRecord["outgoing"], "kept"> & { readonly kept: readonly Written[] };
    readonly inbox: readonly { readonly position: number; readonly message: Written }[];
  };
  readonly changes?: readonly (SessionChange & { readonly message?: unknown })[];
}

function decodeFirst(body: Uint8Array): SessionRecord {
  const { value, read } = decodeBody(body);
  const { record } = value;
  if (record === undefined) throw damaged("its first block is no record");
  if (!isSessionId(record.id) || !isSecretHash(record.secretHash))
    throw damaged("its id or hash is malformed");
  const kept = record.outgoing.kept.map(read);
  const inbox = record.inbox.map(({ position, message }) => ({ position, message: read(message) ?? "" }));
  return { ...record, outgoing: { ...record.outgoing, kept }, inbox };
}

function decodeChanges(body: Uint8Array): readonly SessionChange[] {
  const { value, read } = decodeBody(body);
  if (value.changes === undefined) throw damaged("a later block has no changes");
  return value.changes.map((change) =>
    // The checksum proves that we wrote it, so it has the shape that `encodeChanges` gave it.
    change.message === undefined
      ? change
      : ({ ...change, message: read(change.message as Written) } as SessionChange),
  );
}

function decodeBody(body: Uint8Array): {
  value: Body;
  read: (written: Written) => SessionMessageData | null;
} {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  let offset = body.length < 4 ? Infinity : 4 + view.getUint32(0);
  if (offset > body.length) throw damaged("a block is too short");
  const value = parse(body.subarray(4, offset));
  if (value.v !== VERSION) throw damaged(`its version is ${value.v}, and not ${VERSION}`);
  const read = (written: Written): SessionMessageData | null => {
    if (written === null) return null;
    const [kind, length] = written;
    // Not `slice`, which shares the memory of a Buffer.
    const payload = new Uint8Array(body.subarray(offset, offset + length));
    offset += length;
    if (kind === "b") return payload;
    return kind === "t" ? decoder.decode(payload) : new TextBytes(payload);
  };
  return { value, read };
}

function parse(json: Uint8Array): Body {
  try {
    return JSON.parse(decoder.decode(json)) as Body; // Checked by its checksum and its version.
  } catch (cause) {
    throw damaged("a block is no JSON", cause);
  }
}

function damaged(why: string, cause?: unknown): HoldfastError {
  const message = `The record of a session is damaged: ${why}. The session is lost; check the store's disk and versions.`;
  return new HoldfastError(message, cause === undefined ? {} : { cause });
}

const encoder = new TextEncoder();
// A byte order mark is part of a message.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
