// The sending half of a connection: messages, fragments, broadcasts and words of the link protocol, each in its turn.

import type { CloseFrame } from "../../shared/close-code.js";
import { quietly } from "../../shared/deferred.js";
import { InvalidStateError } from "../../shared/errors.js";
import { invalidArgument } from "../../shared/option-checks.js";
import { TextBytes } from "../../shared/text-bytes.js";
import { toBytes, type Bytes } from "../arguments.js";
import type { Closing } from "../ending/closing.js";
import type { ConnectionState } from "../connection-core.js";
import type { Interruption } from "../interruption.js";
import type { Keepalive } from "../keepalive/keepalive.js";
import type {
  Fragment,
  LinkWords,
  MessageTransport,
  SendSettings,
  SharedMessage,
} from "../message-transport.js";
import type { Runtime } from "../runtime.js";
import { SENT } from "../sent.js";
import { isFragments } from "./fragmented-send.js";
import { SendTurns } from "./send-turns.js";
import { endSource, type Fragments } from "./source.js";

/** A base class rather than an object of its own, which every connection would pay for. */
export abstract class ConnectionSender {
  abstract readonly runtime: Runtime;
  abstract readonly transport: MessageTransport;
  abstract readonly keepalive: Keepalive;
  /** A fragmented message cannot be completed: only a Close can follow. */
  abstract breakOff(error: Error): void;
  /** The error that reports the end. */
  abstract closedError(): Error;
  /** Begins a wait that the end of the connection, or an abort, interrupts. */
  abstract beginWait(signal: AbortSignal | null): Interruption;
  /** Null until something begins to end the connection. */
  protected closing: Closing | null = null;
  #messagesSent = 0;
  /** While a message is sent in fragments and other messages wait for it; null otherwise. */
  protected abstract turns: SendTurns | null;

  get state(): ConnectionState {
    return this.closing === null ? "open" : this.closing.state;
  }

  get messagesSent(): number {
    return this.#messagesSent;
  }

  /** Whether messages that were queued before the closing began may still be sent. */
  get takesMessages(): boolean {
    return this.closing?.isSettled !== true && this.transport.closeSent === null;
  }

  /** Sends a message, in its turn. Rejects with ConnectionClosed, at the end, once the connection is closing. */
  send(data: string | Bytes | Fragments, settings: SendSettings): Promise<void> {
    const sent = this.sendInTurn(data, settings);
    return settings.signal === null ? sent : (this.transport.explainAbort?.(sent, settings.signal) ?? sent);
  }

  protected sendInTurn(data: string | Bytes | Fragments, settings: SendSettings): Promise<void> {
    try {
      if (settings.signal?.aborted === true) throw settings.signal.reason;
      if (!this.isSendable) {
        endSource(data);
        return this.rejectWhenEnded(settings.signal);
      }
      if (settings.until === "delivered") this.requireSession();
      const turns = this.turns;
      return turns === null ? this.sendNow(data, settings) : this.sendLater(turns, data, settings);
    } catch (error) {
      endSource(data);
      return Promise.reject(error);
    }
  }

  /** Apart from `send`, since its functions would cost each call of that some memory. */
  protected sendLater(
    turns: SendTurns,
    data: string | Bytes | Fragments,
    settings: SendSettings,
  ): Promise<void> {
    let isWaiting = true; // Afterwards, the send ends its source by itself.
    const send = (): Promise<void> => {
      isWaiting = false;
      return this.sendNow(data, settings);
    };
    const sent = turns.wait(send, settings.signal);
    sent.catch(() => isWaiting && endSource(data));
    return sent;
  }

  /** Sends a message whose type the caller knows, while messages may be sent. For adapters, which send no iterables. */
  sendTyped(data: string | Uint8Array, isText: boolean, settings: SendSettings): Promise<void> {
    const isSendable = this.isSendable && this.transport.closeSent === null;
    if (!isSendable) return this.rejectWhenEnded(settings.signal);
    return this.sendWhole(data, isText, settings);
  }

  /** The words of the link protocol; null if the peer does not speak it. */
  get link(): LinkWords | null {
    return this.transport.link ?? null;
  }

  /**
   * Sends a word of the link protocol in its turn among the messages, with the binary message that it announces, if any.
   * Drops it if the connection is closing, or if the peer does not speak the link protocol.
   */
  sendWord(word: string, argument: string, announced: Uint8Array | null = null): Promise<void> {
    const { link } = this;
    if (this.state !== "open" || link === null) return Promise.resolve();
    const send = (): Promise<void> =>
      announced === null ? link.sendWord(word, argument) : link.sendAnnounced(word, argument, announced);
    const sent = this.turns === null ? send() : this.turns.wait(send, null);
    return quietly(sent); // It rejects when the connection ends, which is reported elsewhere.
  }

