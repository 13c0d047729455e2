// The link messages of sessions (`holdfast.v2`), as text:
//
//   open
//   session ID SECRET TTL WINDOW
//   resume ID SECRET RECEIVED FIRST [ATTEMPT]
//   resumed RECEIVED [CONFIRMED]
//   lost REASON ID SECRET TTL WINDOW
//   ack N, want, skip N, replay N, end, moved
//
// Each begins with SYN (U+0016), and its parts are separated by one space. Numbers are base 36 in lower case, without
// leading zeros. WINDOW is the number of messages that the server may leave unconfirmed; with 256 bytes for each, it is
// also the number of bytes. TTL is in milliseconds. The rest of the link protocol (pings, the
// second SYN before an application's text that begins with SYN) is as in version 1.

import { isSessionId, isSessionSecret } from "./session-id.js";
import type { SessionLoss } from "../shared/session-errors.js";

/** The limit of unconfirmed messages in one direction. */
export interface SessionWindow {
  readonly messages: number;
  /** Bytes of binary messages, and UTF-16 code units of text messages. */
  readonly bytes: number;
}

/** The values that a client needs to resume a session. */
export interface SessionTicket {
  readonly id: string;
  readonly secret: string;
  /** Milliseconds for which the server keeps a detached session. */
  readonly ttl: number;
  /** The server's window: the client acknowledges at a quarter of it. */
  readonly window: SessionWindow;
}

export type SessionMessage =
  /** The client's first message: it wants a new session. */
  | { readonly type: "open" }
  /** The server's answer to `open`. */
  | ({ readonly type: "session" } & SessionTicket)
  /**
   * The client's first message on a later socket: what it has received, and the oldest message that it still keeps.
   * ATTEMPT, zero if absent, is the number of `resume` that the client has given up before they were answered. One of them
   * may arrive after a later one. The server recognises it by a lower ATTEMPT, and answers `moved`.
   */
  | {
      readonly type: "resume";
      readonly id: string;
      readonly secret: string;
      readonly received: number;
      readonly first: number;
      readonly attempt: number;
    }
  /**
   * The server's answer. RECEIVED confirms everything up to it. With `acknowledge: "handled"`, the server appends
   * CONFIRMED where less than RECEIVED is confirmed: what lies between is neither replayed nor confirmed.
   */
  | { readonly type: "resumed"; readonly received: number; readonly confirmed: number }
  /** The server's answer if it cannot resume the session: the reason, and a new session in its place. */
  | ({ readonly type: "lost"; readonly reason: SessionLoss } & SessionTicket)
  /** Confirms every message up to this position. */
  | { readonly type: "ack"; readonly position: number }
  /** Requests an `ack` at once. */
  | { readonly type: "want" }
  /** The number of positions that will never arrive. */
  | { readonly type: "skip"; readonly count: number }
  /** Follows `resumed`, in both directions: so many messages are sent again. */
  | { readonly type: "replay"; readonly count: number }
  /** Both ends forget the session. */
  | { readonly type: "end" }
  /** Another socket has taken the session over. */
  | { readonly type: "moved" };

/** A malformed message: a protocol error (1002). `expected` is a sentence. */
export interface InvalidSessionMessage {
  readonly type: "invalid";
  readonly expected: string;
}

/** UTF-16 code units of the longest message of a session: `lost` with every part at its longest. */
export const MAX_SESSION_MESSAGE = 128;

export function writeSessionMessage(message: SessionMessage): string {
  switch (message.type) {
    case "open":
    case "want":
    case "end":
    case "moved":
      return MARK + message.type;
    case "session":
      return `${MARK}session ${writeTicket(message)}`;
    case "resume": {
      const { id, secret, received, first, attempt } = message;
      const last = attempt === 0 ? "" : ` ${digits(attempt)}`;
      return `${MARK}resume ${id} ${secret} ${digits(received)} ${digits(first)}${last}`;
    }
    case "resumed": {
      const { received, confirmed } = message;
      return `${MARK}resumed ${digits(received)}${confirmed === received ? "" : ` ${digits(confirmed)}`}`;
    }
    case "lost":
      return `${MARK}lost ${message.reason} ${writeTicket(message)}`;
    case "ack":
      return ACK + digits(message.position);
    case "skip":
    case "replay":
      return `${MARK}${message.type} ${digits(message.count)}`;
  }
}

/**
 * Reads a link message, SYN included. Null if its first word is none of a session: `ping`, `pong`, `spread`, or a word of
 * a later revision.
 */
export function readSessionMessage(text: string): SessionMessage | InvalidSessionMessage | null {
  if (text.startsWith(ACK)) {
    const position = readNumber(text.slice(ACK.length));
    return position === null ? invalid("ack") : { type: "ack", position };
  }
  const end = text.indexOf(" ");
  const word = text.slice(1, end === -1 ? Math.min(text.length, 16) : Math.min(end, 16));
  const read = READERS.get(word);
  if (read === undefined) return null;
  if (text.length > MAX_SESSION_MESSAGE) return invalid(word);
  return read(text.split(" ").slice(1)) ?? invalid(word);
}

