// The state of a client's session as text, for storages of text. The reader trusts nothing: another script, or an
// older version of the library, may have written the text.

import { decodeText, TextBytes } from "../shared/text-bytes.js";
import type { SavedClientSession } from "./client-session.js";
import type { SavedReceipts } from "./receive-ledger.js";
import type { SavedSends } from "./send-ledger.js";
import { isSessionId, isSessionSecret } from "./session-id.js";
import type { SessionMessageData } from "./session-memory.js";
import type { SessionTicket } from "./wire.js";

/** A message that was not passed to the session yet. */
export interface QueuedMessage {
  readonly data: SessionMessageData;
  readonly mayEncode: boolean;
  /** Milliseconds since 1970; null for never. */
  readonly expiresAt: number | null;
}

export interface KeptState {
  /** The origin and path that the session belongs to; null if they were not known yet, and so no session either. */
  readonly server: string | null;
  /** Null if the server has given none. */
  readonly session: SavedClientSession | null;
  /** Received messages that the application has not read, the oldest first. */
  readonly unread: readonly SessionMessageData[];
  /** Received messages for the next connection, since `onOpen` has not fulfilled in this session; null if it has. */
  readonly untaken: readonly SessionMessageData[] | null;
  /** Messages that wait for a connection, the oldest first. */
  readonly queued: readonly QueuedMessage[];
}

const VERSION = 1;

export function encodeKeptState({ server, session, unread, untaken, queued }: KeptState): string {
  return JSON.stringify({
    v: VERSION,
    server,
    session: session && { ...session, outgoing: encodeSends(session.outgoing) },
    unread: unread.map(encodeData),
    untaken: untaken?.map(encodeData) ?? null,
    queued: queued.map((each) => ({ ...each, data: encodeData(each.data) })),
  });
}

/** Null if the text is not such a state. */
export function decodeKeptState(text: string): KeptState | null {
  try {
    const { v, server = null, session, unread, untaken = null, queued } = objectOf(JSON.parse(text));
    if (v !== VERSION) return null;
    check(server === null || typeof server === "string");
    return {
      server,
      session: session === null ? null : decodeSession(objectOf(session)),
      unread: listOf(unread, decodeData),
      untaken: untaken === null ? null : listOf(untaken, decodeData),
      queued: listOf(queued, decodeQueued),
    };
  } catch {
    return null; // Not JSON, or it contains an unexpected value.
  }
}

/** A text is itself; bytes are base64, in `b` if the message is binary, and in `u` if it is text as UTF-8. */
type Encoded = string | { readonly b: string } | { readonly u: string };

function encodeSends({ kept, ...counts }: SavedSends): object {
  return { ...counts, kept: kept.map((each) => (each === null ? null : encodeData(each))) };
}

function encodeData(data: SessionMessageData): Encoded {
  if (typeof data === "string") return data;
  return data instanceof TextBytes ? { u: base64(data) } : { b: base64(data) };
}

function decodeData(value: unknown): SessionMessageData {
  if (typeof value === "string") return value;
  const { b, u } = objectOf(value);
  if (u === undefined) return bytesOf(b);
  const text = new TextBytes(bytesOf(u));
  decodeText(text); // Throws unless it is UTF-8.
  return text;
}

function decodeQueued(value: unknown): QueuedMessage {
  const { data, mayEncode, expiresAt } = objectOf(value);
  check(typeof mayEncode === "boolean" && (expiresAt === null || typeof expiresAt === "number"));
  return { data: decodeData(data), mayEncode, expiresAt };
}

function decodeSession({ ticket, outgoing, incoming, attempt }: Fields): SavedClientSession {
  return {
    ticket: decodeTicket(objectOf(ticket)),
    outgoing: decodeSends(objectOf(outgoing)),
    incoming: decodeReceipts(objectOf(incoming)),
    attempt: countOf(attempt),
  };
}

function decodeTicket({ id, secret, ttl, window }: Fields): SessionTicket {
  check(typeof id === "string" && isSessionId(id));
  check(typeof secret === "string" && isSessionSecret(secret));
  const { messages, bytes } = objectOf(window);
  const checked = { messages: countOf(messages), bytes: countOf(bytes) };
  check(checked.messages > 0 && checked.bytes > 0);
  return { id, secret, ttl: countOf(ttl), window: checked };
}

function decodeSends(fields: Fields): SavedSends {
  const sent = countOf(fields["sent"]);
  const confirmed = countOf(fields["confirmed"]);
  const transmitted = countOf(fields["transmitted"]);
  const kept = listOf(fields["kept"], (each) => (each === null ? null : decodeData(each)));
  check(kept.length === sent - confirmed && transmitted <= sent);
  return { sent, confirmed, transmitted, kept };
}

function decodeReceipts(fields: Fields): SavedReceipts {
  const received = countOf(fields["received"]);
  const confirmed = countOf(fields["confirmed"]);
  check(confirmed <= received);
  return { received, confirmed };
}

type Fields = Readonly<Record<string, unknown>>;

function objectOf(value: unknown): Fields {
  check(typeof value === "object" && value !== null);
  return value as Fields; // Safe: its fields are unknown.
}

function listOf<Item>(value: unknown, decode: (item: unknown) => Item): readonly Item[] {
  check(Array.isArray(value));
  return value.map(decode);
}

/** A whole number from 0 to 2^52: positions have to grow. */
function countOf(value: unknown): number {
  check(typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 2 ** 52);
  return value;
}

function check(isAsExpected: boolean): asserts isAsExpected {
  if (!isAsExpected) throw new TypeError("Unexpected value.");
}

/** The number of arguments of one call, which engines limit. */
const CHUNK = 8_192;

function base64(bytes: Uint8Array): string {
  let binary = "";
  for (let index = 0; index < bytes.length; index += CHUNK) {
    binary += String.fromCharCode(...bytes.subarray(index, index + CHUNK));
  }
  return btoa(binary);
}

function bytesOf(value: unknown): Uint8Array {
  check(typeof value === "string");
  return Uint8Array.from(atob(value), (character) => character.charCodeAt(0));
}
