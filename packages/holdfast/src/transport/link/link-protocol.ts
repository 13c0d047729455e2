// The link protocol (docs/link-protocol.md): pings and pongs as text messages, for ends that have no frames for them,
// on a wire that carries the application's messages as well. Nothing of it shows above.

import type { CloseFrame } from "../../shared/close-code.js";
import type { PieceHandler } from "../../protocol/message/piece-decoder.js";
import { ProtocolError } from "../../shared/errors.js";
import { TextBytes } from "../../shared/text-bytes.js";
import type { Message } from "../../connection/inbox.js";
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
  MARK,
  MARK_CODE,
  readLinkMessage,
  writeLinkMessage,
  writeSpread,
} from "./link-message.js";
import { LinkPieces } from "./link-pieces.js";
import { TransportDecorator } from "./transport-decorator.js";
import { WordChannel } from "./word-channel.js";

/** Pings that may wait for a wire that takes no more: the newest answers for the older ones. */
const MAX_WAITING_PINGS = 128;

/** How this end sends its own pings: servers know frames for them, and browsers do not. */
export type PingsAs = "frames" | "messages";

/** How wide the clients of a server spread when they reconnect: a server announces it, a client is told. */
export interface SpreadEnd {
  /** The width of now, in milliseconds. */
  readonly widthToAnnounce?: () => number;
  /** The server's, in milliseconds, not negative; it may be any number, Infinity included. */
  readonly onWidth?: (width: number) => void;
}

/** Speaks the link protocol over the wire below. */
export function overLinkProtocol(
  below: MessageTransportFactory,
  pingsAs: PingsAs,
  spread: SpreadEnd = {},
): MessageTransportFactory {
  return (handler) => new LinkProtocol(below, handler, pingsAs, spread);
}

