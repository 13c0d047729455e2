// The port between ConnectionCore and the carriers of its messages: frames over a byte stream, a browser's WebSocket,
// or a worker's port. The transport knows how messages travel; the core decides when and why.

import type { CloseFrame } from "../shared/close-code.js";
import type { HoldfastError } from "../shared/errors.js";
import type { ObservedFrame } from "../shared/observed-frame.js";
import type { TextBytes } from "../shared/text-bytes.js";
import type { PieceHandler } from "../protocol/message/piece-decoder.js";
import type { Role } from "../shared/role.js";
import type { CloseCause, CloseInfo, Traffic } from "./close-info.js";
import type { Message } from "./reading/inbox.js";
import type { Address } from "./ports.js";

export interface MessageTransport {
  readonly role: Role;
  readonly remoteAddress: Address | null;
  readonly localAddress: Address | null;
  /** Whether it can send pings. A browser's WebSocket cannot, unless a decorator adds them with the peer's agreement. */
  readonly canPing: boolean;
  /** Bytes that were sent and that the kernel has not accepted. */
  readonly bufferedAmount: number;
  /** `bufferedAmount`, plus the bytes that were dropped to let a Close pass. */
  readonly unsentBytes: number;
  /**
   * Bytes of the messages, without framing, that the kernel has not accepted, or that were sent in this turn: the
   * `bufferedAmount` of the WHATWG standard. Exact, unless a part of a write is on its way: then what remains may count with
   * its framing. Absent where nobody counts.
   */
  readonly unsentPayload?: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Monotonic time of the last read; initially that of the opening. */
  readonly lastReceivedAt: number;
  /** Monotonic time of the last write; null before the first. */
  readonly lastSentAt: number | null;
  /** The Close that was sent or queued. No ping, pong or Close may be queued after it. */
  readonly closeSent: CloseFrame | null;
  readonly closeReceived: CloseFrame | null;
  /** Whether our Close waits behind bytes that the kernel has not accepted. Absent where nobody knows. */
  readonly isCloseWaiting?: boolean;
  /**
   * True if the transport answers the peer's Close before it reports it, as browsers do: then nothing can be sent any
   * more. They also deliver nothing that arrives after their own Close. Absent for false.
   */
  readonly answersClose?: boolean;
  /** Whether a message has begun to arrive whose end has not. Absent where messages arrive whole. */
  readonly isReceiving?: boolean;
  /** Whether the peer's Close arrived before ours was sent. */
  readonly receivedFirst: boolean;
  /** The words of the link protocol, if the peer speaks it; absent or null otherwise. */
  readonly link?: LinkWords | null;
  /** How the connection ended, if another thread decides that; null until known. Absent if the core decides. */
  readonly outcome?: CloseInfo | null;
  /** The counters of that thread at the end. */
  readonly finalTraffic?: Traffic;
  /** The session that continues across sockets; absent or null for none. */
  readonly session?: TransportSession | null;
  /** True if the sockets below are reported to the log and the diagnostics channels, rather than this connection. */
  readonly isReportedBelow?: boolean;

  /**
   * The handler's `frameObserver` has changed: reports frames to it from the next one on, or no longer. Absent if the
   * transport has no frames.
   */
  refreshObserver?(): void;
  /** Sends at once what was queued so far, then delivers what has already arrived. */
  start(): void;

