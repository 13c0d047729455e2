// The life of a connection: from its opening to its end, whatever carries its messages. `Connection` is its face, a
// `Wire` carries for it, the heartbeat watches over it, and the inbox keeps what nobody has read yet.

/* eslint max-lines: ["warn", { "max": 430, "skipBlankLines": true, "skipComments": true }] -- It stands between five parties, each in a file of its own: a line or two for all that one tells another. One object more for each connection would cost more than it clears up. */

import type { CloseFrame } from "../shared/close-code.js";
import type { ObservedFrame } from "../shared/observed-frame.js";
import { TextBytes } from "../shared/text-bytes.js";
import type { PieceHandler } from "../protocol/message/piece-decoder.js";
import type { Connection } from "./connection.js";
import type { CloseCause, CloseEvidence, CloseInfo, Traffic } from "./close-info.js";
import { CloseReply, type CloseReplyHost } from "./close-reply.js";
import { Ending, type EndingHandler } from "./ending.js";
import type { ConnectionClosed } from "./errors.js";
import { gatherEvidence } from "./evidence.js";
import { Inbox, type InboxHandler, type Message, type Unread } from "./inbox.js";
import { ConnectionLog } from "./log/connection-log.js";
import { Listeners } from "./listeners.js";
import type { StreamableConnection } from "./message-stream.js";
import type { ConnectionSettings } from "./options.js";
import type { Address } from "./ports.js";
import {
  HeartbeatKeepalive,
  type Keepalive,
  type KeepaliveHandler,
  type KeepaliveFactory,
} from "./keepalive.js";
import { ReadPause } from "./read-pause.js";
import type { Runtime } from "./runtime.js";
import type { ConnectionObserver, ObservedConnection } from "./connection-observer.js";
import { ObserverBinding, type ObserverBindingHandler } from "./observer-binding.js";
import type { TimerQueue } from "./timer-queue.js";
import { UnreadWatch, type UnreadWatchHost } from "./unread-watch.js";
import type {
  Fragment,
  FrameObserver,
  SendSettings,
  SharedMessage,
  MessageTransport,
  TransportFailure,
  MessageTransportHandler,
  MessageTransportFactory,
} from "./message-transport.js";

/** From `"open"` on, a connection goes through these in order, and never back. */
export type ConnectionState = "connecting" | "open" | "closing" | "closed";

/** Why a connection is left: its owner wants no more of it, or has found its peer dead. */
export type GoAwayCause = "aborted" | "heartbeat-timeout";

export interface ConnectionCoreOptions {
  readonly runtime: Runtime;
  readonly wire: MessageTransportFactory;
  readonly settings: ConnectionSettings;
  /** Where the heartbeat beats elsewhere. */
  readonly pulse?: KeepaliveFactory;
}

/** Names the method by which a connection is told of its end. Not for applications. */
export const ended = Symbol("ended");

