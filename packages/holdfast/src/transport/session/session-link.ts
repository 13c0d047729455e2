// Version 2 of the link protocol on one socket: passes the application's messages and the words of the session to the
// session, which outlives the socket.

import { readSessionMessage, writeSessionMessage, type SessionMessage } from "../../session/wire.js";
import type { SessionMessageData } from "../../session/session-memory.js";
import { ignore } from "../../shared/deferred.js";
import { TextBytes } from "../../shared/text-bytes.js";
import type { CloseFrame } from "../../shared/close-code.js";
import type { CloseInfo } from "../../connection/close-info.js";
import type { ConnectionCore } from "../../connection/connection-core.js";
import type { Message } from "../../connection/reading/inbox.js";
import type { Listeners } from "../../connection/listeners.js";
import { SENT } from "../../connection/sent.js";
import type {
  Fragment,
  FrameObserver,
  MessageTransportFactory,
  SendSettings,
  SharedMessage,
  TransportFailure,
  TransportSession,
} from "../../connection/message-transport.js";
import type { PieceHandler } from "../../protocol/message/piece-decoder.js";
import { SecretHidingObserver } from "./secret-hiding-observer.js";
import { LinkProtocol, type PingsAs, type SpreadEnd } from "../link/link-protocol.js";

/** The session's end on the current socket, or what stands in until there is one. */
export interface SessionLinkHandler {
  /** A server's session, as the socket's own connection shows it. */
  readonly shownSession?: TransportSession;
  /** As in MessageTransportHandler. */
  readonly hasBusyReader: boolean;
  /** A message of the application arrived. Bytes may be a view of the read buffer. */
  onData(message: Message): void;
  /** A message was delivered piece by piece. */
  onStreamed(length: number): void;
  /** As in `MessageTransportHandler`. */
  onLargeMessage?(size: number): void;
  /** A word of the session arrived. */
  onWord(message: SessionMessage): void;
  /** A word that is none of the session's arrived. Returns true if it has failed the link. */
  refusesWord?(): boolean;
  /** A ping is being queued: what waits to be acknowledged can go with it. */
  onPingQueued(): void;
}

/** A server's session, while it uses the link. */
export interface LinkOwner {
  /** The listeners of the session's connection; null for none. */
  readonly listeners: Listeners | null;
  /** The socket is about to deliver what it held back while reading was paused. */
  onLinkResuming(): void;
  /** The peer violated the protocol or a limit: our Close follows. */
  onLinkFailed(error: Error): void;
  /** The peer's Close waits for an answer. */
  onLinkClosing(close: CloseFrame): void;
  /** Both Close frames were exchanged, ours first. */
  onLinkClosed(close: CloseFrame): void;
  onLinkEnded(info: CloseInfo): void;
}

/** A server's end of version 2 of the link protocol over the transport below. `onLink` receives the link before it starts. */
export function overSessionLink(
  below: MessageTransportFactory,
  pingsAs: PingsAs,
  spread: SpreadEnd,
  onLink: (link: SessionLink) => void,
): MessageTransportFactory {
  return (handler) => {
    const link = new SessionLink(below, handler, pingsAs, spread);
    onLink(link);
    return link;
  };
}

export class SessionLink extends LinkProtocol {
  /** The server's session that uses the link; null for none. It also hears of the end of the link. */
  owner: LinkOwner | null = null;
  #session: SessionLinkHandler = NOBODY;
  #hasSpoken = false;
  /** Withdraws the newest ack, if it still waits. */
  #withdrawAck = ignore;

  /** From now on, this handler receives what arrives. Null ignores it: the session does not use the socket any more. */
  bind(session: SessionLinkHandler | null): void {
    const { shownSession } = this.#session;
    if (session !== null) this.#session = session;
    else this.#session = shownSession === undefined ? NOBODY : { ...NOBODY, shownSession };
  }

  /** By its id, observers of the sockets find the session's connection. */
  override get session(): TransportSession | null {
    return this.#session.shownSession ?? null;
  }

  /** The core of the socket's own connection. */
  get core(): ConnectionCore {
    return this.handler as ConnectionCore; // No decorator lies over a link.
  }

