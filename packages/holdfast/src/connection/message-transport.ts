// The port between the life of a connection (link.ts) and what carries its messages: frames over a stream of bytes
// (frames/), or a browser's WebSocket. A wire knows how messages travel; when and why they do is its link's business.

import type { CloseFrame } from "../shared/close-code.js";
import type { HoldfastError } from "../shared/errors.js";
import type { ObservedFrame } from "../shared/observed-frame.js";
import type { TextBytes } from "../shared/text-bytes.js";
import type { PieceHandler } from "../protocol/message/piece-decoder.js";
import type { Role } from "../shared/role.js";
import type { CloseCause, CloseInfo } from "./close-info.js";
import type { Message } from "./inbox.js";
import type { Address } from "./ports.js";

export interface MessageTransport {
  readonly role: Role;
  readonly remoteAddress: Address | null;
  readonly localAddress: Address | null;
  /** Whether pings travel. A browser's WebSocket knows none: there it depends on what was agreed on with the peer. */
  readonly canPing: boolean;
  /** Bytes that were sent, and that the kernel has not taken. */
  readonly bufferedAmount: number;
  /** The same, and what was given up because it stood in the way of a Close. */
  readonly unsentBytes: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Monotonic time at which bytes were read last; the opening counts as such. */
  readonly lastReceivedAt: number;
  /** Monotonic time at which bytes were handed over last; null for never. */
  readonly lastSentAt: number | null;
  /** The Close that was sent, or queued: no ping, pong or Close may be queued behind it. */
  readonly closeSent: CloseFrame | null;
  readonly closeReceived: CloseFrame | null;
  /** Whether the peer's Close was answered before it is told, as browsers do: nothing can be sent behind it. Absent for no. */
  readonly answersClose?: boolean;
  /** Whether the peer's Close came before ours was sent. */
  readonly receivedFirst: boolean;
  /** How it ended, where that is judged elsewhere: null as long as it is not known. Absent where the link judges. */
  readonly outcome?: CloseInfo | null;

  /** Begins: what was queued so far goes out at once, and then what has arrived already is told. */
  start(): void;

  /**
   * Sends a text message, a string or its UTF-8; resolves while there is room for more. Rejects only when `fail` says
   * that all is over; throws InvalidArgumentError for bytes that are not UTF-8.
   */
  sendText(text: string | TextBytes, settings: SendSettings): Promise<void>;
  /** The same for a binary message; `payload` may be changed again once the promise has resolved. */
  sendBinary(payload: Uint8Array, settings: SendSettings): Promise<void>;
  /** The same for the next fragment of a message. Whole messages must not come between. */
  sendFragment(fragment: Fragment): Promise<void>;
  /**
   * Sends a message that goes to many, without waiting for room. Returns false where this wire has nothing to share:
   * nothing was sent then, and the message is one like any other.
   */
  sendShared?(message: SharedMessage): boolean;
  /**
   * Sends a message of a layer's own ahead of the messages that wait, though never into one that is sent in
   * fragments. `onSent` tells when it leaves; what is returned takes it back before.
   */
  sendAhead(message: Message, onSent: () => void): () => void;
  /** Sends a ping ahead of the messages that wait; `onPingSent` tells when it leaves. */
  queuePing(key: string, payload: Uint8Array): void;
  /** Takes a ping back that has not left. */
  abandonPing(key: string): void;
  /** Sends a pong ahead of the messages that wait; only the newest is kept (RFC 6455 section 5.5.3). */
  queuePong(payload: Uint8Array): void;
  /** Sends the Close, once: behind the messages that wait, or, where it `isUrgent`, instead of them. */
  queueClose(close: CloseFrame, isUrgent: boolean): void;
  /** The Close that was queued goes out instead of the messages that still wait. Absent where none do. */
  hurryClose?(): void;
  /** What was queued goes out now rather than at the end of the turn. */
  flush(): void;