  /**
   * Sends a text message, given as a string or as UTF-8. Resolves when there is room for more; rejects only after
   * `fail()`.
   * @throws InvalidArgumentError for bytes that are not UTF-8
   */
  sendText(text: string | TextBytes, settings: SendSettings): Promise<void>;
  /** Sends a binary message. The caller may change `payload` once the promise has resolved. */
  sendBinary(payload: Uint8Array, settings: SendSettings): Promise<void>;
  /**
   * Resolves once a message may be sent in fragments: then it is called again, as something may have come between. Rejects
   * if it cannot be sent. Null if it may begin now, and absent where it always may.
   * @param begins its first fragment is there to be sent
   */
  untilFragments?(begins: boolean): Promise<void> | null;
  /** Sends the next fragment of a message. No other message may be sent between two fragments. */
  sendFragment(fragment: Fragment): Promise<void>;
  /** Returns what `send()` returns, where the reason of an abort does not say all. Absent otherwise. */
  explainAbort?(sent: Promise<void>, signal: AbortSignal): Promise<void>;
  /**
   * Settles once it is known whether the peer has received the message that was sent in fragments last; null or absent
   * where nobody confirms it. Call it once for each message, with the error if the connection has ended meanwhile.
   */
  takeConfirmation?(closedError: Error | null): Promise<void> | null;
  /**
   * Sends a broadcast message without waiting for room. Returns false, without sending, if this transport cannot share
   * the bytes; the caller then sends it like any other message.
   */
  sendShared?(message: SharedMessage): boolean;
  /**
   * Sends a decorator's own message ahead of queued messages, but never between two fragments. `onSent` is called when
   * it is written. Returns a function that withdraws the message before that.
   */
  sendAhead(message: string | Uint8Array, onSent: () => void): () => void;
  /** Sends a ping ahead of queued messages; `onPingSent` reports when it is written. */
  queuePing(key: string, payload: Uint8Array): void;
  /** Withdraws a ping that has not been written. */
  abandonPing(key: string): void;
  /** Sends a pong ahead of queued messages; keeps only the newest (RFC 6455 section 5.5.3). */
  queuePong(payload: Uint8Array): void;
  /** Sends the Close, once: after the queued messages, or, where it `isUrgent`, instead of them. */
  queueClose(close: CloseFrame, isUrgent: boolean): void;
  /** Drops the messages that a queued Close waits for. Absent if messages never wait. */
  hurryClose?(): void;
  /** Writes what was queued now rather than at the end of the turn. */
  flush(): void;

  /**
   * Stops reading: no more messages are delivered, but pings and pongs that are on their way may be. Returns false if the
   * transport cannot stop: then everything is still delivered, and beyond a limit the connection fails.
   */
  pause(): boolean;
  /** Continues reading. Delivers first what was held back, unless it is paused again. */
  resume(): void;
  /** Delivers the message that is arriving, or the next one, piece by piece; null stops that. */
  streamTo(handler: PieceHandler | null): void;

  /** Ends our side of the stream after everything has been written. */
  end(): void;
  /** Ends both sides now. Messages received before are still delivered; then `onClosed` follows. */
  destroy(): void;
  /** Ends both sides now, after a queued Close. No more messages are delivered; `onClosed` follows. */
  abandon(): void;
  /** The application has finished with messages, or taken them. Absent where nothing depends on that. */
  onProgress?(): void;
  /** The connection has ended: rejects the sends that still wait. The error is made only if there are any. */
  fail(closedError: () => Error): void;
}

/**
 * Receives the events of a transport: each within the call that read it, and in the order of arrival. `lastReceivedAt`
 * is then the time at which its bytes were read. `onClosed` is called last and exactly once.
 */
export interface MessageTransportHandler {
  /** Sees each frame in both directions, if the transport has frames; null for none. Read once, by `start`. */
  readonly frameObserver: FrameObserver | null;
  /** Whether a reader handles a message while others wait for it: it is likely to send within this turn. */
  readonly hasBusyReader: boolean;
  /** Bytes may be a view of the read buffer; a handler that keeps them must copy them. */
  onMessage(message: Message): void;
  onPing(payload: Uint8Array): void;
  onPong(payload: Uint8Array): void;
  /** The peer's Close. The transport does not answer it: `queueClose` does. */
  onClose(close: CloseFrame): void;
  /** The peer violated the protocol: from now on only its Close is reported. */
  onFailure(failure: TransportFailure): void;
  /**
   * A message that nobody reads in pieces has more bytes than `maxMessageSize`. If this calls `streamTo`, the message is
   * delivered in pieces; otherwise `onFailure` follows. Absent to let it fail.
   */
  onLargeMessage?(size: number): void;
  /** Reading pauses while a message is being decoded in another thread. */
  onDecodingBegun(): void;
  /** That message has been delivered. */
  onDecodingEnded(): void;
  /** The ping with this key is being written. */
  onPingSent(key: string): void;
  /** A message cannot be encoded, nor can later ones, which may refer to it: only a Close can follow. */
  onSendingFailed(error: Error): void;
  /** The peer ended its side of the stream. */
  onEof(): void;
  /** Reading or writing failed; `onClosed` follows. */
  onError(cause: CloseCause, error: Error): void;
  onClosed(): void;
}

