// The transport of a server's session: the application's connection stays on it while the sockets below are replaced.
// Each socket has a connection of its own, which keeps it alive and explains its end; the session's data goes past it,
// from the socket's SessionLink to here.

/* eslint max-lines: ["warn", { "max": 540, "skipBlankLines": true, "skipComments": true }] -- One implementation of the port MessageTransport, most of it short methods. */

import type { PieceHandler } from "../../protocol/message/piece-decoder.js";
import type { SessionLoss } from "../../shared/session-errors.js";
import type { CloseFrame } from "../../shared/close-code.js";
import { ignore } from "../../shared/deferred.js";
import { decodeText, TextBytes } from "../../shared/text-bytes.js";
import type { LossReport, Resumption } from "../../session/send-ledger.js";
import type { Attachment, ServerSession } from "../../session/server-session.js";
import type { InboxEntry, SessionRecord } from "../../session/store/session-record.js";
import { writeSessionMessage, type SessionMessage } from "../../session/wire.js";
import { sessionLostError } from "../../session/explain-loss.js";
import { coreOf, type Connection } from "../../connection/connection.js";
import { attachObserver } from "../../connection/observer-binding.js";
import { closeInfo, type CloseInfo } from "../../connection/close-info.js";
import type { ConnectionCore } from "../../connection/connection-core.js";
import type { ObservedConnection } from "../../connection/connection-observer.js";
import type { Inbox, Message } from "../../connection/inbox.js";
import type { Listeners } from "../../connection/listeners.js";
import { NotSentError } from "../../connection/not-sent-error.js";
import type { Address } from "../../connection/ports.js";
import type { Runtime } from "../../connection/runtime.js";
import type {
  Fragment,
  LinkWords,
  MessageTransport,
  MessageTransportHandler,
  SendSettings,
  SharedMessage,
  TransportSession,
} from "../../connection/message-transport.js";
import { LinkObserver, type LinkObserverHandler } from "./link-observer.js";
import { endsSession, hasEndedSession, hasEndingCode } from "./session-end.js";
import { ResumptionReport } from "./resumption-report.js";
import { ResumedPieces } from "./resumed-pieces.js";
import type { SessionLink, SessionLinkHandler } from "./session-link.js";
import { SessionWords } from "./session-words.js";
import type { MessageLog } from "./message-log.js";
import { SessionSender, type SenderSettings } from "./session-sender.js";

/** Keeps the sessions of a server. */
export interface SessionKeeper {
  /** The server closes: its clients may continue their sessions elsewhere. */
  readonly isClosing: boolean;
  /** The listeners of the session's connection; null if it has none yet. */
  listenersOf(transport: ServerSessionTransport): Listeners | null;
  /** The inbox of the session's connection; null before the connection is complete. */
  inboxOf(transport: ServerSessionTransport): Inbox | null;
  /** The session has lost its socket. */
  onDetached(transport: ServerSessionTransport): void;
  /** The session has ended. */
  onEnded(transport: ServerSessionTransport, loss: SessionLoss | null): void;
  /** A message was kept. */
  onKept(): void;
}

/** Shared by all sessions without a log. */
export interface ServerSessionTransportOptions extends SenderSettings {
  readonly runtime: Runtime;
  readonly keeper: SessionKeeper;
  /** When a message of the client is confirmed: once it is in the inbox, or once the application has finished with it. */
  readonly acknowledge: "handled" | "received";
  /** Logs each message before it is sent or confirmed; null for none. */
  readonly log: MessageLog | null;
}

/** A session and what it begins with. */
export interface SessionBeginning {
  readonly session: ServerSession;
  /** The connection of the first socket. */
  readonly first: Connection;
  /** Received messages that the application had not been handed when the session was saved. */
  readonly unread: readonly Message[];
}

/** The current socket. */
interface AttachedLink {
  readonly connection: Connection;
  readonly core: ConnectionCore;
  readonly link: SessionLink;
  readonly observed: ObservedConnection;
  readonly attachment: Attachment;
}

