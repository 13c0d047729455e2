// The state of one connection, from open to closed, and the wiring between its parts: the transport carries messages,
// the keepalive judges the peer, the inbox queues unread messages, and `Connection` is the public facade.

/* eslint max-lines: ["warn", { "max": 680, "skipBlankLines": true, "skipComments": true }] -- It passes each event between five parts, which have their own files. Splitting it further would add an object to each connection. */

import type { Suspicion } from "../heartbeat/adaptive-detection.js";
import type { CloseFrame } from "../shared/close-code.js";
import { quietly } from "../shared/deferred.js";
import { HoldfastError, InvalidStateError, MessageTooBigError } from "../shared/errors.js";
import type { ObservedFrame } from "../shared/observed-frame.js";
import { invalidArgument } from "../shared/option-checks.js";
import { TextBytes } from "../shared/text-bytes.js";
import type { PieceHandler } from "../protocol/message/piece-decoder.js";
import { toBytes, type Bytes } from "./arguments.js";
import type { Connection } from "./connection.js";
import type { CloseCause, CloseEvidence, CloseInfo, Traffic } from "./close-info.js";
import { CloseReply, type CloseReplyHandler } from "./close-reply.js";
import type { DiagnosticsObserver } from "./diagnostics-observer.js";
import { Ending, type EndingHandler } from "./ending.js";
import { EndWaiters, type EndSource } from "./end-waiters.js";
import { ConcurrencyError, type ConnectionClosed } from "./errors.js";
import { gatherEvidence } from "./evidence.js";
import type { HeldMessage, HoldingConnection } from "./held-message.js";
import { isFragments, type Fragments } from "./fragmented-send.js";
import { Inbox, type InboxHandler, type Message, type Unread } from "./inbox.js";
import type { ConnectionLog } from "./log/connection-log.js";
import { Listeners } from "./listeners.js";
import type { MessageStream } from "./message-stream.js";
import type { ConnectionSettings } from "./options.js";
import type { Address } from "./ports.js";
import type { Keepalive, KeepaliveHandler, KeepaliveFactory } from "./keepalive.js";
import { ReadPause, type PauseReason } from "./read-pause.js";
import type { Runtime } from "./runtime.js";
import type { ConnectionObserver } from "./connection-observer.js";
import type { ObserverBinding, ObserverBindingHandler } from "./observer-binding.js";
import type { ConnectionSession } from "./session-state.js";
import { SendTurns } from "./send-turns.js";
import type { TimerQueue } from "./timer-queue.js";
import { UnreadWatch, type UnreadWatchHandler } from "./unread-watch.js";
import type {
  Fragment,
  FrameObserver,
  LinkWords,
  SendSettings,
  SharedMessage,
  MessageTransport,
  TransportFailure,
  MessageTransportHandler,
  MessageTransportFactory,
} from "./message-transport.js";

/** A connection passes through these states in order, and never goes back. */
export type ConnectionState = "connecting" | "open" | "closing" | "closed";

/** The cause of `goAway()`: the owner abandons the connection, or found its peer dead. */
export type GoAwayCause = "aborted" | "heartbeat-timeout";

export interface ConnectionCoreOptions {
  readonly runtime: Runtime;
  readonly transport: MessageTransportFactory;
  readonly settings: ConnectionSettings;
  readonly keepalive: KeepaliveFactory;
  /** The owner of a list that the connection leaves at its end; null for none. */
  readonly owner: ConnectionEndObserver | null;
}

/** Keeps a list of connections: a server, or a page. */
export interface ConnectionEndObserver {
  onConnectionEnded(connection: Connection, info: CloseInfo): void;
}