  /** Sends a message that goes to many connections, unless `limit` bytes or more wait for this peer. */
  trySend(message: SharedMessage, limit: number): "not-open" | "sent" | "slow" {
    if (this.state !== "open") return "not-open";
    if (!this.hasRoom(limit)) return "slow";
    const turns = this.turns;
    if (turns === null) {
      this.sendSharedNow(message);
    } else {
      turns.offer(message.size, () => this.sendSharedNow(message));
    }
    return "sent";
  }

  /** Whether fewer than `limit` bytes wait for the peer. Flushes first if bytes only wait for the end of the turn. */
  hasRoom(limit: number): boolean {
    const rest = limit - (this.turns?.offeredBytes ?? 0);
    if (this.transport.bufferedAmount < rest) return true;
    this.transport.flush();
    return this.transport.bufferedAmount < rest;
  }

  sendFragment(fragment: Fragment): Promise<void> {
    if (fragment.isLast) this.countSent();
    else this.noteTraffic();
    return paced(this.transport.sendFragment(fragment), fragment.payload.length, this.runtime);
  }

  /** A session has lost its socket: a message that is being sent in fragments cannot be completed. */
  cutFragments(error: () => Error): void {
    this.turns?.cut(error());
  }

  /** Sends a Close after the messages that wait, unless the connection has ended or a Close was sent. */
  sendClose(close: CloseFrame): void {
    if (this.takesMessages) this.transport.queueClose(close, false);
  }

  /** Returns true if the Close follows the messages that wait for their turn. */
  protected closesAfterwards(close: CloseFrame): boolean {
    this.turns?.closeAfterwards(close);
    return this.turns !== null;
  }

  /** Rejects at the end of the connection, when the error is known, or with the reason of an abort before that. */
  rejectWhenEnded(signal: AbortSignal | null): Promise<never> {
    return this.beginWait(signal).waitForever();
  }

  /** A message passes: adaptive detection pings more often. */
  noteTraffic(): void {
    if (this.keepalive.isQuiet) this.keepalive.onTraffic();
  }

  /** Messages may also be sent while the peer's Close waits for our answer. */
  get isSendable(): boolean {
    return this.closing === null || this.closing.state === "open" || this.closing.isAnswerable;
  }

  /** @throws InvalidArgumentError for data that cannot be sent */
  protected sendNow(data: string | Bytes | Fragments, settings: SendSettings): Promise<void> {
    if (typeof data === "string") return this.sendWhole(data, true, settings);
    const bytes = toBytes(data);
    if (bytes !== null && data instanceof TextBytes) return this.sendWhole(data, true, settings);
    if (bytes !== null) return this.sendWhole(bytes, false, settings);
    if (!isFragments(data)) throw invalidArgument("data", "a string, bytes, or an iterable of them", data);
    this.turns ??= new SendTurns(this, () => (this.turns = null));
    return this.turns.sendFragments(data, settings.signal);
  }

  /** @throws InvalidArgumentError for text in bytes that are not UTF-8 */
  protected sendWhole(data: string | Uint8Array, isText: boolean, settings: SendSettings): Promise<void> {
    const sending = isText
      ? this.transport.sendText(data as string | TextBytes, settings) // Bytes of text need no separate class.
      : this.transport.sendBinary(data as Uint8Array, settings); // Only text is a string.
    this.countSent();
    return paced(sending, data.length, this.runtime);
  }

  protected sendSharedNow(message: SharedMessage): void {
    if (this.transport.sendShared?.(message) === true) {
      this.countSent();
      return;
    }
    const { data, mayEncode } = message;
    const isText = typeof data === "string" || data instanceof TextBytes;
    void this.sendWhole(data, isText, { mayEncode, signal: null, receipt: null });
  }

  protected countSent(): void {
    this.#messagesSent++;
    this.noteTraffic();
  }

  protected requireSession(): void {
    if ((this.transport.session ?? null) === null) throw new InvalidStateError(NO_SESSION);
  }
}

/** A send that need not wait for the socket waits for the next turn once this turn's time is used up. */
function paced(sending: Promise<void>, size: number, runtime: Runtime): Promise<void> {
  const rest = runtime.spend(size);
  return rest === null || sending !== SENT ? sending : rest;
}

const NO_SESSION =
  'Expected a connection with a session for `until: "delivered"`, got one without: WebSockets have no acknowledgements. Set `sessions` at the server and `session` at the client, or leave `until` out.';