export class ServerSessionTransport
  implements MessageTransport, SessionLinkHandler, LinkObserverHandler, TransportSession
{
  readonly role = "server";
  readonly canPing = true;
  readonly isReportedBelow = true;
  closeSent: CloseFrame | null = null;
  closeReceived: CloseFrame | null = null;
  receivedFirst = false;
  outcome: CloseInfo | null = null;
  readonly #options: ServerSessionTransportOptions;
  readonly #handler: MessageTransportHandler;
  readonly #session: ServerSession;
  readonly #sender: SessionSender;
  #current: AttachedLink | null = null;
  /** The core of the newest socket, attached or not. */
  #newest: ConnectionCore;
  #detachedAt = 0;
  /** How the newest socket ended; null while it is open. */
  #lastInfo: CloseInfo | null = null;
  #isPaused = false;
  #words: SessionWords | null = null;
  /** The client has ended the session deliberately, or our application has. */
  #isEnding = false;
  #isOver = false;
  /** The server closes: nothing is handed to the application any more. */
  #isFrozen = false;
  #isParked = false;
  /** Called once the application has finished with what it was handed. */
  #onFinished: (() => void) | null = null;
  /** Whether confirming messages depends on what the application does with them, or on the log. */
  readonly #tracksProgress: boolean;
  /** The position up to which the application has taken messages, or finished with them. */
  #handled = 0;
  /** Payload that arrived and was not reported to the ledger as settled. */
  #unsettled = 0;
  /** Messages that the application was not handed when the server closed. */
  #left = NO_MESSAGES;
  /** Messages that the application had not been handed when the session was saved, until they are. */
  #unhanded: readonly Message[];
  #streamTarget: ResumedPieces | null = null;
  /** The newest resumption; null for none. */
  #resumption: ResumptionReport | null = null;

  constructor(
    options: ServerSessionTransportOptions,
    { session, first, unread }: SessionBeginning,
    handler: MessageTransportHandler,
  ) {
    this.#options = options;
    this.#handler = handler;
    this.#session = session;
    this.#newest = coreOf(first);
    this.#unhanded = unread;
    this.#tracksProgress = options.acknowledge === "handled" || options.log !== null;
    const { outgoing } = session.ledger;
    if (options.log !== null) outgoing.release(outgoing.sent);
    this.#sender = new SessionSender(options.runtime, session.ledger, options);
  }

  // The session, as the port and its keeper see it.

  get session(): this {
    return this;
  }

  get id(): string {
    return this.#session.identity.id;
  }

  get isAttached(): boolean {
    return this.#current !== null;
  }

  positionBefore(count: number): number {
    return this.#session.ledger.incoming.positionBefore(count);
  }

  /** The pure state machine. */
  get machine(): ServerSession {
    return this.#session;
  }

  /** The core of the newest socket: latency, addresses and pings are its. */
  get newest(): ConnectionCore {
    return this.#newest;
  }

  /** Another process has saved the session at this time, in monotonic milliseconds of this one. */
  set detachedAt(time: number) {
    this.#detachedAt = time;
  }

  /** Continues on this socket: its first one if `resumption` is null. */
  attach(
    connection: Connection,
    link: SessionLink,
    attachment: Attachment,
    resumption: Resumption | null,
  ): void {
    const core = coreOf(connection);
    const { runtime, ackDelay } = this.#options;
    const gap = resumption === null ? 0 : runtime.clock.now() - this.#detachedAt;
    const observer = new LinkObserver(this, connection);
    this.#newest = core;
    this.#lastInfo = null;
    this.#current = { connection, core, link, observed: attachObserver(core, observer), attachment };
    observer.observed = this.#current.observed;
    const { frameObserver } = this.#handler;
    if (frameObserver !== null) core.watchFrames(frameObserver);
    link.bind(this);
    if (this.#isPaused) this.#current.observed.pauseReading();
    if (this.#streamTarget !== null) link.streamTo(this.#streamTarget.restarted());
    if (resumption !== null) {
      link.sendWord(writeSessionMessage({ type: "replay", count: resumption.replayed }));
      const replayedOut = resumption.replayed;
      this.#resumption = new ResumptionReport(runtime.clock, ackDelay, (replayedIn) => {
        runtime.monitor?.onSessionResumed(this.id, "server", { gap, replayedIn, replayedOut });
        this.#listeners?.emit("resumed", { gap, duration: gap, replayedIn, replayedOut });
      });
    }
    this.#options.log?.onConfirmed(this.#session.ledger.outgoing.confirmed);
    this.#words?.attach(link.link);
    this.#sender.attach(link, resumption);
  }

  /** The connection of the current socket; null while there is none. */
  get socket(): Connection | null {
    return this.#current?.connection ?? null;
  }

  /**
   * Another socket resumes the session: what this one sends does not count any more.
   *
   * @param atOnce does not wait until the peer has answered the Close
   */
  fence(atOnce = false): void {
    const current = this.#current;
    if (current === null) return;
    this.#forget(current);
    this.#detachedAt = this.#options.runtime.clock.now();
    current.link.sendWordAhead(MOVED);
    const close = { code: 1008, reason: "moved" };
    if (atOnce) current.core.goAway(close);
    else current.core.closeWithCause("local-close", close, null, true);
  }

  /**
   * The server closes: nothing that arrives counts from now on, and the application gets nothing more, but what it sends
   * still counts. Resolves once it has finished with what it was handed.
   */
  freeze(): Promise<void> {
    this.#isFrozen = true;
    this.#current?.link.bind(null);
    const inbox = this.#inbox;
    this.#left = inbox?.takeAll() ?? NO_MESSAGES;
    if (inbox?.isBeingRead !== true || inbox.inProgress === 0) return Promise.resolve();
    return new Promise((resolve) => (this.#onFinished = resolve));
  }

  /** The record with which another process continues, until `deadline`. From now on nothing can be sent. */
  park(deadline: number): SessionRecord {
    if (!this.#isFrozen) void this.freeze();
    this.#isParked = true;
    for (const each of this.#sender.takeWaiting()) each.reject(new NotSentError("session-lost", "unsent"));
    return this.record(deadline);
  }

  get isParked(): boolean {
    return this.#isParked;
  }

  /**
   * The record for a store. With `"handled"`, only what the application has finished with counts as received: the client sends
   * the rest again. `deadline` is that of an attached session.
   */
  record(deadline: number): SessionRecord {
    const { incoming } = this.#session.ledger;
    if (this.#options.acknowledge === "handled") {
      const received = Math.max(this.#handled, incoming.confirmable);
      return this.#session.save([], { received, confirmed: received }, deadline);
    }
    return this.#session.save(this.#unread(), incoming.save(), deadline);
  }

  #unread(): InboxEntry[] {
    const unread = this.#isFrozen ? this.#left : (this.#inbox?.peek() ?? []);
    const { incoming } = this.#session.ledger;
    return unread.map((message, index) => ({
      position: incoming.positionBefore(unread.length - index) + 1,
      message,
    }));
  }

  get #inbox(): Inbox | null {
    return this.#options.keeper.inboxOf(this);
  }

  /** The log has stored our messages up to `sent`, and the client's up to `settled`. */
  onLogged(sent: number, settled: number): void {
    if (this.#isOver) return;
    this.#settle(settled);
    this.#sender.release(sent);
  }

  /** The session is lost: the application's connection ends with `SessionLostError`. */
  lose(reason: SessionLoss, report = this.#session.lose(reason)): void {
    if (this.#isOver) return;
    const { unsent, unknown } = report;
    const error = sessionLostError(reason, report);
    const current = this.#current;
    if (current !== null) {
      this.#forget(current);
      current.core.closeWithCause("local-close", { code: 1012, reason: "session lost" });
    }
    this.#listeners?.emit("lost", { reason, unsent, unknown });
    const { cause, received, sent, receivedFirst, evidence } = this.#lastInfo ?? this.#newest.closeInfo;
    this.outcome = closeInfo({ cause, error, received, sent, receivedFirst, evidence });
    this.#finish(report, reason);
  }

  // MessageTransport: numbers of the newest socket.

  get remoteAddress(): Address | null {
    return this.#newest.remoteAddress;
  }

  get localAddress(): Address | null {
    return this.#newest.localAddress;
  }

  get bufferedAmount(): number {
    const current = this.#current;
    const { waitingBytes } = this.#sender;
    const { outgoing } = this.#session.ledger;
    if (current !== null && outgoing.isCaughtUp) return current.core.bufferedAmount + waitingBytes;
    return outgoing.unconfirmedBytes + waitingBytes;
  }

  get unsentBytes(): number {
    return this.bufferedAmount;
  }

  get bytesReceived(): number {
    return this.#newest.traffic.bytesReceived;
  }

  get bytesSent(): number {
    return this.#newest.traffic.bytesSent;
  }

  get lastReceivedAt(): number {
    return this.#newest.lastReceivedAt;
  }

  get lastSentAt(): number | null {
    return this.#newest.lastSentAt;
  }

  /** The frames are those of the newest socket. */
  refreshObserver(): void {
    this.#newest.watchFrames(this.#handler.frameObserver);
  }

  start(): void {
    // A process that logs has logged them already; they count as handed over once the application takes them.
    const { acknowledge, log } = this.#options;
    if (log !== null && acknowledge === "received") this.#settle(this.#session.ledger.incoming.received);
    const unread = this.#unhanded;
    this.#unhanded = NO_MESSAGES;
    for (const message of unread) this.#handler.onMessage(message);
  }

  sendText(text: string | TextBytes, settings: SendSettings): Promise<void> {
    if (this.#overflows()) return Promise.reject(new NotSentError("session-lost", "unsent"));
    const sent = this.#sender.sendText(text, settings);
    this.#current?.core.noteTraffic();
    this.#options.keeper.onKept();
    return sent;
  }

  sendBinary(payload: Uint8Array, settings: SendSettings): Promise<void> {
    if (this.#overflows()) return Promise.reject(new NotSentError("session-lost", "unsent"));
    const sent = this.#sender.sendBinary(payload, settings);
    this.#current?.core.noteTraffic();
    this.#options.keeper.onKept();
    return sent;
  }

  /** Made on demand: most sessions use no words. */
  get link(): LinkWords {
    return (this.#words ??= new SessionWords(() => this.#current?.link ?? null));
  }

  sendShared(message: SharedMessage): boolean {
    if (message.isWord === true) {
      this.#current?.link.sendShared(message); // Without a socket, the client asks again on the next one.
      return true;
    }
    if (this.#overflows()) return true; // The session is lost, and with it this message.
    this.#sender.sendShared(message);
    this.#current?.core.noteTraffic();
    this.#options.keeper.onKept();
    return true;
  }

  sendFragment(fragment: Fragment): Promise<void> {
    if (this.#isParked) return Promise.reject(new NotSentError("session-lost", "unsent"));
    return this.#sender.sendFragment(fragment);
  }

  get streamConfirmation(): Promise<void> | null {
    return this.#sender.streamConfirmation;
  }

  /** No decorator lies over a session. */
  sendAhead(): () => void {
    return ignore; // There is nothing to withdraw.
  }

  queuePing(): void {
    // SessionKeepalive pings on the socket.
  }

  abandonPing(): void {
    // As above.
  }

  queuePong(payload: Uint8Array): void {
    this.#current?.core.sendPong(payload);
  }

  queueClose(close: CloseFrame, isUrgent: boolean): void {
    if (this.closeSent !== null) return;
    this.#isEnding = true;
    const current = this.#current;
    if (current === null) {
      this.#options.runtime.clock.afterPoll(() => this.#finish(this.#session.end(), null));
      return;
    }
    this.closeSent = close;
    // Messages that are parked need not be sent: another process sends them.
    if (isUrgent || this.#isParked || !this.#sender.isBusy) this.#close(current, close, isUrgent);
    else this.#sender.whenIdle(() => this.#close(current, close, false));
  }

  flush(): void {
    this.#current?.core.flush();
  }

  pause(): boolean {
    this.#isPaused = true;
    this.#current?.observed.pauseReading();
    return true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#current?.observed.resumeReading();
  }

  streamTo(handler: PieceHandler | null): void {
    this.#streamTarget =
      handler === null ? null : new ResumedPieces(handler, () => (this.#streamTarget = null));
    this.#current?.link.streamTo(this.#streamTarget);
  }

  end(): void {
    // The socket ends with its own connection.
  }

  destroy(): void {
    this.abandon();
  }

  abandon(): void {
    this.#isEnding = true;
    const current = this.#current;
    if (current === null)
      this.#options.runtime.clock.afterPoll(() => this.#finish(this.#session.end(), null));
    else {
      if (!this.#isParked && !this.#options.keeper.isClosing) current.link.endAtOnce();
      current.core.terminate("aborted");
    }
  }

  fail(closedError: () => Error): void {
    for (const each of this.#sender.takeWaiting()) each.reject(closedError());
  }

  // SessionLinkHandler: what arrives on the current socket.

  get hasBusyReader(): boolean {
    return this.#handler.hasBusyReader;
  }

  onData(message: Message): void {
    const need = this.#session.ledger.incoming.receive(message.length);
    this.#newest.onStreamedMessage();
    if (this.#streamTarget?.hasBegun === true) this.#completeStream(this.#streamTarget, message);
    else this.#handler.onMessage(message);
    if (this.#tracksProgress) this.#onArrived(message.length, message);
    else if (need !== "none") this.#sender.onAckNeed(need);
  }

  onLargeMessage(size: number): void {
    this.#handler.onLargeMessage?.(size);
  }

  onStreamed(length: number): void {
    const need = this.#session.ledger.incoming.receive(length);
    if (this.#tracksProgress) this.#onArrived(length, null);
    else this.#sender.onAckNeed(need);
  }

  /** The application has taken messages, or finished with them. */
  onProgress(): void {
    const inbox = this.#inbox;
    if (inbox === null || this.#isParked) return;
    if (inbox.inProgress === 0) this.#onFinished?.();
    if (!this.#tracksProgress) return;
    const { acknowledge, log } = this.#options;
    // Messages that were left when the server closed are not handled.
    const unread = this.#isFrozen ? this.#left.length : inbox.length;
    const current = acknowledge === "handled" ? inbox.inProgress : 0;
    const handled = this.positionBefore(unread + current);
    if (handled <= this.#handled) return;
    this.#handled = handled;
    if (log === null) this.#settle(handled);
    else log.onHandled(handled);
  }

  /** `message` is null for one that was delivered in pieces. */
  #onArrived(length: number, message: Message | null): void {
    const { acknowledge, log } = this.#options;
    this.#unsettled += length;
    if (log !== null && acknowledge === "received") {
      const { received } = this.#session.ledger.incoming;
      if (message === null) log.onSkipped(received);
      else log.onReceived(received, typeof message === "string" ? message : new Uint8Array(message));
    }
    this.onProgress();
  }

  #settle(position: number): void {
    const { incoming } = this.#session.ledger;
    if (position <= incoming.confirmable) return;
    const length = this.#unsettled;
    this.#unsettled = 0;
    this.#sender.onAckNeed(incoming.settle(position, length));
  }

  onWord(message: SessionMessage): void {
    const current = this.#current;
    if (current === null) return;
    if (message.type === "replay") {
      this.#resumption?.settle(message.count);
      return;
    }
    if (message.type === "skip") this.#breakStream();
    const action = this.#session.interpret(message, current.attachment, this.#options.runtime.clock.now());
    switch (action.type) {
      case "confirmed":
        this.#sender.onConfirmed(action.tokens);
        this.#options.log?.onConfirmed(this.#session.ledger.outgoing.confirmed);
        return;
      case "ack":
        this.#sender.onAckNeed(action.need);
        if (message.type === "skip") this.#onSkipped();
        return;
      case "violation":
        current.link.violate(action.message);
        return;
      case "ended":
        this.#isEnding = true;
        if (action.lastAck !== "") current.link.sendWordAhead(action.lastAck);
        this.#sender.end(action.report);
        return;
      case "stale":
        return;
    }
  }

  #onSkipped(): void {
    if (this.#options.acknowledge === "received")
      this.#options.log?.onSkipped(this.#session.ledger.incoming.received);
    this.onProgress();
  }

  onPingQueued(): void {
    this.#sender.acknowledge();
    this.#session.ledger.outgoing.trim();
  }

  // LinkObserverHandler: the connection of a socket.

  isCurrent(connection: Connection): boolean {
    return this.#current?.connection === connection;
  }

  get listeners(): Listeners | null {
    return this.#listeners;
  }

  /** A Close that ends the session waits for the application's readers; any other is answered at once. */
  onLinkClosing(close: CloseFrame): void {
    const current = this.#current;
    if (current === null) return;
    if (!this.#isEnding && !hasEndingCode(close)) {
      current.observed.answerClose();
      return;
    }
    this.#isEnding = true;
    this.closeReceived = close;
    this.receivedFirst = this.closeSent === null;
    this.#handler.onClose(close);
  }

  onLinkClosed(close: CloseFrame): void {
    if (this.closeSent === null || this.closeReceived !== null) return;
    this.closeReceived = close;
    this.#handler.onClose(close);
  }

  onLinkEnded(connection: Connection, info: CloseInfo): void {
    const current = this.#current;
    if (current?.connection !== connection) return;
    this.#resumption?.settle(0);
    this.#lastInfo = info;
    this.#forget(current);
    if (this.#isEnding || hasEndedSession(info)) {
      if (this.closeSent === null) this.outcome = info;
      this.#finish(this.#session.end(), null);
      return;
    }
    const { clock, monitor } = this.#options.runtime;
    this.#detachedAt = clock.now();
    this.#session.detach(current.attachment, clock.wallNow());
    monitor?.onSessionDetached(this.id, "server", info);
    this.#options.keeper.onDetached(this);
    this.#listeners?.emit("detached", { info });
  }

  get #listeners(): Listeners | null {
    return this.#options.keeper.listenersOf(this);
  }

  /**
   * Whether nothing can be sent any more. If more is sent without a socket than the window holds, the session is lost: an
   * absent peer must not block, nor fill the memory.
   */
  #overflows(): boolean {
    if (this.#isOver || this.#isParked) return true;
    if (this.#current !== null) return false;
    if (!this.#sender.isWaiting && this.#session.ledger.outgoing.hasRoom) return false;
    this.lose("overflow");
    return true;
  }

  /** The message that was cut amid its pieces was sent again as a whole. */
  #completeStream(target: ResumedPieces, message: Message): void {
    this.#current?.link.streamTo(null);
    if (typeof message === "string") target.onPiece(message);
    else target.onPiece(message instanceof TextBytes ? decodeText(message) : new Uint8Array(message));
    target.onLastPiece();
  }

  /** The message that was cut amid its pieces will not be sent again. */
  #breakStream(): void {
    const target = this.#streamTarget;
    if (target?.hasBegun !== true) return;
    this.#streamTarget = null;
    this.#current?.link.streamTo(null);
    target.onBroken();
  }

  #close({ core, link, observed }: AttachedLink, close: CloseFrame, isUrgent: boolean): void {
    if (this.closeReceived !== null && this.receivedFirst) {
      observed.answerClose();
      return;
    }
    // Every Close of the application ends the session. At the shutdown of the server, the code decides.
    const ends = !this.#options.keeper.isClosing || endsSession(close.code);
    if (!isUrgent && !this.#isParked && ends) {
      // The application is done: what it took counts as handled, and the client learns so before the end.
      if (this.#tracksProgress) this.#settle(this.positionBefore(this.#inbox?.length ?? 0));
      this.#sender.acknowledge();
      link.sendWord(END);
    }
    core.closeWithCause("local-close", close, null, isUrgent);
  }

  /** Messages that still arrive on the socket do not count, and nothing is sent on it. */
  #forget({ link }: AttachedLink): void {
    link.bind(null);
    this.#current = null;
    this.#sender.detach();
    this.#streamTarget?.interrupt();
  }

  #finish(report: LossReport, loss: SessionLoss | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { unsent, unknown } = report;
    this.#options.runtime.monitor?.onSessionClosed(this.id, "server", { reason: loss, unsent, unknown });
    this.#sender.end(report);
    this.#onFinished?.();
    this.#options.keeper.onEnded(this, loss);
    this.#handler.onClosed();
  }
}

export const NO_MESSAGES: readonly Message[] = [];

const MOVED = writeSessionMessage({ type: "moved" });
const END = writeSessionMessage({ type: "end" });
