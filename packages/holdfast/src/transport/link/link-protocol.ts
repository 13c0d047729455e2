// The link protocol (docs/link-protocol.md): sends pings and pongs as text messages on the application's
// connection, for ends that cannot send control frames. It is invisible to the application.

import { ignore } from "../../shared/deferred.js";
import type { CloseFrame } from "../../shared/close-code.js";
import type { PieceHandler } from "../../protocol/message/piece-decoder.js";
import { MessageTooBigError, ProtocolError } from "../../shared/errors.js";
import { TextBytes } from "../../shared/text-bytes.js";
import type { ConnectionCore } from "../../connection/connection-core.js";
import type { Message } from "../../connection/reading/inbox.js";
import type {
  Fragment,
  LinkWords,
  SendSettings,
  SharedMessage,
  MessageTransportHandler,
  MessageTransportFactory,
} from "../../connection/message-transport.js";
import {
  ANNOUNCERS,
  isMarked,
  MARK,
  MARK_CODE,
  readLinkMessage,
  writeLinkMessage,
  writeSpread,
} from "./link-message.js";
import { LinkPieces } from "./link-pieces.js";
import { TransportDecorator } from "./transport-decorator.js";
import { WordChannel } from "./word-channel.js";

/**
 * Maximum number of pings that wait while the transport is blocked. The answer to the newest answers the
 * older ones too.
 */
const MAX_WAITING_PINGS = 128;

/** How this end sends its own pings: servers use frames, and browsers use messages. */
export type PingsAs = "frames" | "messages";

/**
 * The time over which the clients of a server spread their reconnections: the server announces it to each
 * client.
 */
export interface SpreadEnd {
  /** The current width, in milliseconds. */
  readonly widthToAnnounce?: () => number;
  /**
   * Called with the server's width in milliseconds. It is not negative, but otherwise any number, including
   * Infinity.
   */
  readonly onWidth?: (width: number) => void;
}

/** Adds the link protocol to a transport. */
export function overLinkProtocol(
  below: MessageTransportFactory,
  pingsAs: PingsAs,
  spread: SpreadEnd = {},
): MessageTransportFactory {
  return (handler) => new LinkProtocol(below, handler, pingsAs, spread);
}

export class LinkProtocol extends TransportDecorator {
  readonly #pingsAs: PingsAs;
  /** Unsent pings and their cancel functions; null before one had to wait. */
  #waitingPings: Map<string, () => void> | null = null;
  #withdrawPong: () => void = ignore;
  /** How the newest ping arrived; the pong is sent the same way. */
  #pingedAs: PingsAs = "frames";
  /** A text message is being sent in fragments, and all of them so far were empty. */
  #isAtStartOfText = false;
  #hasFailed = false;
  readonly #spread: SpreadEnd;
  /** The width last announced to the peer. */
  #announced: number | null = null;
  #words: WordChannel | null = null;
  /** The word that announced the next binary message; null for none. */
  #announcer: { readonly word: string; readonly argument: string } | null = null;
  /** Receives the next message of the application in pieces. */
  #pieceHandler: PieceHandler | null = null;

  constructor(
    below: MessageTransportFactory,
    handler: MessageTransportHandler,
    pingsAs: PingsAs,
    spread: SpreadEnd,
  ) {
    super(below, handler);
    this.#pingsAs = pingsAs;
    this.#spread = spread;
  }

  override get canPing(): boolean {
    return true;
  }

  /** Made on demand: most connections use no words. */
  override get link(): LinkWords {
    return this.#channel;
  }

  override sendText(text: string | TextBytes, settings: SendSettings): Promise<void> {
    if (!isMarked(text)) return this.transport.sendText(text, settings);
    return this.transport.sendText(
      typeof text === "string" ? MARK + text : new TextBytes(marked(text)),
      settings,
    );
  }

  override sendShared(message: SharedMessage): boolean {
    if (message.isWord !== true) return !isMarked(message.data) && super.sendShared(message);
    const { data, mayEncode } = message;
    if (super.sendShared(message)) return true;
    const settings: SendSettings = { mayEncode, signal: null, receipt: null };
    void (typeof data === "string"
      ? this.transport.sendText(data, settings)
      : this.transport.sendBinary(data, settings));
    return true;
  }

