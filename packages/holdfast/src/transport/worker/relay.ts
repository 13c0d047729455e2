// The worker's side of a connection: an observer that forwards what the connection receives and executes the
// commands of the other thread.

import { quietly } from "../../shared/deferred.js";
import type { ConnectionObserver } from "../../connection/connection-observer.js";
import type { Connection } from "../../connection/connection.js";
import { coreOf } from "../../connection/core-of.js";
import type { ConnectionCore } from "../../connection/connection-core.js";
import type { CloseInfo } from "../../connection/close-info.js";
import type { Message, Unread } from "../../connection/reading/inbox.js";
import { MessageWeight } from "../../connection/reading/message-weight.js";
import { ReadAhead } from "../../connection/reading/read-ahead.js";
import { CloseAnswer } from "../../connection/ending/close-answer.js";
import type { CloseFrame } from "../../shared/close-code.js";
import { TextBytes } from "../../shared/text-bytes.js";
import { copyError } from "./error-copy.js";
import { FragmentFeed } from "./fragment-feed.js";
import { alone, type Mailbox } from "./mailbox.js";
import type { WorkerEvent, WorkerCommand } from "./signals.js";

/** Maximum messages, and bytes of them, that the other thread has not acknowledged. */
const WINDOW = { maxQueuedMessages: 256, maxQueuedBytes: 256 * 1024 };
/** Maximum pings, and pongs that answer no ping, that the other thread has not acknowledged. */
const WINDOW_CONTROL = 64;

export class Relay implements ConnectionObserver {
  readonly #connection: Connection;
  readonly #mailbox: Mailbox<WorkerEvent, WorkerCommand>;
  readonly #core: ConnectionCore;
  readonly #sends = new Map<number, AbortController>();
  readonly #pings = new Map<string, AbortController>();
  #feed: FragmentFeed | null = null;
  /** The messages that the other thread has not acknowledged. */
  readonly #weight = new MessageWeight();
  #unacknowledged = 0;
  /** The newest ping that has not been forwarded: it is the one to answer (RFC 6455 section 5.5.3). */
  #heldPing: Uint8Array | null = null;
  readonly #readAhead: ReadAhead;
  #closeAnswer: CloseAnswer | null = null;

  constructor(connection: Connection, mailbox: Mailbox<WorkerEvent, WorkerCommand>) {
    this.#connection = connection;
    this.#mailbox = mailbox;
    connection.on("overdue", ({ elapsed, expected }) => {
      mailbox.post({ type: "overdue", elapsed, expected, stats: connection.latencyStats });
    });
    connection.on("suspect", (suspicion) => {
      mailbox.post({ type: "suspect", ...suspicion, stats: connection.latencyStats });
    });
    this.#core = coreOf(connection);
    this.#readAhead = new ReadAhead(this.#core, this.#weight, WINDOW);
    mailbox.firstItem = () => {
      const { bytesReceived, bytesSent } = this.#core.transport;
      return { type: "traffic", bytesReceived, bytesSent };
    };
    this.#core.attachObserver(this);
  }

  get unread(): Unread {
    return this.#weight;
  }

  take(message: Message): boolean {
    const own = typeof message === "string" ? message : alone(message);
    const isText = typeof message === "string" || message instanceof TextBytes;
    this.#mailbox.post({ type: "message", message: own, isText }, typeof own === "string" ? null : own);
    this.#count(own);
    return true;
  }

  end(): void {
    // `onEnded` reports it.
  }

  fail(): void {
    // Always ready for the next message: nothing is dropped.
  }

  onPing(payload: Uint8Array): void {
    if (this.#unacknowledged >= WINDOW_CONTROL) {
      this.#heldPing = payload.slice();
      return;
    }
    this.#unacknowledged++;
    this.#mailbox.post({ type: "ping", payload: payload.slice() });
  }

  onPong(payload: Uint8Array, roundTrip: number | null): void {
    if (roundTrip === null && this.#unacknowledged++ >= WINDOW_CONTROL) {
      this.#unacknowledged--;
      return;
    }
    const stats = this.#connection.latencyStats;
    this.#mailbox.post({ type: "pong", payload: payload.slice(), roundTrip, stats });
  }

  onSuspended(gap: number): void {
    this.#mailbox.post({ type: "suspended", gap });
  }

  onClosingBegun(): void {
    this.#readAhead.onAlarm();
  }