export class ConnectionCore
  implements
    MessageTransportHandler,
    FrameObserver,
    KeepaliveHandler,
    InboxHandler,
    HoldingConnection,
    EndingHandler,
    ObserverBindingHandler,
    UnreadWatchHandler,
    CloseReplyHandler,
    EndSource
{
  readonly runtime: Runtime;
  readonly settings: ConnectionSettings;
  readonly inbox: Inbox;
  readonly keepalive: Keepalive;
  readonly #transport: MessageTransport;
  readonly #facade: Connection;
  readonly #owner: ConnectionEndObserver | null;
  #id: string | null = null;
  /** Null without a logger, and before `start()`. */
  #log: ConnectionLog | null = null;
  readonly openedAt: number;
  #state: ConnectionState = "open";
  #messagesReceived = 0;
  #messagesSent = 0;
  #listeners: Listeners | null = null;
  #pausedAt: number | null = null;
  #wasPaused = false;
  #binding: ObserverBinding | null = null;
  // Made on demand: most idle connections never pause reading, and none has begun to end.
  #lazyReadPause: ReadPause | null = null;
  #lazyEnding: Ending | null = null;
  #endWaiters: EndWaiters | null = null;
  /** While a message is sent in fragments and other messages wait for it; null otherwise. */
  #sendTurns: SendTurns | null = null;
  #unreadWatch: UnreadWatch | null = null;
  #closeReply: CloseReply | null = null;
  #watcher: FrameObserver | null = null;
  #held: HeldMessage | null = null;
  /** After a violation of the protocol, end without waiting for the peer, as browsers do. */
  failsAtOnce = false;

  constructor(options: ConnectionCoreOptions, facade: Connection) {
    this.runtime = options.runtime;
    this.settings = options.settings;
    this.#facade = facade;
    this.#owner = options.owner;
    this.openedAt = this.now();
    this.inbox = new Inbox(this, this.settings);
    this.#transport = options.transport(this);
    this.keepalive = options.keepalive(this.runtime, this, this.settings);
  }

  /**
   * Begins reading and pinging. A client sends its first ping before it delivers anything: the application's first
   * callback may block the event loop, and that would count against the ping. A server sends its first ping in a later
   * turn and in a separate write, because some clients lose data that they read together with the upgrade response.
   */
  start(): void {
    const { log, logger } = this.settings;
    if (log !== undefined && logger !== null && this.#transport.isReportedBelow !== true)
      this.#log = new log(logger, this.#facade, this.#transport.role);
    this.#log?.onOpen();
    this.#monitor?.onOpen(this.#facade);
    // The heartbeat watches the event loop from now on, whatever the handler does first.
    this.keepalive.open(this.#transport.role === "server");
    this.#transport.start();
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Whether messages that were queued before the closing began may still be sent. */
  get takesMessages(): boolean {
    return this.#state !== "closed" && !this.#ending.isSettled && this.#transport.closeSent === null;
  }

  get hasEnded(): boolean {
    return this.#state === "closed";
  }

  /** Made on demand: without a log, hardly any connection needs it. */
  get id(): string {
    return (this.#id ??= this.runtime.nextId());
  }

  get listeners(): Listeners {
    return (this.#listeners ??= new Listeners({
      platform: this.runtime.platform,
      faultLogger: this.settings.faultLogger,
    }));
  }

  get timers(): TimerQueue {
    return this.runtime.timers;
  }

  get remoteAddress(): Address | null {
    return this.#transport.remoteAddress;
  }

  get localAddress(): Address | null {
    return this.#transport.localAddress;
  }

  get bufferedAmount(): number {
    return this.#transport.bufferedAmount;
  }

  /** The session that the transport carries, as of now; null for none. */
  get session(): ConnectionSession | null {
    const { session = null } = this.#transport;
    if (session === null) return null;
    const { id, isAttached } = session;
    return { id, isAttached, position: session.positionBefore(this.#unread.length) };
  }

  get lastReceivedAt(): number {
    return this.#transport.lastReceivedAt;
  }

  get lastSentAt(): number | null {
    return this.#transport.lastSentAt;
  }

  get bytesSent(): number {
    return this.#transport.bytesSent;
  }

  /** Why reading is paused; empty while it is not. */
  get pauseReasons(): readonly PauseReason[] {
    return this.#lazyReadPause?.reasons ?? [];
  }

  /** Reports the frames of a connection that may have been open for long; null ends that. */
  watchFrames(watcher: FrameObserver | null): void {
    this.#watcher = watcher;
    this.#transport.refreshObserver?.();
  }

  /** This object if the log, the diagnostics channels or a watcher want to see frames; null otherwise. */
  get frameObserver(): FrameObserver | null {
    const isWanted = this.#log?.wantsFrames === true || this.#monitor?.wantsFrames === true;
    return isWanted || this.#watcher !== null ? this : null;
  }

  get hasBusyReader(): boolean {
    return this.inbox.hasBusyReader;
  }

  now(): number {
    return this.runtime.clock.now();
  }

  /**
   * Resolves when the connection has ended. Unlike `closed` of the facade, it says nothing about whether the application
   * still reads.
   */
  get whenEnded(): Promise<CloseInfo> {
    return this.#waiters.closed;
  }

  /** The application reads no more, and waits for the end. */
  expectEnd(): Promise<CloseInfo> {
    this.inbox.expectEnd();
    if (this.#held !== null && this.inbox.presence === "nobody") this.onUnread();
    return this.whenEnded;
  }

  /** The application never reads. */
  discard(): void {
    this.inbox.discard();
    this.onUnread();
  }

  get signal(): AbortSignal {
    return this.#waiters.signal;
  }

  /** Read only after the end. */
  get closeInfo(): CloseInfo {
    return this.#ending.settle();
  }

  closedError(): ConnectionClosed {
    return this.#ending.closedError;
  }

  get hasEndedWell(): boolean {
    return this.closeInfo.ok;
  }

  /**
   * Sends a message, in its turn. Rejects with ConnectionClosed, at the end, once the connection is closing.
   */
  send(data: string | Bytes | Fragments, settings: SendSettings): Promise<void> {
    try {
      if (settings.signal?.aborted === true) return Promise.reject(settings.signal.reason as Error);
      if (!this.#isSendable) return this.rejectWhenEnded(settings.signal);
      if (settings.until === "delivered") this.#requireSession();
      const turns = this.#sendTurns;
      if (turns !== null) return turns.wait(() => this.#sendNow(data, settings), settings.signal);
      return this.#sendNow(data, settings);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Sends a message whose type the caller knows, while messages may be sent. For adapters, which send no iterables. */
  sendTyped(data: string | Uint8Array, isText: boolean, settings: SendSettings): Promise<void> {
    const isSendable = this.#isSendable && this.#transport.closeSent === null;
    if (!isSendable) return this.rejectWhenEnded(settings.signal);
    const sending = isText
      ? this.#transport.sendText(data as string | TextBytes, settings) // Bytes of text need no separate class.
      : this.#transport.sendBinary(data as Uint8Array, settings); // Only text is a string.
    this.#countSent();
    return sending;
  }

  /** The words of the link protocol; null if the peer does not speak it. */
  get link(): LinkWords | null {
    return this.#transport.link ?? null;
  }

  /**
   * Sends a word of the link protocol in its turn among the messages, with the binary message that it announces, if any.
   * Drops it if the connection is closing, or if the peer does not speak the link protocol.
   */
  sendWord(word: string, argument: string, announced: Uint8Array | null = null): Promise<void> {
    const { link } = this;
    if (this.#state !== "open" || link === null) return Promise.resolve();
    const send = (): Promise<void> =>
      announced === null ? link.sendWord(word, argument) : link.sendAnnounced(word, argument, announced);
    const sent = this.#sendTurns === null ? send() : this.#sendTurns.wait(send, null);
    return quietly(sent); // It rejects when the connection ends, which is reported elsewhere.
  }

  /** Sends a message that goes to many connections, unless `limit` bytes or more wait for this peer. */
  trySend(message: SharedMessage, limit: number): "not-open" | "sent" | "slow" {
    if (this.#state !== "open") return "not-open";
    if (!this.hasRoom(limit)) return "slow";
    const turns = this.#sendTurns;
    if (turns === null) {
      this.#sendShared(message);
    } else {
      const { data, mayEncode, isWord } = message;
      const settings: SendSettings = { mayEncode, signal: null, receipt: null };
      turns.offer(message, () => {
        if (isWord !== true) return this.#sendNow(data, settings);
        this.#sendShared(message);
        return Promise.resolve();
      });
    }
    return "sent";
  }

  sendFragment(fragment: Fragment): Promise<void> {
    if (fragment.isLast) this.#countSent();
    else this.noteTraffic();
    return this.#transport.sendFragment(fragment);
  }

  get streamConfirmation(): Promise<void> | null {
    return this.#transport.streamConfirmation ?? null;
  }

  /** @throws InvalidArgumentError for data that cannot be sent */
  #sendNow(data: string | Bytes | Fragments, settings: SendSettings): Promise<void> {
    if (typeof data === "string") return this.#sendText(data, settings);
    const bytes = toBytes(data);
    if (bytes !== null && data instanceof TextBytes) return this.#sendText(data, settings);
    if (bytes !== null) {
      this.#countSent();
      return this.#transport.sendBinary(bytes, settings);
    }
    if (!isFragments(data)) throw invalidArgument("data", "a string, bytes, or an iterable of them", data);
    this.#sendTurns ??= new SendTurns(this, this.#waiters.interruptions, () => (this.#sendTurns = null));
    return this.#sendTurns.sendFragments(data, settings.signal);
  }

  #sendText(text: string | TextBytes, settings: SendSettings): Promise<void> {
    const sending = this.#transport.sendText(text, settings); // Throws for bytes that are not UTF-8.
    this.#countSent();
    return sending;
  }

  #sendShared(message: SharedMessage): void {
    const settings: SendSettings = { mayEncode: message.mayEncode, signal: null, receipt: null };
    this.#countSent();
    if (this.#transport.sendShared?.(message) === true) return;
    const { data } = message;
    const isText = typeof data === "string" || data instanceof TextBytes;
    void (isText ? this.#transport.sendText(data, settings) : this.#transport.sendBinary(data, settings));
  }

  #countSent(): void {
    this.#messagesSent++;
    this.noteTraffic();
  }

  /** A message passes: adaptive detection pings more often. */
  noteTraffic(): void {
    if (this.keepalive.isQuiet) this.keepalive.onTraffic();
  }

  /** Whether fewer than `limit` bytes wait for the peer. Flushes first if bytes only wait for the end of the turn. */
  hasRoom(limit: number): boolean {
    const rest = limit - (this.#sendTurns?.offeredBytes ?? 0);
    if (this.#transport.bufferedAmount < rest) return true;
    this.#transport.flush();
    return this.#transport.bufferedAmount < rest;
  }

  /** Sends a ping of the application; resolves with the milliseconds until its pong. */
  ping(payload: Uint8Array, signal: AbortSignal | null, timeout: number | null): Promise<number> {
    if (this.#state !== "open") return this.rejectWhenEnded(signal);
    if (!this.#transport.canPing) throw new InvalidStateError(NO_PINGS);
    if (this.keepalive.isInFlight(payload)) throw new ConcurrencyError(SAME_PAYLOAD);
    return this.keepalive.ping(payload, signal, timeout);
  }

  /** Pings ahead of the schedule, so that a dead peer is found within `pingTimeout`. */
  probe(): void {
    this.keepalive.probe();
  }

  sendPong(payload: Uint8Array): void {
    if (this.#state === "open") this.#transport.queuePong(payload);
  }

  /** Announces a reader, so that the inbox waits for it. */
  willBeRead(): void {
    this.inbox.noteReader("reader");
  }

  streamTo(handler: PieceHandler | null): void {
    this.#transport.streamTo(handler);
  }

  /**
   * Begins the closing handshake (RFC 6455 section 7.1.2). The Close follows the messages that wait, or, where it
   * `isUrgent`, replaces them. A handler that failed may have been the one to send the rest of a message, so its Close
   * does not wait for that message.
   */
  closeWithCause(
    cause: "handler-failed" | "local-close" | "server-shutdown",
    close: CloseFrame,
    error: Error | null = null,
    isUrgent = false,
  ): void {
    if (this.#sendTurns === null || isUrgent || cause === "handler-failed") {
      this.#close(close, cause, error, isUrgent);
    } else {
      this.#sendTurns.closeAfterwards(close);
      this.#close(null, cause, error);
    }
  }

  /** @param close null where messages still wait for their turn: `sendClose` follows */
  #close(close: CloseFrame | null, cause: CloseCause, error: Error | null, isUrgent = false): void {
    this.#binding?.answerClose();
    this.#closeReply?.send(false);
    if (this.#state !== "open") return;
    this.#ending.note(cause, error);
    if (close !== null) this.#transport.queueClose(close, isUrgent);
    this.#beginClosing();
  }

  sendClose(close: CloseFrame): void {
    if (this.takesMessages) this.#transport.queueClose(close, false);
  }

  /** A fragmented message cannot be completed: only a Close can follow. */
  breakOff(close: CloseFrame, error: Error): void {
    // The socket that had received its beginning is gone, and the session continues without the message.
    if (error instanceof HoldfastError && error.code === "ERR_HOLDFAST_NOT_SENT") return;
    if (this.#state === "open") this.#close(close, "local-close", error);
    else this.sendClose(close);
  }

  /** Ends the connection now, without a Close. */
  terminate(cause: CloseCause, error: Error | null = null): void {
    if (this.#state === "closed") return;
    this.#ending.cut(cause, error);
    this.#abandon();
  }

  /**
   * Rejects at the end of the connection, when the error is known, or with the reason of an abort before that.
   */
  rejectWhenEnded(signal: AbortSignal | null): Promise<never> {
    return this.#waiters.interruptions.begin(signal).waitForever();
  }

  /** Writes to the socket now rather than at the end of the turn. */
  flush(): void {
    this.#transport.flush();
  }

  /** Sends a Close in case the peer still listens, and ends the connection without waiting for an answer. */
  goAway(close: CloseFrame, cause: GoAwayCause = "aborted"): CloseInfo {
    if (this.#state !== "closed") this.#goAway(this.#unanswered ?? close, cause);
    return this.closeInfo;
  }

  /** For `attachObserver()`: pages without event streams do not contain the binding. */
  bind(
    observer: ConnectionObserver,
    makeBinding: (transport: MessageTransport) => ObserverBinding,
  ): ObserverBinding {
    this.inbox.attach(observer, "the event stream");
    return (this.#binding = makeBinding(this.#transport));
  }

  // Frames, from the transport, while `frameObserver` is not null.

  onFrameSent(frame: ObservedFrame): void {
    this.#log?.onFrameSent(frame);
    this.#monitor?.onFrameSent(this.#facade, frame);
    this.#watcher?.onFrameSent(frame);
  }

  onFrameReceived(frame: ObservedFrame): void {
    this.#log?.onFrameReceived(frame);
    this.#monitor?.onFrameReceived(this.#facade, frame);
    this.#watcher?.onFrameReceived(frame);
  }

  // Events of the transport, in the order of arrival.

  onMessage(message: Message): void {
    this.#messagesReceived++;
    this.noteTraffic();
    if (this.#held === null) this.inbox.push(message);
    else this.#held.follow(message);
  }

  onPing(payload: Uint8Array): void {
    if (this.settings.autoPong && this.#transport.closeSent === null) this.#transport.queuePong(payload);
    this.#monitor?.onPing(this.#facade, payload);
    this.#binding?.observer.onPing(payload);
    if (this.#listeners?.has("ping") !== true) return;
    this.#transport.flush(); // Before the event, so that no listener delays the pong (RFC 6455 section 5.5.2).
    this.#listeners.emit("ping", { payload });
  }

  onPong(payload: Uint8Array): void {
    const roundTrip = this.keepalive.onPong(payload, this.lastReceivedAt);
    this.#log?.onPong(roundTrip);
    this.#monitor?.onPong(this.#facade, payload, roundTrip);
    this.#binding?.observer.onPong(payload, roundTrip);
    if (this.#listeners?.has("pong") === true) this.#listeners.emit("pong", { payload, roundTrip });
  }

  /** The answer echoes the code (RFC 6455 section 5.5.1). It waits for a reader of the messages that came before. */
  onClose(close: CloseFrame): void {
    if (this.#binding === null) {
      const { closeSent, answersClose } = this.#transport;
      const mayWait = closeSent === null && answersClose !== true && !this.#ending.hasFailed;
      this.#closeReply = mayWait ? CloseReply.begin(close, this.#transport, this) : null;
      if (this.#closeReply === null) this.#answer(close, "peer-close", null);
    }
    this.#ending.note("peer-close", null);
    this.#binding?.onClose(close, this.#ending.hasFailed);
    this.#beginClosing();
  }

  onFailure({ cause, error, close }: TransportFailure): void {
    this.#answer(close, cause, error);
    this.#binding?.observer.onFailure(error);
    if (this.failsAtOnce) this.goAway(close);
  }

  onPingSent(key: string): void {
    this.keepalive.onPingSent(key);
  }

  onSendingFailed(error: Error): void {
    this.#close({ code: 1011, reason: "compression failed" }, "local-close", error);
  }

  onLargeMessage(size: number): void {
    const { streaming } = this.runtime;
    if (streaming === null || this.#state !== "open" || this.#binding !== null) return;
    if (!this.inbox.mayBeStreamed) return;
    this.#held = streaming.hold(this, size);
    this.streamTo(this.#held);
  }

  onDecodingBegun(): void {
    this.#readPause.pause("decoding");
  }

  onDecodingEnded(): void {
    this.#readPause.resume("decoding");
  }

  onEof(): void {
    this.#acceptHeldMessages();
    if (this.#closeReply?.onEof() === true || this.#binding?.onEof() === true) return;
    if (this.#ending.isComplete || this.#ending.hasFailed) {
      this.#transport.end();
      return;
    }
    this.#ending.note("eof", null);
    this.#destroy();
  }

  onError(cause: CloseCause, error: Error): void {
    this.#acceptHeldMessages();
    this.#ending.note(cause, error);
    this.#destroy();
  }

  onClosed(): void {
    this.#acceptHeldMessages();
    const info = this.#ending.finish();
    const closedError = (): ConnectionClosed => this.closedError();
    this.#state = "closed";
    this.#closeReply?.cancel();
    this.#unreadWatch?.stop();
    this.#held?.stop();
    this.keepalive.end(closedError);
    this.#transport.fail(closedError);
    this.inbox.end();
    this.#endWaiters?.end(info, closedError);
    this.#owner?.onConnectionEnded(this.#facade, info);
    this.#binding?.observer.onEnded(info);
    this.#log?.onClose(info);
    this.#monitor?.onClose(this.#facade, info);
    this.#listeners?.clear();
  }

  // Events of the inbox and of the message stream.

  onInboxFull(): void {
    this.#readPause.pause("inbox");
    if (this.#binding === null) (this.#unreadWatch ??= new UnreadWatch(this)).begin();
    if (this.#pausedAt !== null) return; // The messages held back have filled the inbox again.
    this.#pausedAt = this.now();
    this.#log?.onPaused(this.#unread.length, this.#unread.bytes);
    this.#listeners?.emit("paused", { messages: this.#unread.length, bytes: this.#unread.bytes });
  }

  onInboxBelowLowWater(): void {
    if (this.#pausedAt === null) return;
    this.#readPause.resume("inbox");
    if (this.#readPause.isPausedBy("inbox")) return;
    const duration = this.now() - this.#pausedAt;
    this.#pausedAt = null;
    this.#unreadWatch?.stop();
    this.#log?.onResumed(duration);
    this.#listeners?.emit("resumed", { duration });
  }

  /** Nobody reads. The connection still counts as paused, since messages wait, but reading continues. */
  onInboxStretched(): void {
    this.#readPause.resume("inbox");
  }

  onDropping(): void {
    this.#log?.onDropping();
  }

  onProgress(): void {
    // A reader that takes whole messages waits for the one that is held.
    if (this.#held !== null && this.inbox.hasReader && this.inbox.length === 0) this.onUnread();
    this.#transport.onProgress?.();
  }

  onStreamedMessage(): void {
    this.#messagesReceived++;
    this.noteTraffic();
  }

  giveHeld(stream: MessageStream): boolean {
    const held = this.#held;
    if (held === null) return false;
    if (held.size > stream.maxSize) {
      this.#refuseHeld(held, stream.maxSize);
    } else {
      this.#held = null;
      held.giveTo(stream);
    }
    return true;
  }

  onUnread(): void {
    // Only a limit makes a message too large.
    if (this.#held !== null) this.#refuseHeld(this.#held, this.settings.maxMessageSize ?? 0);
  }

  #refuseHeld(held: HeldMessage, limit: number): void {
    held.drop();
    this.#held = null;
    if (this.#state !== "open") return;
    const reason = `Expected a message of at most ${limit} bytes, got ${held.size} or more`;
    const error = new MessageTooBigError(reason, held.size, limit);
    this.onFailure({ cause: "message-too-big", error, close: { code: 1009, reason } });
  }

  onStreamFull(): void {
    if (this.#state === "open") this.#readPause.pause("stream");
  }

  onStreamBelowLowWater(): void {
    if (this.#state !== "closed") this.#readPause.resume("stream");
  }

  // The rate limit and the sessions of a server, and the unread messages of topics.

  pauseReading(reason: "rate" | "session" | "topics"): void {
    if (this.#state === "open") this.#readPause.pause(reason);
  }

  resumeReading(reason: "rate" | "session" | "topics"): void {
    if (this.#state !== "closed") this.#readPause.resume(reason);
  }

  // Commands and events of the keepalive.

  queuePing(key: string, payload: Uint8Array): void {
    this.#transport.queuePing(key, payload);
  }

  abandonPing(key: string): void {
    this.#transport.abandonPing(key);
  }

  onOverdue(elapsed: number, expected: number): void {
    this.#log?.onOverdue(elapsed, expected);
    this.#binding?.observer.onOverdue?.(elapsed, expected);
    this.#listeners?.emit("overdue", { elapsed, expected });
  }

  onSuspended(gap: number): void {
    this.#log?.onSuspended(gap);
    this.#binding?.observer.onSuspended(gap);
    this.#listeners?.emit("suspended", { gap });
  }

  onSuspect(suspicion: Suspicion): void {
    this.#log?.onSuspect(suspicion);
    this.#monitor?.onSuspect(this.#facade, suspicion);
    this.#binding?.observer.onSuspect?.(suspicion);
    this.#listeners?.emit("suspect", suspicion);
  }

  onUnmatchedPong(): void {
    this.#log?.onUnmatchedPong();
  }

  /** The peer was declared dead. It gets a Close with the reason, in case it still listens. */
  onDead(silence: number): void {
    this.#binding?.observer.onDead(silence);
    this.#goAway({ code: 1011, reason: "keepalive ping timeout" }, "heartbeat-timeout");
  }

  // Used by the ending, beside `terminate`.

  onCause(cause: CloseCause, error: Error | null): void {
    this.#log?.onEnding(cause, error);
  }

  get traffic(): Traffic {
    const { bytesReceived, bytesSent } = this.#transport;
    const [messagesReceived, messagesSent] = [this.#messagesReceived, this.#messagesSent];
    return { bytesReceived, bytesSent, messagesReceived, messagesSent };
  }

  /** A snapshot. */
  evidence(): CloseEvidence {
    return gatherEvidence(this, this.#transport, this.#unread, this.#wasPaused || this.#pausedAt !== null);
  }

  /** Messages may also be sent while the peer's Close waits for our answer. */
  get #isSendable(): boolean {
    return this.#state === "open" || this.#unanswered !== null;
  }

  #requireSession(): void {
    if ((this.#transport.session ?? null) === null) throw new InvalidStateError(NO_SESSION);
  }

  /** The peer's Close while it waits for our answer; null otherwise. */
  get #unanswered(): CloseFrame | null {
    if (this.#closeReply?.isSent === false) return this.#closeReply.close;
    return this.#binding?.unanswered ?? null;
  }

  /** The peer closed the connection or violated the protocol: our Close overtakes queued messages. */
  #answer(close: CloseFrame, cause: CloseCause, error: Error | null): void {
    this.#ending.note(cause, error);
    if (this.#transport.closeSent === null) this.#transport.queueClose(close, true);
    this.#beginClosing();
  }

  #beginClosing(): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.keepalive.beginClosing();
    this.#acceptHeldMessages();
    this.#ending.begin(this.settings.closeTimeout);
  }

  /** The connection is ending: delivers the messages that were held back, and never pauses reading again. */
  #acceptHeldMessages(): void {
    this.#wasPaused ||= this.#pausedAt !== null;
    this.inbox.queue.acceptBeyondLimits();
    this.onInboxBelowLowWater(); // For an observer, which has its own queue.
    for (const reason of OWN_PAUSES) this.#readPause.resume(reason);
    this.inbox.queue.drain();
  }

  #goAway(close: CloseFrame, cause: CloseCause): void {
    if (this.#transport.closeSent === null) this.#transport.queueClose(close, true);
    this.#transport.flush();
    this.#ending.note(cause, null); // After the Close: if it answered the peer's, the cause stays `peer-close`.
    this.#abandon();
  }

  /** Ends the transport; messages that were received are still delivered. */
  #destroy(): void {
    this.#settle();
    this.#transport.destroy();
  }

  /** Ends the transport; no more messages are delivered. */
  #abandon(): void {
    this.#acceptHeldMessages();
    this.#settle();
    this.#transport.abandon();
  }

  /** Fixes how the connection ended: later events change nothing. */
  #settle(): void {
    if (this.#ending.isSettled) return;
    if (this.#transport.outcome !== null) this.#ending.settle();
    this.#binding?.settle();
    this.#closeReply?.cancel();
    this.#unreadWatch?.stop();
    this.#state = "closing";
    this.keepalive.beginClosing();
  }

  /** The queue of unread messages: that of the observer, or the inbox. */
  get #unread(): Unread {
    return this.#binding?.observer.unread ?? this.inbox;
  }

  get #monitor(): DiagnosticsObserver | null {
    return this.#transport.isReportedBelow === true ? null : this.runtime.monitor;
  }

  get #waiters(): EndWaiters {
    return (this.#endWaiters ??= new EndWaiters(this));
  }

  get #readPause(): ReadPause {
    return (this.#lazyReadPause ??= new ReadPause(this.#transport, this.keepalive));
  }

  get #ending(): Ending {
    return (this.#lazyEnding ??= new Ending(this.runtime, this.#transport, this));
  }
}

/** The reasons to pause that no longer hold once the connection is ending. */
const OWN_PAUSES = ["stream", "rate", "session", "topics"] as const;

const NO_PINGS =
  "This connection has no pings: browsers send none, and the server does not speak Holdfast's link protocol. Give `heartbeat` functions that make messages which the server answers";

const NO_SESSION =
  'Expected a connection with a session for `until: "delivered"`, got one without: WebSockets have no acknowledgements. Set `sessions` at the server and `session` at the client, or leave `until` out.';

const SAME_PAYLOAD = "Expected a payload that no ping in flight has: its pong could answer either";
