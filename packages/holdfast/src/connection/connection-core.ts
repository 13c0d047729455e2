// The state of one open connection, and the wiring between its parts: the transport carries messages, the keepalive judges
// the peer, the inbox queues unread messages, and `Connection` is the public facade. The sending half is its base class;
// `Closing` has the end.

/* eslint max-lines: ["warn", { "max": 440, "skipBlankLines": true, "skipComments": true }] -- It passes each event between its parts, which have their own files; an object between them would be one more for each connection. */

import type { Suspicion } from "../heartbeat/adaptive-detection.js";
import type { CloseFrame } from "../shared/close-code.js";
import { HoldfastError, InvalidStateError } from "../shared/errors.js";
import type { ObservedFrame } from "../shared/observed-frame.js";
import type { PieceHandler } from "../protocol/message/piece-decoder.js";
import type { Connection } from "./connection.js";
import type { CloseCause, CloseEvidence, CloseInfo, Traffic } from "./close-info.js";
import { Closing } from "./ending/closing.js";
import { ConnectionSender } from "./sending/connection-sender.js";
import { NO_EXTRAS, CoreExtras } from "./core-extras.js";
import type { DiagnosticsObserver } from "./diagnostics-observer.js";
import { EndWaiters } from "./ending/end-waiters.js";
import { ConcurrencyError, type ConnectionClosed } from "./errors.js";
import { gatherEvidence } from "./ending/evidence.js";
import type { HeldMessage } from "./reading/held-message.js";
import {
  Inbox,
  NOTHING_UNREAD,
  type InboxHandler,
  type Message,
  type Reader,
  type Unread,
} from "./reading/inbox.js";
import type { Interruption } from "./interruption.js";
import { Listeners, type ConnectionEvents } from "./listeners.js";
import type { LoggedEvent } from "./log/connection-log.js";
import type { ConnectionSettings } from "./options.js";
import type { Keepalive, KeepaliveHandler, KeepaliveFactory } from "./keepalive/keepalive.js";
import { ReadPause, type PauseReason } from "./reading/read-pause.js";
import type { Runtime } from "./runtime.js";
import type { SendTurns } from "./sending/send-turns.js";
import type { ConnectionObserver } from "./connection-observer.js";
import type { ConnectionSession } from "./session-state.js";
import type { TimerQueue } from "./timer-queue.js";
import type {
  FrameObserver,
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

/** It has no private methods, nor has its base class: each such class would cost each connection eight bytes. */
export class ConnectionCore
  extends ConnectionSender
  implements MessageTransportHandler, FrameObserver, KeepaliveHandler, InboxHandler
{
  readonly runtime: Runtime;
  readonly settings: ConnectionSettings;
  readonly transport: MessageTransport;
  readonly keepalive: Keepalive;
  readonly openedAt: number;
  readonly #facade: Connection;
  readonly #owner: ConnectionEndObserver | null;
  #messagesReceived = 0;
  // Made on demand: an idle connection needs none of them, and the socket of a session no inbox.
  #inbox: Inbox | null = null;
  #readPause: ReadPause | null = null;
  #endWaiters: EndWaiters | null = null;
  #observer: ConnectionObserver | null = null;
  /** To read; to change, use `own`. */
  #extras: Readonly<CoreExtras> = NO_EXTRAS;

  constructor(options: ConnectionCoreOptions, facade: Connection) {
    super();
    this.runtime = options.runtime;
    this.settings = options.settings;
    this.#facade = facade;
    this.#owner = options.owner;
    this.openedAt = Math.floor(this.now()); // V8 allocates an object for a fraction.
    this.transport = options.transport(this);
    this.keepalive = options.keepalive(this.runtime, this, this.settings);
  }

  /**
   * Begins reading and pinging. A client sends its first ping before it delivers anything: the application's first
   * callback may block the event loop, and that would count against the ping. A server sends its first ping in a later
   * turn and in a separate write, because some clients lose data that they read together with the upgrade response.
   */
  start(): void {
    const { log, logger } = this.settings;
    if (log !== undefined && logger !== null && this.transport.isReportedBelow !== true)
      this.own.log = new log(logger, this.#facade, this.transport.role);
    this.#extras.log?.onOpen();
    this.monitor?.onOpen(this.#facade);
    // The heartbeat watches the event loop from now on, whatever the handler does first.
    this.keepalive.open(this.transport.role === "server");
    this.transport.start();
  }

  get inbox(): Inbox {
    if (this.#inbox !== null) return this.#inbox;
    const inbox = new Inbox(this, this.settings);
    this.#inbox = inbox;
    if (this.#observer !== null) inbox.attach(this.#observer, EVENT_STREAM);
    return inbox;
  }

  protected get own(): CoreExtras {
    if (this.#extras === NO_EXTRAS) this.#extras = new CoreExtras();
    return this.#extras;
  }

  protected get turns(): SendTurns | null {
    return this.#extras.turns;
  }

  protected set turns(turns: SendTurns | null) {
    this.own.turns = turns;
  }

  /** A large message that waits for a reader; null for none. */
  get held(): HeldMessage | null {
    return this.#extras.held;
  }

  set held(held: HeldMessage | null) {
    if (this.#extras.held !== held) this.own.held = held;
  }

  /** After a violation of the protocol, end without waiting for the peer, as browsers do. */
  get failsAtOnce(): boolean {
    return this.#extras.failsAtOnce;
  }

  set failsAtOnce(failsAtOnce: boolean) {
    this.own.failsAtOnce = failsAtOnce;
  }

  get facade(): Connection {
    return this.#facade;
  }

  get hasEnded(): boolean {
    return this.state === "closed";
  }

  /** Made on demand: without a log, hardly any connection needs it. */
  get id(): string {
    return this.#extras.id ?? (this.own.id = this.runtime.nextId());
  }

  get listeners(): Listeners {
    return (
      this.#extras.listeners ??
      (this.own.listeners = new Listeners(this.runtime.platform, this.settings.faultLogger))
    );
  }

  /** The listeners, if any was ever added; otherwise null. */
  get registeredListeners(): Listeners | null {
    return this.#extras.listeners;
  }

  get timers(): TimerQueue {
    return this.runtime.timers;
  }

  get bufferedAmount(): number {
    return this.transport.bufferedAmount;
  }

  /** The session that the transport carries, as of now; null for none. */
  get session(): ConnectionSession | null {
    const { session = null } = this.transport;
    if (session === null) return null;
    const { id, isAttached } = session;
    return { id, isAttached, position: session.positionBefore(this.unread.length) };
  }

  get lastReceivedAt(): number {
    return this.transport.lastReceivedAt;
  }

  get bytesSent(): number {
    return this.transport.bytesSent;
  }

  /** Why reading is paused; empty while it is not. */
  get pauseReasons(): readonly PauseReason[] {
    return this.#readPause?.reasons ?? [];
  }

  /** Reports the frames of a connection that may have been open for long; null ends that. */
  watchFrames(watcher: FrameObserver | null): void {
    if (this.#extras.watcher !== watcher) this.own.watcher = watcher;
    this.transport.refreshObserver?.();
  }

  /** This object if the log, the diagnostics channels or a watcher want to see frames; null otherwise. */
  get frameObserver(): FrameObserver | null {
    const isWanted = this.#extras.log?.wantsFrames === true || this.monitor?.wantsFrames === true;
    return isWanted || this.#extras.watcher !== null ? this : null;
  }

  /** The reader that waits for messages; null for none. */
  get reader(): Reader | null {
    return this.#inbox?.reader ?? null;
  }

  get hasBusyReader(): boolean {
    return this.#inbox !== null && this.#inbox.hasBusyReader;
  }

  now(): number {
    return this.runtime.clock.now();
  }

  /**
   * Resolves when the connection has ended. Unlike `closed` of the facade, it says nothing about whether the application
   * still reads.
   */
  get whenEnded(): Promise<CloseInfo> {
    return this.waiters.closed;
  }

  /** The application reads no more, and waits for the end. */
  expectEnd(): Promise<CloseInfo> {
    this.inbox.expectEnd();
    if (this.held !== null && this.inbox.presence === "nobody") this.onUnread();
    return this.whenEnded;
  }

  /** The application never reads. */
  discard(): void {
    this.inbox.discard();
    this.onUnread();
  }

  get signal(): AbortSignal {
    return this.waiters.signal;
  }

  /** Read only after the end. */
  get closeInfo(): CloseInfo {
    return this.ending.settle();
  }

  closedError(): ConnectionClosed {
    return this.ending.closedError;
  }

  get hasEndedWell(): boolean {
    return this.closeInfo.ok;
  }

  /** Sends a ping of the application; resolves with the milliseconds until its pong. */
  ping(payload: Uint8Array, signal: AbortSignal | null, timeout: number | null): Promise<number> {
    if (this.state !== "open") return this.rejectWhenEnded(signal);
    if (!this.transport.canPing) throw new InvalidStateError(NO_PINGS);
    if (this.keepalive.isInFlight(payload)) throw new ConcurrencyError(SAME_PAYLOAD);
    return this.keepalive.ping(payload, signal, timeout);
  }

  /** Pings ahead of the schedule, so that a dead peer is found within `pingTimeout`. */
  probe(): void {
    this.keepalive.probe();
  }

  sendPong(payload: Uint8Array): void {
    if (this.state === "open") this.transport.queuePong(payload);
  }

  /** Delivers the message that is arriving, or the next one, piece by piece; null stops that. */
  streamTo(handler: PieceHandler | null): void {
    this.transport.streamTo(handler);
  }

  // Closing.

  /** Made when something begins to end the connection. */
  protected get ending(): Closing {
    return (this.closing ??= new Closing(this));
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
    const mayWait = !isUrgent && cause !== "handler-failed";
    const isLater = mayWait && this.closesAfterwards(close);
    this.ending.close(isLater ? null : close, cause, error, isUrgent);
  }

  /** A fragmented message cannot be completed: only a Close can follow. */
  breakOff(error: Error): void {
    // The socket that had received its beginning is gone, and the session continues without the message. By its code: pages
    // without sessions need not load the class.
    if (error instanceof HoldfastError && error.code === "ERR_HOLDFAST_NOT_SENT") return;
    const close = { code: 1011, reason: "error in fragmented message" };
    if (this.state === "open") this.ending.close(close, "local-close", error);
    else this.sendClose(close);
  }

  /** Ends the connection now, without a Close. */
  terminate(cause: CloseCause, error: Error | null = null): void {
    this.ending.terminate(cause, error);
  }

  /** Sends a Close in case the peer still listens, and ends the connection without waiting for an answer. */
  goAway(close: CloseFrame, cause: GoAwayCause = "aborted"): CloseInfo {
    return this.ending.goAway(close, cause);
  }

  /** Writes to the socket now rather than at the end of the turn. */
  flush(): void {
    this.transport.flush();
  }

  /** Receives everything that is read; null for none. */
  get observer(): ConnectionObserver | null {
    return this.#observer;
  }

  /**
   * From now on the observer receives everything that is read; the inbox receives no more messages.
   * @throws ConcurrencyError while another reader is attached
   */
  attachObserver(observer: ConnectionObserver): void {
    this.#inbox?.checkFree(EVENT_STREAM);
    this.#observer = observer;
    this.#inbox?.attach(observer, EVENT_STREAM); // Passes it the messages that wait.
  }

  /** Answers the peer's Close, after the messages sent before. Does nothing if no Close waits for an answer. */
  answerClose(): void {
    this.closing?.answer(false);
  }

  // Frames, from the transport, while `frameObserver` is not null.

  onFrameSent(frame: ObservedFrame): void {
    this.#extras.log?.onFrameSent(frame);
    this.monitor?.onFrameSent(this.#facade, frame);
    this.#extras.watcher?.onFrameSent(frame);
  }

  onFrameReceived(frame: ObservedFrame): void {
    this.#extras.log?.onFrameReceived(frame);
    this.monitor?.onFrameReceived(this.#facade, frame);
    this.#extras.watcher?.onFrameReceived(frame);
  }

  // Events of the transport, in the order of arrival.

  onMessage(message: Message): void {
    this.#messagesReceived++;
    this.noteTraffic();
    if (this.held === null) this.inbox.push(message);
    else this.held.follow(message);
  }

  onPing(payload: Uint8Array): void {
    if (this.settings.autoPong && this.transport.closeSent === null) this.transport.queuePong(payload);
    this.monitor?.onPing(this.#facade, payload);
    this.#observer?.onPing?.(payload, this);
    if (this.#extras.listeners?.has("ping") !== true) return;
    this.transport.flush(); // Before the event, so that no listener delays the pong (RFC 6455 section 5.5.2).
    this.#extras.listeners.emit("ping", { payload });
  }

  onPong(payload: Uint8Array): void {
    const roundTrip = this.keepalive.onPong(payload, this.lastReceivedAt);
    this.#extras.log?.onPong(roundTrip);
    this.monitor?.onPong(this.#facade, payload, roundTrip);
    this.#observer?.onPong?.(payload, roundTrip, this);
    if (this.#extras.listeners?.has("pong") === true)
      this.#extras.listeners.emit("pong", { payload, roundTrip });
  }

  onClose(close: CloseFrame): void {
    this.ending.onClose(close);
  }

  onFailure(failure: TransportFailure): void {
    this.ending.onFailure(failure);
  }

  onPingSent(key: string): void {
    this.keepalive.onPingSent(key);
  }

  onSendingFailed(error: Error): void {
    this.ending.close({ code: 1011, reason: "compression failed" }, "local-close", error);
  }

  onLargeMessage(size: number): void {
    const mayWait = this.state === "open" && this.#observer === null && this.inbox.mayBeStreamed;
    if (mayWait) this.held = this.runtime.streaming?.hold(this, size) ?? null;
  }

  onDecodingBegun(): void {
    this.pauses.pause("decoding");
  }

  onDecodingEnded(): void {
    this.#readPause?.resume("decoding");
  }

  onEof(): void {
    this.ending.onEof();
  }

  onError(cause: CloseCause, error: Error): void {
    this.ending.onError(cause, error);
  }

  onClosed(): void {
    const info = this.ending.onClosed();
    const closedError = (): ConnectionClosed => this.closedError();
    this.held?.stop();
    this.keepalive.end(closedError);
    this.transport.fail(closedError);
    this.inbox.end();
    this.#endWaiters?.end(info);
    this.#owner?.onConnectionEnded(this.#facade, info);
    // Before the session leaves the socket, so that both can name it.
    this.#extras.log?.onClose(info);
    this.monitor?.onClose(this.#facade, info);
    this.#observer?.onEnded?.(info, this);
    this.#extras.listeners?.clear();
  }

  // Events of the inbox and of the message stream.

  onPaused(): void {
    const { length: messages, bytes } = this.unread;
    this.report("paused", { messages, bytes });
  }

  onResumed(duration: number): void {
    this.report("resumed", { duration });
  }

  onInboxStretched(): void {
    this.#readPause?.stretch();
  }

  /** The closing handshake begins. A slow reader still makes the peer wait, so that it gets what comes before the Close. */
  beginClosing(): void {
    const observer = this.#observer;
    if (observer !== null && observer.onClosingBegun === undefined) {
      this.acceptHeldMessages();
      return;
    }
    this.#readPause?.beginClosing();
    if (observer === null) this.inbox.queue.beginClosing();
    else observer.onClosingBegun?.(this);
  }

  /** The connection is ending: delivers the messages that were held back, and never pauses reading again. */
  acceptHeldMessages(): void {
    this.inbox.queue.acceptBeyondLimits();
    this.pauses.end();
  }

  onDropping(): void {
    this.#extras.log?.onDropping();
  }

  onProgress(): void {
    // A reader that takes whole messages waits for the one that is held.
    if (this.held !== null && this.inbox.hasReader && this.inbox.length === 0) this.onUnread();
    this.transport.onProgress?.();
  }

  /** The last piece of a message was delivered. */
  onStreamedMessage(): void {
    this.#messagesReceived++;
    this.noteTraffic();
  }

  /** The application has not read for a while, or takes whole messages. */
  onUnread(): void {
    this.held?.refuse(this.settings.maxMessageSize ?? 0); // Only a limit makes a message too large.
  }

  /** For a full inbox, a reader of a stream that holds too much, the limits of a server, and the queue of an observer. */
  pauseReading(reason: PauseReason = "inbox"): void {
    // A closing connection must still read its end, but waits for a slow reader with what comes before it.
    const isSlowReader = reason === "inbox" || reason === "stream";
    if (this.state === "open" || (this.state === "closing" && isSlowReader)) this.pauses.pause(reason);
  }

  resumeReading(reason: PauseReason = "inbox"): void {
    if (this.state === "closed") return;
    this.#readPause?.resume(reason);
    // Each session paused its first socket once, and most connections never pause again.
    if (this.#readPause?.isIdle === true) this.#readPause = null;
  }

  // Commands and events of the keepalive.

  queuePing(key: string, payload: Uint8Array): void {
    this.transport.queuePing(key, payload);
  }

  abandonPing(key: string): void {
    this.transport.abandonPing(key);
  }

  onOverdue(elapsed: number, expected: number): void {
    this.#observer?.onOverdue?.(elapsed, expected, this);
    this.report("overdue", { elapsed, expected });
  }

  onSuspended(gap: number): void {
    this.#observer?.onSuspended?.(gap, this);
    this.report("suspended", { gap });
  }

  onSuspect(suspicion: Suspicion): void {
    this.monitor?.onSuspect(this.#facade, suspicion);
    this.#observer?.onSuspect?.(suspicion, this);
    this.report("suspect", suspicion);
  }

  onUnmatchedPong(): void {
    this.#extras.log?.onUnmatchedPong();
  }

  /** The peer gets a Close with the reason, in case it still listens. */
  onDead(silence: number): void {
    this.#observer?.onDead?.(silence);
    this.goAway({ code: 1011, reason: "keepalive ping timeout" }, "heartbeat-timeout");
  }

  /** Passes an event to the log and to the listeners. */
  protected report<Name extends LoggedEvent>(name: Name, event: ConnectionEvents[Name]): void {
    this.#extras.log?.onEvent(name, event);
    this.#extras.listeners?.emit(name, event);
  }

  // Used by the ending, beside `terminate`.

  /** The cause of the ending was set or replaced. */
  onCause(cause: CloseCause, error: Error | null): void {
    this.#extras.log?.onEnding(cause, error);
  }

  get traffic(): Traffic {
    const { bytesReceived, bytesSent, finalTraffic } = this.transport;
    const messagesReceived = this.#messagesReceived;
    const { messagesSent } = this;
    return finalTraffic ?? { bytesReceived, bytesSent, messagesReceived, messagesSent };
  }

  /** A snapshot. */
  evidence(): CloseEvidence {
    return gatherEvidence(this, this.transport, this.unread, this.#readPause?.wasFull ?? false);
  }

  /** The queue of unread messages: that of the observer, or the inbox. */
  protected get unread(): Unread {
    return this.#observer?.unread ?? this.#inbox ?? NOTHING_UNREAD;
  }

  protected get monitor(): DiagnosticsObserver | null {
    return this.transport.isReportedBelow === true ? null : this.runtime.monitor;
  }

  protected get waiters(): EndWaiters {
    return (this.#endWaiters ??= new EndWaiters(this));
  }

  beginWait(signal: AbortSignal | null): Interruption {
    return this.waiters.begin(signal);
  }

  protected get pauses(): ReadPause {
    return (this.#readPause ??= new ReadPause(this));
  }
}

/** In errors. */
const EVENT_STREAM = "the event stream";

const NO_PINGS =
  "This connection has no pings: browsers send none, and the server does not speak Holdfast's link protocol. Give `heartbeat` functions that make messages which the server answers.";

const SAME_PAYLOAD =
  "Expected a payload that no ping in flight has, as its pong could answer either, got one. Choose another.";