  /** The other thread may still want to send answers. It may also be busy, so the wait for it is short. */
  onClosing(close: CloseFrame): void {
    const mayAnswer = this.#core.transport.answersClose !== true;
    this.#mailbox.post({ type: "closing", close, initiator: "peer", isAnswerable: mayAnswer });
    if (mayAnswer) this.#closeAnswer = new CloseAnswer(this.#core);
    else this.#core.answerClose();
  }

  onClosed(close: CloseFrame, initiator: "local" | "peer"): void {
    this.#closeAnswer?.cancel();
    if (initiator === "local") this.#mailbox.post({ type: "closing", close, initiator, isAnswerable: false });
  }

  onEnded(info: CloseInfo): void {
    this.#closeAnswer?.cancel();
    this.#readAhead.stop();
    const error = info.error === null ? null : copyError(info.error);
    this.#mailbox.post({ type: "ended", info: { ...info, error } });
    this.#mailbox.flush();
    this.#feed?.leave();
  }

  onCommand(command: WorkerCommand): void {
    this.#closeAnswer?.allowTime();
    switch (command.type) {
      case "send":
        this.#send(command);
        return;
      case "unsend":
        this.#sends.get(command.id)?.abort();
        return;
      case "fragment":
        this.#sendFragment(command);
        return;
      case "ping":
        void this.#ping(command);
        return;
      case "unping":
        this.#pings.get(command.key)?.abort();
        return;
      case "pong":
        this.#connection.pong(command.payload);
        return;
      case "close":
        this.#core.closeWithCause("local-close", command.close, null, command.isUrgent);
        return;
      case "ack-messages":
        this.#onMessagesAcknowledged(command.messages, command.bytes, command.overhead);
        return;
      case "ack-control":
        this.#onControlAcknowledged(command.count);
        return;
      case "stream":
        this.#stream(command.isWanted, command.maxSize);
        return;
      case "check":
        this.#mailbox.post({ type: "alive" });
        return;
      case "probe":
        this.#core.probe();
        return;
      case "abort":
      case "terminate":
        this.#connection.terminate();
        return;
    }
  }

  #send({ id, message, mayEncode }: Extract<WorkerCommand, { type: "send" }>): void {
    const aborter = new AbortController();
    const release = (): void => {
      if (this.#sends.delete(id)) this.#mailbox.post({ type: "credit", bytes: message.length });
    };
    this.#sends.set(id, aborter);
    const receipt = { onHandedOver: release };
    // The message was sent or cancelled, or the connection ended; each returns its credit.
    this.#core.send(message, { mayEncode, signal: aborter.signal, receipt }).then(release, release);
  }

  #sendFragment({ piece, size, isFirst, isLast }: Extract<WorkerCommand, { type: "fragment" }>): void {
    if (isFirst) {
      this.#feed = new FragmentFeed((bytes) => this.#mailbox.post({ type: "credit", bytes }));
      void quietly(this.#connection.send(this.#feed)); // It rejects when the connection ends, which is reported.
    }
    this.#feed?.push(piece, size, isLast);
  }

  async #ping({ key, payload, timeout }: Extract<WorkerCommand, { type: "ping" }>): Promise<void> {
    const aborter = new AbortController();
    this.#pings.set(key, aborter);
    try {
      const elapsed = await this.#connection.ping(payload, { timeout, signal: aborter.signal });
      this.#mailbox.post({ type: "pinged", key, elapsed });
    } catch (error) {
      // The other thread learns of the connection's end separately, and it requested the abort itself.
      if (this.#connection.state === "open" && !aborter.signal.aborted) {
        this.#mailbox.post({ type: "not-pinged", key, error: copyError(error) });
      }
    } finally {
      this.#pings.delete(key);
    }
  }

  #stream(isWanted: boolean, maxSize: number | undefined): void {
    const core = this.#core;
    if (!isWanted) {
      core.streamTo(null);
      return;
    }
    core.streamTo({
      maxSize,
      onPiece: (piece) => {
        this.#mailbox.post({ type: "piece", piece });
        this.#count(piece);
      },
      onLastPiece: () => {
        core.onStreamedMessage();
        this.#mailbox.post({ type: "last-piece" });
      },
    });
  }

  #count(message: string | Uint8Array): void {
    this.#weight.count(message);
    this.#readAhead.onAdded();
  }

  #onMessagesAcknowledged(messages: number, bytes: number, overhead: number): void {
    this.#weight.subtract(messages, bytes, overhead);
    this.#readAhead.onTaken();
  }

  #onControlAcknowledged(count: number): void {
    this.#unacknowledged -= count;
    const held = this.#heldPing;
    this.#heldPing = null;
    if (held !== null) this.onPing(held);
  }
}