  /**
   * Stops reading: no message is told any more. Pings and pongs that are on their way may still be. Returns false where
   * there is no way to stop it: then all goes on, pongs included, up to a limit beyond which the connection fails.
   */
  pause(): boolean;
  /** Reads on: first tells what was held back, as long as nothing pauses it again. */
  resume(): void;
  /** Hands the message that arrives, or the next one, to the sink piece by piece; null for none. */
  streamTo(sink: PieceHandler | null): void;

  /** Ends our side of the stream once everything has gone out. */
  end(): void;
  /** Ends both sides now. What was received by then is still told, and then `onClosed`. */
  destroy(): void;
  /** Ends both sides now, behind a Close that was queued. No message is told any more; `onClosed` follows. */
  abandon(): void;
  /** All is over: the sends that still wait are rejected, with the error that is made then. */
  fail(closedError: () => Error): void;
}

/**
 * What a wire tells its link, each thing within the call that read it and in the order of arrival;
 * `lastReceivedAt` is the time of its bytes. `onClosed` comes last and exactly once.
 */
export interface MessageTransportHandler {
  /** Who is shown each frame that travels, where the wire has frames; null for nobody. Asked once, by `start`. */
  readonly frameObserver: FrameObserver | null;
  /** Whether a reader is at work on a message while others wait for it: it is likely to send within this turn. */
  readonly hasBusyReader: boolean;
  /** Bytes may be a view of what was read, for whoever takes them at once. */
  onMessage(message: Message): void;
  onPing(payload: Uint8Array): void;
  onPong(payload: Uint8Array): void;
  /** The peer's Close. A wire adds nothing to it: the answer is sent by `queueClose`. */
  onClose(close: CloseFrame): void;
  /** The peer broke the rules: nothing but its Close is told any more. */
  onFailure(failure: TransportFailure): void;
  /** Nothing is read for a while, because a message is being decoded elsewhere. */
  onDecodingBegun(): void;
  /** It has been told. */
  onDecodingEnded(): void;
  /** The ping of this key leaves now. */
  onPingSent(key: string): void;
  /** A message cannot be sent, nor what came behind it, which may refer to it: nothing but a Close can follow. */
  onSendingFailed(error: Error): void;
  /** The peer ended its side of the stream. */
  onEof(): void;
  /** Reading or writing failed; `onClosed` follows. */
  onError(cause: CloseCause, error: Error): void;
  onClosed(): void;
}

/** Looks on. In the order of the wire: what arrives is shown before it is told. */
export interface FrameObserver {
  onFrameSent(frame: ObservedFrame): void;
  onFrameReceived(frame: ObservedFrame): void;
}

/** Makes the wire of a link. */
export type MessageTransportFactory = (handler: MessageTransportHandler) => MessageTransport;

/** How the peer broke the rules, and the Close that tells it so. */
export interface TransportFailure {
  readonly cause: CloseCause;
  readonly error: HoldfastError;
  readonly close: CloseFrame;
}

export interface SendSettings {
  /** Whether an extension may change the payload: compress it. */
  readonly mayEncode: boolean;
  /** Takes the message back, unless some of it has left. */
  readonly signal: AbortSignal | null;
  /** Is told when the message leaves; null where nobody asks. */
  readonly receipt: SendObserver | null;
}

/** For who has to know, of a message whose connection was lost, whether any of it may have reached the peer. */
export interface SendObserver {
  /** All of the message is being handed to the socket, in this very call: nothing may be sent from within it. */
  onHandedOver(): void;
}

/** A message that goes to many. A wire that can share more of it than this finds that out by itself. */
export interface SharedMessage {
  readonly data: Message;
  /** Bytes of the payload. */
  readonly size: number;
  readonly mayEncode: boolean;
}

/** One piece of a message that is sent piece by piece. */
export interface Fragment {
  readonly type: "binary" | "text";
  readonly payload: Uint8Array;
  readonly isFirst: boolean;
  readonly isLast: boolean;
}