  override sendFragment(fragment: Fragment): Promise<void> {
    const { type, payload, isFirst } = fragment;
    if (isFirst) this.#isAtStartOfText = type === "text";
    if (!this.#isAtStartOfText || payload.length === 0) return this.transport.sendFragment(fragment);
    this.#isAtStartOfText = false;
    if (payload[0] !== MARK_CODE) return this.transport.sendFragment(fragment);
    return this.transport.sendFragment({ ...fragment, payload: marked(payload) });
  }

  override start(): void {
    this.announce();
    this.transport.start();
  }

  override queueClose(close: CloseFrame, isUrgent: boolean): void {
    if (this.transport.closeReceived === null) this.announce(); // The peer is leaving and does not need it.
    this.transport.queueClose(close, isUrgent);
  }

  override queuePing(key: string, payload: Uint8Array): void {
    // Announce it with a ping of the keepalive, so that the announcements to all connections do not coincide.
    this.announce();
    if (this.#pingsAs === "frames") {
      this.transport.queuePing(key, payload);
      return;
    }
    let hasLeft = false as boolean; // The message may be sent during the call below.
    const withdraw = this.transport.sendAhead(writeLinkMessage("ping", payload), () => {
      hasLeft = true;
      this.#waitingPings?.delete(key);
      this.handler.onPingSent(key);
    });
    if (hasLeft) return;
    const waiting = (this.#waitingPings ??= new Map<string, () => void>());
    waiting.set(key, withdraw);
    if (waiting.size <= MAX_WAITING_PINGS) return;
    for (const oldest of waiting.keys()) {
      this.abandonPing(oldest);
      return;
    }
  }

  override abandonPing(key: string): void {
    if (this.#pingsAs === "frames") this.transport.abandonPing(key);
    this.#waitingPings?.get(key)?.();
    this.#waitingPings?.delete(key);
  }

  /**
   * Keeps at most one unsent pong, the newest: a peer that pings and does not read must not fill our memory.
   */
  override queuePong(payload: Uint8Array): void {
    if (this.#pingedAs === "frames") {
      this.transport.queuePong(payload);
      return;
    }
    this.#withdrawPong();
    this.#withdrawPong = ignore;
    this.#withdrawPong = this.transport.sendAhead(writeLinkMessage("pong", payload), ignore);
  }

  override streamTo(handler: PieceHandler | null): void {
    this.#pieceHandler = handler;
    // A message that a word of the link protocol announced is never delivered in pieces.
    if (this.#announcer === null) this.transport.streamTo(handler && new LinkPieces(handler, this));
  }

  /** A message that a word of the link protocol announced is never delivered in pieces. */
  override onLargeMessage(size: number): void {
    if (this.#announcer === null) this.onLargeData(size);
  }

  /** A message of the application is too large to be delivered whole. */
  protected onLargeData(size: number): void {
    super.onLargeMessage(size);
  }

  onPiecesEnded(): void {
    this.#pieceHandler = null;
  }

  get maxMessageSize(): number {
    const { settings } = this.handler as ConnectionCore; // No decorator lies over a link.
    return settings.maxMessageSize ?? Infinity;
  }

  onTooLarge(size: number): void {
    this.#hasFailed = true;
    const limit = this.maxMessageSize;
    const reason = `Expected a message of at most ${limit} bytes, got ${size} or more`;
    const error = new MessageTooBigError(`${reason}.`, size, limit);
    this.onFailure({ cause: "message-too-big", error, close: { code: 1009, reason } });
  }

  override onPing(payload: Uint8Array): void {
    this.#pingedAs = "frames";
    this.handler.onPing(payload);
  }

  override onMessage(message: Message): void {
    if (this.#hasFailed) return;
    if (this.#announcer !== null && !isMarked(message)) this.#onAnnounced(message, this.#announcer);
    else if (!isMarked(message)) this.deliver(message);
    else if (isMarked(message, 1)) this.#onEscaped(message);
    else this.#onLinkMessage(message);
  }

  #onEscaped(message: string | TextBytes): void {
    if (this.#announcer === null) this.deliver(message.slice(1));
    else this.failLink(EXPECTED_ANNOUNCED);
  }

  /** A message of the application arrived. */
  protected deliver(message: Message): void {
    this.handler.onMessage(message);
  }

  /** A word arrived. Returns true if it is one of a subclass, which has handled it. */
  protected onOwnWord(_text: string): boolean {
    return false;
  }

  /** The peer violated the link protocol: only a Close can follow. */
  protected failLink(expected: string): void {
    this.#hasFailed = true;
    const error = new ProtocolError(expected, 1002);
    const close = { code: 1002, reason: "invalid message of the link protocol" };
    this.onFailure({ cause: "protocol-error", error, close });
  }

  /** Announces the width to a client if it has changed. */
  protected announce(): void {
    const width = this.#spread.widthToAnnounce?.() ?? null;
    if (width === null || width === this.#announced || this.transport.closeSent !== null) return;
    this.#announced = width;
    this.transport.sendAhead(writeSpread(width), ignore);
  }

  #onLinkMessage(text: string | TextBytes): void {
    const written = String(text);
    if (this.onOwnWord(written)) return; // First, since acks are the most frequent words.
    const message = readLinkMessage(written);
    switch (message.type) {
      case "ping": {
        this.#pingedAs = "messages";
        this.handler.onPing(message.payload);
        return;
      }
      case "pong": {
        this.handler.onPong(message.payload);
        return;
      }
      case "spread": {
        this.#spread.onWidth?.(message.width);
        return;
      }
      case "word": {
        this.#onWord(message.word, message.argument);
        return;
      }
      case "invalid":
        this.failLink(message.expected);
    }
  }

  #onWord(word: string, argument: string): void {
    if (!ANNOUNCERS.has(word)) this.#channel.onWord(word, argument, null);
    else if (this.#announcer !== null) this.failLink(EXPECTED_ANNOUNCED);
    else {
      this.#announcer = { word, argument };
      if (this.#pieceHandler !== null) this.transport.streamTo(null);
    }
  }

  #onAnnounced(payload: Message, { word, argument }: { word: string; argument: string }): void {
    if (typeof payload === "string" || payload instanceof TextBytes) {
      this.failLink(EXPECTED_ANNOUNCED);
      return;
    }
    this.#announcer = null;
    if (this.#pieceHandler !== null) this.streamTo(this.#pieceHandler);
    this.#channel.onWord(word, argument, payload);
  }

  get #channel(): WordChannel {
    return (this.#words ??= new WordChannel(this.transport));
  }
}

const EXPECTED_ANNOUNCED = "Expected the binary message that the peer announced, got another message";

function marked(text: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(text.length + 1);
  bytes[0] = MARK_CODE;
  bytes.set(text, 1);
  return bytes;
}
