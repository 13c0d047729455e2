// The ports of compat/: what the standard's classes need of the connection below them. `holdfast/websocket` connects them
// to `connect()` and `connectPersistent()`, in Node.js and in browsers.

import type { CloseInfo } from "../connection/close-info.js";
import type { Message } from "../connection/reading/inbox.js";
import type { CloseFrame } from "../shared/close-code.js";

/** An open connection. */
export interface Link {
  /** The empty string for none. */
  readonly subprotocol: string;
  readonly extensions: string;
  /** Milliseconds; null before the first answered ping. */
  readonly latency: number | null;
  /** Bytes of the messages that were passed to `send()`, and that the network has not accepted or this task has sent. */
  readonly unsentPayload: number;
  /** Whether messages can be sent: until this side closes, or answers the peer's Close. */
  readonly isOpen: boolean;
  /** Sends a message. Never rejects: a connection that fails reports it by ending. */
  send(data: string | Uint8Array<ArrayBuffer>): void;
  /** Begins the closing handshake, after the messages sent before. Code 1005 sends an empty Close. */
  close(close: CloseFrame): void;
  /** Ends the connection now, because of `error`. */
  fail(error: Error): void;
  /** Starts passing messages on. If `onMessage` returns a promise, the next message waits for it. */
  read(onMessage: (message: Message) => Promise<void> | undefined): void;
}

/** Receives the result of opening a connection, and its end: `onEnd` comes last, and exactly once. */
export interface LinkHandler {
  onOpen(link: Link): void;
  onEnd(info: CloseInfo): void;
}

export interface LinkRequest<Options> {
  readonly url: string;
  readonly protocols: readonly string[];
  readonly options: Options;
  /** Aborts opening. Afterwards it has no effect. */
  readonly signal: AbortSignal;
}

/** The platform itself, as far as the standard's classes need it. */
export interface LinkPlatform {
  /** Whether calling the listeners of `message` directly pays, and nothing patches `EventTarget`: in Node.js. */
  readonly hasFastEvents: boolean;
  /** The number of bytes of a string in UTF-8. */
  readonly byteLength: (text: string) => number;
}

/** Opens connections of one kind. */
export interface LinkOpener<Options> {
  readonly platform: LinkPlatform;
  /**
   * Opens a connection. Never throws for a server or a network that fails: `onEnd` reports that.
   * @throws InvalidArgumentError for an invalid option
   */
  open(request: LinkRequest<Options>, handler: LinkHandler): void;
}

/** The bytes of a message; a text takes as many as it has in UTF-8. */
export function sizeOf(
  data: Blob | string | Uint8Array,
  { byteLength }: Pick<LinkPlatform, "byteLength">,
): number {
  if (typeof data === "string") return byteLength(data);
  return data instanceof Blob ? data.size : data.byteLength;
}
