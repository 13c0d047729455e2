// A `MessageTransport` whose connection is in a worker. Received messages arrive through a port, and sent
// messages leave through it. It counts the bytes that the worker has not sent yet, so that `send()` waits as
// it does elsewhere.

/* eslint max-lines: ["warn", { "max": 260, "skipBlankLines": true, "skipComments": true }] -- One implementation of the port MessageTransport. */

import { ignore } from "../../shared/deferred.js";
import type { CloseInfo, Traffic } from "../../connection/close-info.js";
import { closeInfo } from "../../connection/close-info.js";
import type { Message } from "../../connection/reading/inbox.js";
import { overheadOf } from "../../connection/reading/message-weight.js";
import type { Runtime } from "../../connection/runtime.js";
import { Alarm } from "../../connection/timer-queue.js";
import type {
  Fragment,
  SendSettings,
  MessageTransport,
  MessageTransportHandler,
} from "../../connection/message-transport.js";
import type { CloseFrame } from "../../shared/close-code.js";
import type { PieceHandler } from "../../protocol/message/piece-decoder.js";
import { decodeText, type TextBytes, type TextForm } from "../../shared/text-bytes.js";
import { rebuildError } from "./error-copy.js";
import { decodePiece, joined, textOf } from "./message-text.js";
import { alone, type Mailbox } from "./mailbox.js";
import type { KeepaliveEvent } from "./worker-keepalive.js";
import type { WorkerEvent, Opened, WorkerCommand } from "./signals.js";
import { SendCredit } from "./send-credit.js";

/** Milliseconds that a worker has to report the end after `terminate()`. */
const END_TIMEOUT = 1000;

type ReceivedEvent = Extract<WorkerEvent, { type: "last-piece" | "message" | "piece" }>;

export interface PortTransportOptions {
  readonly runtime: Runtime;
  readonly mailbox: Mailbox<WorkerCommand, WorkerEvent>;
  readonly opened: Opened;
  readonly writeLimit: number;
  readonly text: TextForm;
  /** Receives the heartbeat's events. */
  readonly onKeepaliveEvent: (event: KeepaliveEvent) => void;
  readonly onEnded: () => void;
}

export class PortTransport implements MessageTransport {
  readonly role = "client";
  /** Only the worker knows whether the peer answers pings; it reports that for each ping. */
  readonly canPing = true;
  readonly remoteAddress;
  readonly localAddress;
  outcome: CloseInfo | null = null;
  finalTraffic?: Traffic;
  bytesReceived = 0;
  bytesSent = 0;
  lastReceivedAt: number;
  lastSentAt: number | null = null;
  closeSent: CloseFrame | null = null;
  closeReceived: CloseFrame | null = null;
  receivedFirst = false;
  readonly #options: PortTransportOptions;
  readonly #handler: MessageTransportHandler;
  readonly #unsent: SendCredit;
  readonly #alarm = new Alarm({ onAlarm: () => this.#finish() });
  #received: ReceivedEvent[] = [];
  #isPaused = false;
  #hasEnded = false;
  #pieceHandler: PieceHandler | null = null;
  /** Fragments of a message whose stream was abandoned. */
  #parts: Message[] = [];

  constructor(options: PortTransportOptions, handler: MessageTransportHandler) {
    this.#options = options;
    this.#handler = handler;
    this.#unsent = new SendCredit(options.mailbox, options.writeLimit);
    this.remoteAddress = options.opened.remoteAddress;
    this.localAddress = options.opened.localAddress;
    this.lastReceivedAt = options.runtime.clock.now();
  }

  get bufferedAmount(): number {
    return this.#unsent.bytes;
  }

  get unsentBytes(): number {
    return this.#unsent.bytes;
  }

  start(): void {
    // The worker's connection has started already.
  }

  sendText(text: string | TextBytes, settings: SendSettings): Promise<void> {
    return this.#send(typeof text === "string" ? text : decodeText(text), settings);
  }

  sendBinary(payload: Uint8Array, settings: SendSettings): Promise<void> {
    // Copied, because the caller may reuse its memory.
    return this.#send(new Uint8Array(payload), settings);
  }

  sendFragment({ type, payload, isFirst, isLast }: Fragment): Promise<void> {
    const piece = type === "text" ? decodePiece(payload) : payload;
    this.#onSending();
    this.#options.mailbox.post({ type: "fragment", piece, size: payload.length, isFirst, isLast });
    return this.#unsent.add(payload.length, null, null);
  }

  /** No decorator wraps this transport, and it has no queue. */
  sendAhead(message: string | Uint8Array, onSent: () => void): () => void {
    void this.#send(message, { mayEncode: false, signal: null, receipt: null });
    onSent();
    return ignore; // There is nothing to withdraw.
  }

  queuePing(): void {
    // `WorkerKeepalive` sends the pings.
  }

  abandonPing(): void {
    // As above.
  }

  queuePong(payload: Uint8Array): void {
    this.#options.mailbox.post({ type: "pong", payload });
  }

  queueClose(close: CloseFrame, isUrgent: boolean): void {
    this.closeSent = close;
    this.#options.mailbox.post({ type: "close", close, isUrgent });
  }

  flush(): void {
    this.#options.mailbox.flush();
  }