const MARK = "\u0016";
/** The most frequent message: it is read without taking its text apart. */
const ACK = `${MARK}ack `;

/** The forms, for error messages. */
const FORMS: Readonly<Record<SessionMessage["type"], string>> = {
  open: "open",
  session: "session ID SECRET TTL WINDOW",
  resume: "resume ID SECRET RECEIVED FIRST [ATTEMPT]",
  resumed: "resumed RECEIVED [CONFIRMED]",
  lost: "lost REASON ID SECRET TTL WINDOW",
  ack: "ack N",
  want: "want",
  skip: "skip N",
  replay: "replay N",
  end: "end",
  moved: "moved",
};

type Reader = (parts: readonly string[]) => SessionMessage | null;

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ["ack", () => null], // Without a position.
  ["skip", readSkip],
  ["replay", readReplay],
  ["resume", readResume],
  ["resumed", readResumed],
  ["session", (parts) => readTicket(parts, (ticket) => ({ type: "session", ...ticket }))],
  ["lost", readLost],
  ["open", (parts) => (parts.length === 0 ? { type: "open" } : null)],
  ["want", (parts) => (parts.length === 0 ? { type: "want" } : null)],
  ["end", (parts) => (parts.length === 0 ? { type: "end" } : null)],
  ["moved", (parts) => (parts.length === 0 ? { type: "moved" } : null)],
]);

function readSkip(parts: readonly string[]): SessionMessage | null {
  const count = readOnly(parts);
  return count === null || count === 0 ? null : { type: "skip", count };
}

function readReplay(parts: readonly string[]): SessionMessage | null {
  const count = readOnly(parts);
  return count === null ? null : { type: "replay", count };
}

function readResume(parts: readonly string[]): SessionMessage | null {
  const [id = "", secret = "", ...numbers] = parts;
  const received = readNumber(numbers[0]);
  const first = readNumber(numbers[1]);
  const attempt = numbers.length === 2 ? 0 : readNumber(numbers[2]);
  if (!isSessionId(id) || !isSessionSecret(secret) || numbers.length > 3) return null;
  if (received === null || first === null || first === 0 || attempt === null) return null;
  return { type: "resume", id, secret, received, first, attempt };
}

function readResumed(parts: readonly string[]): SessionMessage | null {
  const received = readNumber(parts[0]);
  const confirmed = parts.length === 1 ? received : readNumber(parts[1]);
  if (parts.length > 2 || received === null || confirmed === null || confirmed > received) return null;
  return { type: "resumed", received, confirmed };
}

function readLost(parts: readonly string[]): SessionMessage | null {
  const reason = SESSION_LOSSES.find((loss) => loss === parts[0]);
  if (reason === undefined) return null;
  return readTicket(parts.slice(1), (ticket) => ({ type: "lost", reason, ...ticket }));
}

/** Every reason. */
export const SESSION_LOSSES: readonly SessionLoss[] = [
  "evicted",
  "expired",
  "forbidden",
  "moved",
  "overflow",
  "position",
  "store",
  "unknown",
];

function readTicket(
  parts: readonly string[],
  make: (ticket: SessionTicket) => SessionMessage,
): SessionMessage | null {
  const [id = "", secret = "", duration, window = ""] = parts;
  const ttl = readNumber(duration);
  const messages = readNumber(window);
  if (parts.length !== 4 || !isSessionId(id) || !isSessionSecret(secret)) return null;
  if (ttl === null || messages === null || messages === 0) return null;
  return make({ id, secret, ttl, window: { messages, bytes: messages * BYTES_PER_MESSAGE } });
}

function readOnly(parts: readonly string[]): number | null {
  return parts.length === 1 ? readNumber(parts[0]) : null;
}

/** The number of bytes for each message of the window. A sender whose window is smaller requests acks with `want`. */
const BYTES_PER_MESSAGE = 256;

/** At most 11 digits: 2^53 - 1 has that many in base 36. */
const NUMBER = /^(?:0|[1-9a-z][0-9a-z]{0,10})$/;

function readNumber(text: string | undefined): number | null {
  if (text === undefined || !NUMBER.test(text)) return null;
  const value = Number.parseInt(text, 36);
  return Number.isSafeInteger(value) ? value : null;
}

function writeTicket({ id, secret, ttl, window }: SessionTicket): string {
  return `${id} ${secret} ${digits(ttl)} ${digits(window.messages)}`;
}

function digits(value: number): string {
  return value.toString(36);
}

function invalid(word: string): InvalidSessionMessage {
  const form = FORMS[word as SessionMessage["type"]]; // A key of READERS.
  return { type: "invalid", expected: `Expected a link message of the form "${form}", got something else.` };
}