export class ConnectionCore
  implements
    MessageTransportHandler,
    FrameObserver,
    KeepaliveHandler,
    InboxHandler,
    StreamableConnection,
    EndingHandler,
    ObserverBindingHandler,
    UnreadWatchHost,
    CloseReplyHost
{
  readonly runtime: Runtime;
  readonly settings: ConnectionSettings;
  readonly inbox: Inbox;
  readonly pulse: Keepalive;
  readonly #wire: MessageTransport;
  readonly #face: Connection;
  /** Null where there is no logger, and until the start. */
  #log: ConnectionLog | null = null;
  readonly openedAt: number;
  #state: ConnectionState = "open";
  #messagesReceived = 0;
  #messagesSent = 0;
  #listeners: Listeners | null = null;
  #pausedAt: number | null = null;
  #wasPaused = false;
  #tapping: ObserverBinding | null = null;
  // Of ten thousand idle connections, most never stop reading, and none has begun to end.
  #lazyReading: ReadPause | null = null;
  #lazyEnding: Ending | null = null;
  #unreadWatch: UnreadWatch | null = null;
  #closeReply: CloseReply | null = null;

  constructor(options: ConnectionCoreOptions, face: Connection) {
    this.runtime = options.runtime;
    this.settings = options.settings;
    this.#face = face;
    this.openedAt = this.now();
    this.inbox = new Inbox(this, this.settings);
    this.#wire = options.wire(this);
    this.pulse =
      options.pulse?.(this.runtime, this, this.settings) ??
      new HeartbeatKeepalive(this.runtime, this, this.settings);
  }

  /**
   * Begins. A client's first ping goes out before anything is told that arrived: what the application does first may
   * block the loop, and the ping's time is running. A server's follows its response to the upgrade in a write of its
   * own, and in a later turn: some clients lose what they read in one piece with the response.
   */
  start(): void {
    const { logger } = this.settings;
    if (logger !== null) this.#log = new ConnectionLog(logger, this.#face, this.#wire.role);
    this.#log?.onOpen();
    this.runtime.monitor?.onOpen(this.#face);
    if (this.#wire.role === "client") {
      this.pulse.open();
      this.#wire.start();
    } else {
      this.#wire.start();
      const { clock } = this.runtime;
      clock.afterPoll(() => clock.afterPoll(() => this.#beginPulse()));
    }
  }

  #beginPulse(): void {
    if (this.#state === "open") this.pulse.open();
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Whether messages may be sent: also while the peer's Close waits for an answer. */
  get isSendable(): boolean {
    return this.#state === "open" || this.#unanswered !== null;
  }

  /** Whether messages that were sent in time, and waited for their turn, may still leave. */
  get takesMessages(): boolean {
    return this.#state !== "closed" && !this.#ending.isSettled && this.#wire.closeSent === null;
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
    return this.#wire.remoteAddress;
  }

  get localAddress(): Address | null {
    return this.#wire.localAddress;
  }

  get canPing(): boolean {
    return this.#wire.canPing;
  }

  get bufferedAmount(): number {
    return this.#wire.bufferedAmount;
  }

  get lastReceivedAt(): number {
    return this.#wire.lastReceivedAt;
  }

  /** Itself, where the log or the process's monitor is to be shown frames. */
  get frameObserver(): FrameObserver | null {
    const isWanted = this.#log?.wantsFrames === true || this.runtime.monitor?.wantsFrames === true;
    return isWanted ? this : null;
  }

  get hasBusyReader(): boolean {
    return this.inbox.hasBusyReader;
  }

  now(): number {
    return this.runtime.clock.now();
  }

  /** How it ended; asked for only then. */
  get closeInfo(): CloseInfo {
    return this.#ending.settle();
  }

  closedError(): ConnectionClosed {
    return this.#ending.closedError;
  }

  get hasEndedWell(): boolean {
    return this.closeInfo.ok;
  }

  sendText(text: string | TextBytes, settings: SendSettings): Promise<void> {
    const sending = this.#wire.sendText(text, settings); // Throws for bytes that are no text.
    this.#messagesSent++;
    return sending;
  }

  sendBinary(payload: Uint8Array, settings: SendSettings): Promise<void> {
    this.#messagesSent++;
    return this.#wire.sendBinary(payload, settings);
  }

  sendFragment(fragment: Fragment): Promise<void> {
    if (fragment.isLast) this.#messagesSent++;
    return this.#wire.sendFragment(fragment);
  }

  sendShared(message: SharedMessage): void {
    const settings: SendSettings = { mayEncode: message.mayEncode, signal: null, receipt: null };
    this.#messagesSent++;
    if (this.#wire.sendShared?.(message) === true) return;
    const { data } = message;
    const isText = typeof data === "string" || data instanceof TextBytes;
    void (isText ? this.#wire.sendText(data, settings) : this.#wire.sendBinary(data, settings));
  }

  /** Whether fewer than `limit` bytes wait for the peer. What has only not been written yet does not. */
  hasRoom(limit: number): boolean {
    if (this.#wire.bufferedAmount < limit) return true;
    this.#wire.flush();
    return this.#wire.bufferedAmount < limit;
  }

  sendPong(payload: Uint8Array): void {
    if (this.#state === "open") this.#wire.queuePong(payload);
  }

  streamTo(sink: PieceHandler | null): void {
    this.#wire.streamTo(sink);
  }

  /**
   * Begins the closing handshake: our Close goes out behind what was sent before (RFC 6455 section 7.1.2), or, where
   * it `isUrgent`, instead of what waits. Without a Close yet where messages wait for their turn: `sendClose` follows.
   */
  close(close: CloseFrame | null, cause: CloseCause, error: Error | null, isUrgent = false): void {
    this.#tapping?.answerClose();
    this.#closeReply?.send(false);
    if (this.#state !== "open") return;
    this.#ending.note(cause, error);
    if (close !== null) this.#wire.queueClose(close, isUrgent);
    this.#beginClosing();
  }

  sendClose(close: CloseFrame): void {
    if (this.takesMessages) this.#wire.queueClose(close, false);
  }

  /** A message was begun that will never be complete: nothing but a Close can follow. */
  breakOff(close: CloseFrame, error: Error): void {
    if (this.#state === "open") this.close(close, "local-close", error);
    else this.sendClose(close);
  }

  /** Ends the connection now, without a Close. */
  terminate(cause: CloseCause, error: Error | null): void {
    if (this.#state === "closed") return;
    this.#ending.cut(cause, error);
    this.#abandon();
  }

  /** What was sent goes to the socket now rather than at the end of the turn. */
  flush(): void {
    this.#wire.flush();
  }

  /** Ends the connection now: the peer is told, in case it still listens, and not waited for. */
  leave(close: CloseFrame, cause: GoAwayCause): CloseInfo {
    if (this.#state !== "closed") this.#giveUp(this.#unanswered ?? close, cause);
    return this.closeInfo;
  }

  /** What is read goes to the tap from now on, and messages only there. */
  attachTap(tap: ConnectionObserver): ObservedConnection {
    this.inbox.attach(tap, "the event stream");
    return (this.#tapping = new ObserverBinding(tap, this.#wire, this));
  }

  // What the wire shows, where there is somebody to look.

  onFrameSent(frame: ObservedFrame): void {
    this.#log?.onFrameSent(frame);
    this.runtime.monitor?.onFrameSent(this.#face, frame);
  }

  onFrameReceived(frame: ObservedFrame): void {
    this.#log?.onFrameReceived(frame);
    this.runtime.monitor?.onFrameReceived(this.#face, frame);
  }

  // What the wire tells, in the order of arrival.

  onMessage(message: Message): void {
    this.#messagesReceived++;
    this.inbox.push(message);
  }

  onPing(payload: Uint8Array): void {
    if (this.settings.autoPong && this.#wire.closeSent === null) this.#wire.queuePong(payload);
    this.runtime.monitor?.onPing(this.#face, payload);
    this.#tapping?.observer.onPing(payload);
    if (this.#listeners?.has("ping") !== true) return;
    this.#wire.flush(); // Before the event, so that no listener delays the answer (RFC 6455 section 5.5.2).
    this.#listeners.emit("ping", { payload });
  }

  onPong(payload: Uint8Array): void {
    const roundTrip = this.pulse.onPong(payload, this.lastReceivedAt);
    this.#log?.onPong(roundTrip);
    this.runtime.monitor?.onPong(this.#face, payload, roundTrip);
    this.#tapping?.observer.onPong(payload, roundTrip);
    if (this.#listeners?.has("pong") === true) this.#listeners.emit("pong", { payload, roundTrip });
  }

  /** RFC 6455 section 5.5.1: the answer echoes the code. It waits for whoever reads what came before. */
  onClose(close: CloseFrame): void {
    if (this.#tapping === null) {
      const { closeSent, answersClose } = this.#wire;
      const mayWait = closeSent === null && answersClose !== true && !this.#ending.hasFailed;
      this.#closeReply = mayWait ? CloseReply.begin(close, this.#wire, this) : null;
      if (this.#closeReply === null) this.#answer(close, "peer-close", null);
    }
    this.#ending.note("peer-close", null);
    this.#tapping?.onClose(close, this.#ending.hasFailed);
    this.#beginClosing();
  }

  onFailure({ cause, error, close }: TransportFailure): void {
    this.#answer(close, cause, error);
    this.#tapping?.observer.onFailure(error);
  }

  onPingSent(key: string): void {
    this.pulse.onPingSent(key);
  }

  onSendingFailed(error: Error): void {
    this.close({ code: 1011, reason: "compression failed" }, "local-close", error);
  }

  onDecodingBegun(): void {
    this.#reading.pause("decoding");
  }

  onDecodingEnded(): void {
    this.#reading.resume("decoding");
  }

  onEof(): void {
    this.#takeIn();
    if (this.#closeReply?.onEof() === true || this.#tapping?.onEof() === true) return;
    if (this.#ending.isComplete || this.#ending.hasFailed) {
      this.#wire.end();
      return;
    }
    this.#ending.note("eof", null);
    this.#destroy();
  }

  onError(cause: CloseCause, error: Error): void {
    this.#takeIn();
    this.#ending.note(cause, error);
    this.#destroy();
  }

  onClosed(): void {
    this.#takeIn();
    const info = this.#ending.finish();
    const closedError = (): ConnectionClosed => this.closedError();
    this.#state = "closed";
    this.#closeReply?.cancel();
    this.#unreadWatch?.stop();
    this.pulse.end(closedError);
    this.#wire.fail(closedError);
    this.inbox.end();
    this.#face[ended](info, closedError);
    this.#tapping?.observer.onEnded(info);
    this.#log?.onClose(info);
    this.runtime.monitor?.onClose(this.#face, info);
    this.#listeners?.clear();
  }

  // What the inbox and the stream of pieces tell.

  onInboxFull(): void {
    this.#reading.pause("inbox");
    if (this.#tapping === null) (this.#unreadWatch ??= new UnreadWatch(this)).begin();
    if (this.#pausedAt !== null) return; // What was held back has filled it again.
    this.#pausedAt = this.now();
    this.#log?.onPaused(this.#unread.length, this.#unread.bytes);
    if (this.#listeners?.has("paused") !== true) return;
    this.#listeners.emit("paused", { messages: this.#unread.length, bytes: this.#unread.bytes });
  }

  onInboxBelowLowWater(): void {
    if (this.#pausedAt === null) return;
    this.#reading.resume("inbox");
    if (this.#reading.isPausedBy("inbox")) return;
    const duration = this.now() - this.#pausedAt;
    this.#pausedAt = null;
    this.#unreadWatch?.stop();
    this.#log?.onResumed(duration);
    if (this.#listeners?.has("resumed") === true) this.#listeners.emit("resumed", { duration });
  }

  /** Nobody reads: it counts as paused, since messages wait, and goes on. */
  onInboxStretched(): void {
    this.#reading.resume("inbox");
  }

  onDropping(): void {
    this.#log?.onDropping();
  }

  onStreamedMessage(): void {
    this.#messagesReceived++;
  }

  onStreamFull(): void {
    if (this.#state === "open") this.#reading.pause("stream");
  }

  onStreamRoomy(): void {
    if (this.#state !== "closed") this.#reading.resume("stream");
  }

  // What a limit on the peer's speed wants.

  holdReading(): void {
    if (this.#state === "open") this.#reading.pause("rate");
  }

  releaseReading(): void {
    if (this.#state !== "closed") this.#reading.resume("rate");
  }

  // What the heartbeat wants and tells.

  queuePing(key: string, payload: Uint8Array): void {
    this.#wire.queuePing(key, payload);
  }

  abandonPing(key: string): void {
    this.#wire.abandonPing(key);
  }

  onOverdue(elapsed: number, expected: number): void {
    this.#log?.onOverdue(elapsed, expected);
    if (this.#listeners?.has("overdue") === true) this.#listeners.emit("overdue", { elapsed, expected });
  }

  onSuspended(gap: number): void {
    this.#log?.onSuspended(gap);
    this.#tapping?.observer.onSuspended(gap);
    if (this.#listeners?.has("suspended") === true) this.#listeners.emit("suspended", { gap });
  }

  onUnmatchedPong(): void {
    this.#log?.onUnmatchedPong();
  }

  /** The verdict: the peer is told why, in case it still listens, and not waited for. */
  onDead(silence: number): void {
    this.#tapping?.observer.onDead(silence);
    this.#giveUp({ code: 1011, reason: "keepalive ping timeout" }, "heartbeat-timeout");
  }

  // What the ending wants to know and to do, beside `terminate`.

  onCause(cause: CloseCause, error: Error | null): void {
    this.#log?.onEnding(cause, error);
  }

  get traffic(): Traffic {
    const { bytesReceived, bytesSent } = this.#wire;
    const [messagesReceived, messagesSent] = [this.#messagesReceived, this.#messagesSent];
    return { bytesReceived, bytesSent, messagesReceived, messagesSent };
  }

  /** All that is known by now. */
  evidence(): CloseEvidence {
    return gatherEvidence({
      clock: this.runtime.clock,
      wire: this.#wire,
      pulse: this.pulse,
      unread: this.#unread,
      settings: this.settings,
      openedAt: this.openedAt,
      messagesReceived: this.#messagesReceived,
      messagesSent: this.#messagesSent,
      isReadingPaused: this.#wasPaused || this.#pausedAt !== null,
    });
  }

  /** The peer's Close, as long as it waits for an answer. */
  get #unanswered(): CloseFrame | null {
    if (this.#closeReply?.isSent === false) return this.#closeReply.close;
    return this.#tapping?.unanswered ?? null;
  }

  /** The peer ended the connection, or broke the rules: our Close does not wait behind messages. */
  #answer(close: CloseFrame, cause: CloseCause, error: Error | null): void {
    this.#ending.note(cause, error);
    if (this.#wire.closeSent === null) this.#wire.queueClose(close, true);
    this.#beginClosing();
  }

  #beginClosing(): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.pulse.beginClosing();
    this.#takeIn();
    this.#ending.begin(this.settings.closeTimeout);
  }

  /** The end is near: what was received and held back is told before it, and the peer is not held back any more. */
  #takeIn(): void {
    this.#wasPaused ||= this.#pausedAt !== null;
    this.inbox.takeIn();
    this.onInboxBelowLowWater(); // A tap has room elsewhere.
    this.#reading.resume("stream");
    this.#reading.resume("rate");
    this.inbox.drain();
  }

  /** The peer is told, in case it still listens, and not waited for. */
  #giveUp(close: CloseFrame, cause: CloseCause): void {
    if (this.#wire.closeSent === null) this.#wire.queueClose(close, true);
    this.#wire.flush();
    this.#ending.note(cause, null); // Behind the Close: one that answers the peer's leaves it the peer's doing.
    this.#abandon();
  }

  /** What was received is still told. */
  #destroy(): void {
    this.#settle();
    this.#wire.destroy();
  }

  /** We give the connection up: no message is told any more. */
  #abandon(): void {
    this.#takeIn();
    this.#settle();
    this.#wire.abandon();
  }

  /** From here on nothing changes how the connection ended. */
  #settle(): void {
    if (this.#ending.isSettled) return;
    if (this.#wire.outcome !== null) this.#ending.settle();
    this.#tapping?.settle();
    this.#closeReply?.cancel();
    this.#unreadWatch?.stop();
    this.#state = "closing";
    this.pulse.beginClosing();
  }

  /** Where messages wait to be read. */
  get #unread(): Unread {
    return this.#tapping?.observer.unread ?? this.inbox;
  }

  get #reading(): ReadPause {
    return (this.#lazyReading ??= new ReadPause(this.#wire, this.pulse));
  }

  get #ending(): Ending {
    return (this.#lazyEnding ??= new Ending(this.runtime, this.#wire, this));
  }
}