  pause(): boolean {
    this.#isPaused = true;
    return true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#deliver();
  }

  streamTo(handler: PieceHandler | null): void {
    if (this.#pieceHandler === handler) return;
    this.#pieceHandler = handler;
    this.#options.mailbox.post({ type: "stream", isWanted: handler !== null, maxSize: handler?.maxSize });
  }

  end(): void {
    // The worker ends the connection.
  }

  destroy(): void {
    this.abandon();
  }

  abandon(): void {
    if (this.#hasEnded) return;
    const { mailbox, runtime } = this.#options;
    mailbox.post({ type: "terminate" });
    mailbox.flush();
    if (!this.#alarm.isSet) runtime.timers.set(this.#alarm, runtime.clock.now() + END_TIMEOUT);
  }

  fail(closedError: () => Error): void {
    this.#unsent.fail(closedError);
  }

  // Events of the worker.

  onEvents(items: readonly WorkerEvent[]): void {
    for (const event of items) {
      if (this.#hasEnded) return;
      this.lastReceivedAt = this.#options.runtime.clock.now();
      this.#onEvent(event);
    }
  }

  /** The worker is gone, together with its record of the connection. */
  onGone(error: Error): void {
    if (this.#hasEnded) return;
    this.#handler.onError("aborted", error);
    this.#finish();
  }

  #onEvent(event: WorkerEvent): void {
    switch (event.type) {
      case "message":
      case "piece":
      case "last-piece":
        this.#received.push(event);
        if (!this.#isPaused) this.#deliver();
        return;
      case "traffic":
        this.bytesReceived = event.bytesReceived;
        this.bytesSent = event.bytesSent;
        return;
      case "credit":
        this.#unsent.remove(event.bytes);
        return;
      case "ping":
        this.#options.mailbox.post({ type: "ack-control", count: 1 });
        this.#handler.onPing(event.payload);
        return;
      case "pong":
        if (event.roundTrip === null) this.#options.mailbox.post({ type: "ack-control", count: 1 });
        this.#options.onKeepaliveEvent(event);
        this.#handler.onPong(event.payload);
        return;
      case "overdue":
      case "suspect":
      case "suspended":
      case "pinged":
      case "not-pinged":
      case "alive":
        this.#options.onKeepaliveEvent(event);
        return;
      case "closing":
        this.#onClosing(event);
        return;
      case "ended": {
        const { error, ...info } = event.info;
        const { bytesReceived, bytesSent, messagesReceived, messagesSent } = info.evidence;
        this.finalTraffic = { bytesReceived, bytesSent, messagesReceived, messagesSent };
        this.outcome = closeInfo({ ...info, error: error === null ? null : rebuildError(error) });
        this.#finish();
        return;
      }
      case "opened":
      case "failed":
        return; // The opening has already been reported.
    }
  }

  /** The worker waits for the answer while it knows that this thread makes progress. */
  #onClosing({ close, initiator, isAnswerable }: Extract<WorkerEvent, { type: "closing" }>): void {
    this.closeReceived = close;
    this.receivedFirst = initiator === "peer";
    if (initiator === "peer" && !isAnswerable) this.closeSent = close;
    this.#options.mailbox.post({ type: "ack-control", count: 0 });
    this.#handler.onClose(close);
  }

  #deliver(): void {
    let messages = 0;
    let bytes = 0;
    let overhead = 0;
    while (!this.#isPaused) {
      const event = this.#received.shift();
      if (event === undefined) break;
      if (event.type === "last-piece") {
        this.#onLastPiece();
        continue;
      }
      const message = event.type === "piece" ? event.piece : event.message;
      messages++;
      bytes += message.length;
      overhead += overheadOf(message);
      if (event.type === "piece") this.#onPiece(message);
      else this.#handler.onMessage(event.isText && typeof message !== "string" ? textOf(message) : message);
    }
    if (messages > 0 && !this.#hasEnded)
      this.#options.mailbox.post({ type: "ack-messages", messages, bytes, overhead });
  }

  #onPiece(piece: Message): void {
    if (this.#pieceHandler === null) this.#parts.push(piece);
    else this.#pieceHandler.onPiece(piece);
  }

  #onLastPiece(): void {
    const handler = this.#pieceHandler;
    this.#pieceHandler = null;
    if (handler !== null) {
      handler.onLastPiece();
      return;
    }
    const parts = this.#parts;
    this.#parts = [];
    this.#handler.onMessage(joined(parts, this.#options.text));
  }

  #finish(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const { mailbox, runtime, onEnded } = this.#options;
    runtime.timers.cancel(this.#alarm);
    mailbox.close();
    onEnded();
    this.#handler.onClosed(); // Resumes, which delivers the messages that wait.
  }

  #send(message: string | Uint8Array, { mayEncode, signal, receipt }: SendSettings): Promise<void> {
    const id = this.#unsent.nextId();
    this.#onSending();
    this.#options.mailbox.post(
      { type: "send", id, message, mayEncode },
      typeof message === "string" ? null : alone(message),
    );
    receipt?.onHandedOver();
    return this.#unsent.add(message.length, id, signal);
  }

  #onSending(): void {
    this.lastSentAt = this.#options.runtime.clock.now();
  }
}
