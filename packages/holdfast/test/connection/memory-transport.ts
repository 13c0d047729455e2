// A transport without bytes: it passes messages on as objects, like a browser's WebSocket. The test acts as
// its peer.

import type { Message } from "../../build/connection/reading/inbox.js";
import type { Address, Clock } from "../../build/connection/ports.js";
import type {
  Fragment,
  MessageTransport,
  MessageTransportHandler,
} from "../../build/connection/message-transport.js";
import type { TextBytes } from "../../build/shared/text-bytes.js";
import type { CloseFrame } from "../../build/shared/close-code.js";

export class MemoryWire implements MessageTransport {
  readonly role = "client";
  readonly remoteAddress: Address | null = null;
  readonly localAddress: Address | null = null;
  readonly canPing = true;
  readonly bufferedAmount = 0;
  readonly unsentBytes = 0;
  readonly bytesReceived = 0;
  readonly bytesSent = 0;
  lastReceivedAt: number;
  readonly lastSentAt = null;
  closeSent: CloseFrame | null = null;
  closeReceived: CloseFrame | null = null;
  receivedFirst = false;
  /** The connection's requests. */
  readonly log: string[] = [];
  readonly pings: Uint8Array[] = [];
  readonly #handler: MessageTransportHandler;
  readonly #clock: Clock;
  #isGone = false;

  constructor(handler: MessageTransportHandler, clock: Clock) {
    this.#handler = handler;
    this.#clock = clock;
    this.lastReceivedAt = clock.now();
  }

  /** The peer sends a message. */
  deliver(message: Message): void {
    this.lastReceivedAt = this.#clock.now();
    this.#handler.onMessage(message);
  }

  /** The peer answers the newest ping. */
  answerPing(): void {
    this.lastReceivedAt = this.#clock.now();
    this.#handler.onPong(this.pings.at(-1) ?? new Uint8Array());
  }

  /** The peer closes, or answers our Close. */
  deliverClose(close: CloseFrame): void {
    this.lastReceivedAt = this.#clock.now();
    this.closeReceived = close;
    this.receivedFirst = this.closeSent === null;
    this.#handler.onClose(close);
  }

  start(): void {
    this.log.push("start");
  }

  sendText(text: string | TextBytes): Promise<void> {
    this.log.push(`text ${text.toString()}`);
    return Promise.resolve();
  }

  sendBinary(payload: Uint8Array): Promise<void> {
    this.log.push(`binary ${payload.join(" ")}`);
    return Promise.resolve();
  }

  sendFragment({ type, payload, isFirst, isLast }: Fragment): Promise<void> {
    this.log.push(
      `${type} fragment ${payload.join(" ")}${isFirst ? ", first" : ""}${isLast ? ", last" : ""}`,
    );
    return Promise.resolve();
  }

  sendAhead(message: Message, onSent: () => void): () => void {
    this.log.push(`ahead ${String(message)}`);
    onSent();
    return () => undefined;
  }

  queuePing(key: string, payload: Uint8Array): void {
    this.log.push("ping");
    this.pings.push(payload);
    this.#handler.onPingSent(key);
  }

  abandonPing(): void {
    this.log.push("abandon ping");
  }

  queuePong(): void {
    this.log.push("pong");
  }

  queueClose(close: CloseFrame, isUrgent: boolean): void {
    this.closeSent = close;
    this.log.push(`close ${close.code}${isUrgent ? ", urgent" : ""}`);
  }

  flush(): void {
    this.log.push("flush");
  }

  pause(): boolean {
    this.log.push("pause");
    return true;
  }

  resume(): void {
    this.log.push("resume");
  }

  streamTo(): void {
    this.log.push("stream");
  }

  end(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.log.push("destroy");
    this.#handler.onClosed();
  }

  abandon(): void {
    this.destroy();
  }

  fail(): void {
    // Sends never wait.
  }
}