  /** Sends a word after the messages that were sent before. Not between two fragments. */
  sendWord(word: string): void {
    if (this.transport.closeSent !== null) return; // Nothing follows a Close (RFC 6455 section 5.5.1).
    void this.transport.sendText(word, WORD);
    if (this.#hasSpoken) return;
    this.#hasSpoken = true;
    this.announce();
  }

  /** The first message of either end is a word of the session. */
  protected override announce(): void {
    if (this.#hasSpoken) super.announce();
  }

  /** Sends a word ahead of queued messages; "" for none. */
  sendWordAhead(word: string): void {
    if (this.transport.closeSent !== null || word === "") return;
    this.transport.sendAhead(word, ignore);
  }

  /** Sends an ack ahead of queued messages. It replaces one that still waits: only the newest position matters. */
  sendAck(ack: string): void {
    if (this.transport.closeSent !== null) return;
    this.#withdrawAck();
    this.#withdrawAck = this.transport.sendAhead(ack, ignore);
  }

  /** Whether a Close was sent: nothing follows it. The messages that the session counts meanwhile go on its next socket. */
  get isClosing(): boolean {
    return this.transport.closeSent !== null;
  }

  /** Transmits a message that the session has counted. Resolves when there is room for more. */
  transmit(data: SessionMessageData, mayEncode: boolean): Promise<void> {
    if (this.isClosing) return SENT;
    const settings = mayEncode ? ENCODED : WORD;
    if (typeof data === "string" || data instanceof TextBytes) return super.sendText(data, settings);
    return super.sendBinary(data, settings);
  }

  /** The same for a string. */
  transmitText(text: string, settings: SendSettings): Promise<void> {
    return this.isClosing ? SENT : super.sendText(text, settings);
  }

  transmitShared(message: SharedMessage): boolean {
    return this.isClosing || super.sendShared(message);
  }

  transmitFragment(fragment: Fragment): Promise<void> {
    return super.sendFragment(fragment);
  }

  /** Passes a message on to the link's own connection. */
  forward(message: Message): void {
    this.handler.onMessage(message);
  }

  /** The peer violated the protocol of sessions: fails the link with 1002. */
  violate(expected: string): void {
    this.failLink(expected);
  }

  override get frameObserver(): FrameObserver | null {
    const observer = super.frameObserver;
    return observer === null ? null : new SecretHidingObserver(observer);
  }

  override get hasBusyReader(): boolean {
    return this.#session.hasBusyReader || this.handler.hasBusyReader;
  }

  /** The session's ring keeps the data of a message, not its frames. Words are not messages of the session. */
  override sendShared(message: SharedMessage): boolean {
    return message.isWord === true && super.sendShared(message);
  }

  override queuePing(key: string, payload: Uint8Array): void {
    this.#session.onPingQueued();
    super.queuePing(key, payload);
  }

  protected override onLargeData(size: number): void {
    this.#session.onLargeMessage?.(size);
  }

  override streamTo(handler: PieceHandler | null): void {
    // A link message among the pieces: the next message is delivered to the same handler.
    if (handler === null || handler instanceof CountedPieces) super.streamTo(handler);
    else super.streamTo(new CountedPieces(handler, this));
  }

  /** Sends `end` in the moments before the socket is cut. */
  endAtOnce(): void {
    this.sendWordAhead(END);
    this.transport.flush();
  }

  override onFailure(failure: TransportFailure): void {
    this.owner?.onLinkFailed(failure.error);
    super.onFailure(failure);
  }

  override resume(): void {
    this.owner?.onLinkResuming();
    super.resume();
  }

  /** A message that was delivered in pieces is complete. */
  onStreamed(length: number): void {
    this.#session.onStreamed(length);
  }

  protected override deliver(message: Message): void {
    this.#session.onData(message);
  }

  protected override onOwnWord(text: string): boolean {
    const message = readSessionMessage(text);
    if (message === null) return this.#session.refusesWord?.() ?? false;
    if (message.type === "invalid") this.failLink(message.expected);
    else this.#session.onWord(message);
    return true;
  }
}

class CountedPieces implements PieceHandler {
  readonly #handler: PieceHandler;
  readonly #link: SessionLink;
  #length = 0;

  constructor(handler: PieceHandler, link: SessionLink) {
    this.#handler = handler;
    this.#link = link;
  }

  get maxSize(): number | undefined {
    return this.#handler.maxSize;
  }

  onPiece(piece: Message): void {
    this.#length += piece.length;
    this.#handler.onPiece(piece);
  }

  onLastPiece(): void {
    this.#link.onStreamed(this.#length);
    this.#handler.onLastPiece();
  }
}

export const END = writeSessionMessage({ type: "end" });

const WORD: SendSettings = { mayEncode: false, signal: null, receipt: null };
const ENCODED: SendSettings = { mayEncode: true, signal: null, receipt: null };

/** Ignores everything: the link is not, or no more, that of a session. */
export const NOBODY: SessionLinkHandler = {
  hasBusyReader: false,
  onData: ignore,
  onStreamed: ignore,
  onWord: ignore,
  onPingQueued: ignore,
};