/** Sees frames in the order of the wire: a received frame before its message is delivered. */
export interface FrameObserver {
  onFrameSent(frame: ObservedFrame): void;
  onFrameReceived(frame: ObservedFrame): void;
}

export type MessageTransportFactory = (handler: MessageTransportHandler) => MessageTransport;

/** The state of the session that a transport carries across sockets. */
export interface TransportSession {
  /** At a server, the socket that the session uses; null while it has none. A client's connection is that of one socket. */
  readonly socket?: object | null;
  readonly id: string;
  readonly isAttached: boolean;
  /** The position of the message before the newest `count` ones that were received. */
  positionBefore(count: number): number;
  /** Resolves once another message need not wait for the window; null if it need not. Absent where nobody asks. */
  readonly untilRoom?: Promise<void> | null;
}

/**
 * The link messages (docs/link-protocol.md) that other layers than the transport send and receive. No word may be sent
 * between two fragments, except by `sendWordAhead`.
 */
export interface LinkWords {
  /** Sends a word in the order of the messages. Resolves when there is room for more; rejects only after `fail()`. */
  sendWord(word: string, argument: string): Promise<void>;
  /** As `sendWord`, for a word that announces a binary message: nothing comes between the two. */
  sendAnnounced(word: string, argument: string, payload: Uint8Array): Promise<void>;
  /** As `sendAhead` of the transport. */
  sendWordAhead(word: string, argument: string, onSent: () => void): () => void;
  /**
   * Sets the handler of a word. It replaces an earlier one; null removes it. Words without a handler are ignored, but a
   * client remembers the newest argument of a few, and passes it to a handler that is set later, within this call.
   */
  handleWord(word: string, handler: WordHandler | null): void;
  /** Sends a word without an argument; where a session carries the messages, on each of its sockets. */
  announce(word: string): void;
}

/**
 * Receives the words of the peer, in the order of arrival.
 * @param payload the binary message that the word announced; null for a word that announces none
 */
export type WordHandler = (argument: string, payload: Uint8Array | null) => void;

/** A protocol violation by the peer, and the Close that reports it. */
export interface TransportFailure {
  readonly cause: CloseCause;
  readonly error: HoldfastError;
  readonly close: CloseFrame;
}

export interface SendSettings {
  /** Whether an extension may change the payload: compress it. */
  readonly mayEncode: boolean;
  /** An abort withdraws the message, unless some of it has been written. */
  readonly signal: AbortSignal | null;
  /** Notified when the message is written; null for none. */
  readonly receipt: SendObserver | null;
  /** As in `SendOptions`; absent for `"sent"`. Only a transport with a session supports `"delivered"`. */
  readonly until?: SendUntil;
}

/** The moment at which `send()` resolves. */
export type SendUntil = "delivered" | "sent";

/** Reports whether a message may have reached the peer before the connection was lost. */
export interface SendObserver {
  /** The whole message is being written. The observer must not send within this call. */
  onHandedOver(): void;
}

/** A message to many connections. Transports that can share its encoded bytes check for their own subclass. */
export interface SharedMessage {
  readonly data: string | Uint8Array;
  /** Bytes of the payload. */
  readonly size: number;
  readonly mayEncode: boolean;
  /**
   * True for a link message, as opposed to one of the application. Only for a transport with `link`. Absent for false.
   */
  readonly isWord?: boolean;
}

/** One fragment of a message (RFC 6455 section 5.4). */
export interface Fragment {
  readonly type: "binary" | "text";
  readonly payload: Uint8Array;
  readonly isFirst: boolean;
  readonly isLast: boolean;
}