class LinkProtocol extends TransportDecorator {
  readonly #pingsAs: PingsAs;
  /** Those that have not left, with what takes each back. */
  readonly #waitingPings = new Map<string, () => void>();
  #takePongBack: () => void = nothing;
  /** How the newest ping came: the pong goes back the same way. */
  #pingedAs: PingsAs = "frames";
  /** A text message is being sent in fragments, and all of them were empty so far. */
  #isAtStartOfText = false;
  #hasFailed = false;
  readonly #spread: SpreadEnd;
  /** The width that the peer knows. */
  #announced: number | null = null;
  #words: WordChannel | null = null;
  /** The word that announced the next binary message; null for none. */
  #announcer: { readonly word: string; readonly argument: string } | null = null;
  /** What takes the next message of the application in pieces. */
  #sink: PieceHandler | null = null;

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
    if (!isMarked(text)) return this.wire.sendText(text, settings);
    return this.wire.sendText(typeof text === "string" ? MARK + text : new TextBytes(marked(text)), settings);
  }

  override sendShared(message: SharedMessage): boolean {
    if (message.isWord !== true) return !isMarked(message.data) && super.sendShared(message);
    const { data, mayEncode } = message;
    if (!super.sendShared(message)) {
      void this.wire.sendText(String(data), { mayEncode, signal: null, receipt: null });
    }
    return true;
  }

  override sendFragment(fragment: Fragment): Promise<void> {
    const { type, payload, isFirst } = fragment;
    if (isFirst) this.#isAtStartOfText = type === "text";
    if (!this.#isAtStartOfText || payload.length === 0) return this.wire.sendFragment(fragment);
    this.#isAtStartOfText = false;
    if (payload[0] !== MARK_CODE) return this.wire.sendFragment(fragment);
    return this.wire.sendFragment({ ...fragment, payload: marked(payload) });
  }

  override start(): void {
    this.#announce();
    this.wire.start();
  }

  override queueClose(close: CloseFrame, isUrgent: boolean): void {
    if (this.wire.closeReceived === null) this.#announce(); // A peer that leaves has no use for it.
    this.wire.queueClose(close, isUrgent);
  }

  override queuePing(key: string, payload: Uint8Array): void {
    this.#announce(); // With each ping of the keepalive, rather than to all connections in one moment.
    if (this.#pingsAs === "frames") {
      this.wire.queuePing(key, payload);
      return;
    }
    let hasLeft = false as boolean; // It may leave within the call below.
    const takeBack = this.wire.sendAhead(writeLinkMessage("ping", payload), () => {
      hasLeft = true;
      this.#waitingPings.delete(key);
      this.handler.onPingSent(key);
    });
    if (hasLeft) return;
    this.#waitingPings.set(key, takeBack);
    if (this.#waitingPings.size <= MAX_WAITING_PINGS) return;
    for (const oldest of this.#waitingPings.keys()) {
      this.abandonPing(oldest);
      return;
    }
  }

  override abandonPing(key: string): void {
    if (this.#pingsAs === "frames") this.wire.abandonPing(key);
    this.#waitingPings.get(key)?.();
    this.#waitingPings.delete(key);
  }

  /** At most one waits, the newest: a peer that pings and does not read must not fill our memory. */
  override queuePong(payload: Uint8Array): void {
    if (this.#pingedAs === "frames") {
      this.wire.queuePong(payload);
      return;
    }
    this.#takePongBack();
    this.#takePongBack = nothing;
    this.#takePongBack = this.wire.sendAhead(writeLinkMessage("pong", payload), nothing);
  }

  override streamTo(sink: PieceHandler | null): void {
    this.#sink = sink;
    // An announced message is taken whole.
    if (this.#announcer === null) this.wire.streamTo(sink && new LinkPieces(sink, this));
  }

  onPiecesEnded(): void {
    this.#sink = null;
  }

  override onPing(payload: Uint8Array): void {
    this.#pingedAs = "frames";
    this.handler.onPing(payload);
  }

  override onMessage(message: Message): void {
    if (this.#hasFailed) return;
    if (this.#announcer !== null && !isMarked(message)) this.#onAnnounced(message, this.#announcer);
    else if (!isMarked(message)) this.handler.onMessage(message);
    else if (isMarked(message, 1)) this.#onEscaped(message);
    else this.#onLinkMessage(message);
  }

  #onEscaped(message: string | TextBytes): void {
    if (this.#announcer === null) this.handler.onMessage(message.slice(1));
    else this.#fail(EXPECTED_ANNOUNCED);
  }

  /** Tells a client the width, where it is another than the client knows. */
  #announce(): void {
    const width = this.#spread.widthToAnnounce?.() ?? null;
    if (width === null || width === this.#announced || this.wire.closeSent !== null) return;
    this.#announced = width;
    this.wire.sendAhead(writeSpread(width), nothing);
  }

  #onLinkMessage(text: string | TextBytes): void {
    const message = readLinkMessage(String(text));
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
        this.#fail(message.expected);
    }
  }

  #onWord(word: string, argument: string): void {
    if (!ANNOUNCERS.has(word)) this.#channel.onWord(word, argument, null);
    else if (this.#announcer !== null) this.#fail(EXPECTED_ANNOUNCED);
    else {
      this.#announcer = { word, argument };
      if (this.#sink !== null) this.wire.streamTo(null);
    }
  }

  #onAnnounced(payload: Message, { word, argument }: { word: string; argument: string }): void {
    if (typeof payload === "string" || payload instanceof TextBytes) {
      this.#fail(EXPECTED_ANNOUNCED);
      return;
    }
    this.#announcer = null;
    if (this.#sink !== null) this.streamTo(this.#sink);
    this.#channel.onWord(word, argument, payload);
  }

  #fail(expected: string): void {
    this.#hasFailed = true;
    const error = new ProtocolError(expected, 1002);
    const close = { code: 1002, reason: "invalid message of the link protocol" };
    this.handler.onFailure({ cause: "protocol-error", error, close });
  }

  get #channel(): WordChannel {
    return (this.#words ??= new WordChannel(this.wire));
  }
}

const EXPECTED_ANNOUNCED = "Expected the binary message that the peer announced, got another message";

/** Whether a text has the mark at this place; bytes that are no text never have. */
function isMarked(message: Message, place = 0): message is string | TextBytes {
  if (typeof message === "string") return message.charCodeAt(place) === MARK_CODE;
  return message[place] === MARK_CODE && message instanceof TextBytes;
}

function marked(text: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(text.length + 1);
  bytes[0] = MARK_CODE;
  bytes.set(text, 1);
  return bytes;
}

function nothing(): void {
  // There is none to take back, or nobody to be told.
}
