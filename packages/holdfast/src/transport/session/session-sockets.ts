// The part of a server's session that knows its sockets: the current one, and the numbers of the newest one.

import type { LossCounts, LossReport, Resumption } from "../../session/send-ledger.js";
import type { ServerSession } from "../../session/server-session.js";
import { writeSessionMessage } from "../../session/wire.js";
import { ignore } from "../../shared/deferred.js";
import type { CloseFrame } from "../../shared/close-code.js";
import type { Role } from "../../shared/role.js";
import type { Connection } from "../../connection/connection.js";
import { coreOf } from "../../connection/core-of.js";
import type { CloseInfo } from "../../connection/close-info.js";
import type { ConnectionCore } from "../../connection/connection-core.js";
import type { Listeners } from "../../connection/listeners.js";
import type { Address } from "../../connection/ports.js";
import type {
  Fragment,
  LinkWords,
  MessageTransportHandler,
  TransportSession,
} from "../../connection/message-transport.js";
import type { MessageLog } from "./message-log.js";
import { cutOff, explainAbort, notDelivered } from "./receipts.js";
import { ResumptionReport } from "./resumption-report.js";
import type { ServerSessionTransportOptions, SessionBeginning } from "./server-session-options.js";
import type { LinkOwner, SessionLink } from "./session-link.js";
import { SOCKET_OBSERVER } from "./socket-observer.js";
import { SessionSender } from "./session-sender.js";
import type { SenderHandler } from "./session-pump.js";
import { SessionState } from "./session-extras.js";
import { SessionWords } from "./session-words.js";

export abstract class SessionSockets extends SessionState implements SenderHandler, LinkOwner {
  /** The pure state machine. */
  readonly machine: ServerSession;
  protected readonly options: ServerSessionTransportOptions;
  /** The core of the session's connection, which this was made for. */
  protected readonly handler: ConnectionCore;
  /** The newest link, attached or not. */
  #link: SessionLink;
  #sender: SessionSender | null = null;

  protected constructor(
    options: ServerSessionTransportOptions,
    { session, first }: SessionBeginning,
    handler: MessageTransportHandler,
  ) {
    super();
    this.options = options;
    this.handler = handler as ConnectionCore; // No decorator lies over a session.
    this.machine = session;
    this.#link = coreOf(first).transport as SessionLink; // The socket of a session has no other transport.
  }

  /** The core of the session's connection; null after its end. */
  get application(): ConnectionCore | null {
    return this.extras.isOver ? null : this.handler;
  }

  /** The session's connection. */
  get connection(): Connection {
    return this.handler.facade;
  }

  /** Made when something is to be sent or acknowledged, and dropped when nothing is in flight. */
  protected get sender(): SessionSender {
    if (this.#sender !== null) return this.#sender;
    const { runtime } = this.options;
    const sender = new SessionSender(runtime, this.machine.ledger, this.options, this);
    this.#sender = sender;
    if (this.current !== null) sender.attach(this.current, null);
    return sender;
  }

  /** The sender, if there is something for it to do; otherwise null. */
  protected get busySender(): SessionSender | null {
    return this.#sender;
  }

  /** Null unless messages are logged. */
  get log(): MessageLog | null {
    return this.options.log;
  }

  get isParked(): boolean {
    return this.#sender?.isParked === true;
  }

  onAcknowledged(): void {
    this.rest();
  }

  /** Drops what an idle session does not need. */
  protected rest(): void {
    const isAtRest = this.#sender === null || this.#sender.isAtRest;
    if (isAtRest && this.machine.rest()) this.#sender = null;
  }

  get id(): string {
    return this.machine.id;
  }

  get isAttached(): boolean {
    return this.current !== null;
  }

  /** The connection of the current socket; null while there is none. */
  get socket(): Connection | null {
    return this.current === null ? null : this.current.core.facade;
  }

  /** The link of the current socket; null while there is none. */
  protected get current(): SessionLink | null {
    return this.#link.owner === this ? this.#link : null;
  }

  get newest(): ConnectionCore {
    return this.#link.core;
  }

  /** When the session lost its newest socket; monotonic. */
  get detachedAt(): number {
    return this.extras.detachedAt;
  }

  /** Another process has saved the session at this time, in monotonic milliseconds of this one. */
  set detachedAt(time: number) {
    this.ownExtras.detachedAt = time;
  }

  get listeners(): Listeners | null {
    return this.application === null ? null : this.application.registeredListeners;
  }

  get shownSession(): TransportSession {
    const { id, isAttached, handler } = this;
    const position = handler.session?.position ?? 0;
    return { id, isAttached, positionBefore: () => position };
  }

  // MessageTransport: facts and numbers of the newest socket, but the bytes of all.

  get role(): Role {
    return this.newest.transport.role;
  }

  get canPing(): boolean {
    return this.newest.transport.canPing;
  }

  get remoteAddress(): Address | null {
    return this.newest.transport.remoteAddress;
  }

  get localAddress(): Address | null {
    return this.newest.transport.localAddress;
  }

  get bytesReceived(): number {
    return this.extras.earlierBytesReceived + this.newest.traffic.bytesReceived;
  }

  get bytesSent(): number {
    return this.extras.earlierBytesSent + this.newest.traffic.bytesSent;
  }

  get lastReceivedAt(): number {
    return this.newest.lastReceivedAt;
  }

  get lastSentAt(): number | null {
    return this.newest.transport.lastSentAt;
  }

  get bufferedAmount(): number {
    const { current, machine } = this;
    const waitingBytes = this.#sender === null ? 0 : this.#sender.waitingBytes;
    if (current !== null && machine.isCaughtUp) return current.core.bufferedAmount + waitingBytes;
    return machine.unconfirmedBytes + waitingBytes;
  }

  get unsentBytes(): number {
    return this.bufferedAmount;
  }

  /** The frames are those of the newest socket. */
  refreshObserver(): void {
    this.newest.watchFrames(this.handler.frameObserver);
  }

  /** Made on demand: most sessions use no words. */
  get link(): LinkWords {
    return (this.ownExtras.words ??= new SessionWords(() => this.current));
  }

  sendFragment(fragment: Fragment): Promise<void> {
    if (this.isParked) return this.rejectSend();
    return this.sender.sendFragment(fragment);
  }

  /** A message in fragments cannot be kept, and must not wait for an absent client. */
  untilFragments(begins: boolean): Promise<void> | null {
    if (this.isParked || !this.isAttached) return Promise.reject(cutOff());
    return this.sender.untilFragments(begins);
  }

  /** A session that is parked is not lost: another process continues it. */
  protected rejectSend(): Promise<never> {
    return Promise.reject(notDelivered("unsent", this.isParked ? "lost" : "session-lost"));
  }

  /** With the messages that wait. */
  protected countsOf(report: LossReport): LossCounts {
    return this.busySender?.countsOf(report) ?? report;
  }

  explainAbort(sent: Promise<void>, signal: AbortSignal): Promise<void> {
    return explainAbort(sent, signal);
  }

  takeConfirmation(closedError: Error | null): Promise<void> | null {
    return this.sender.takeConfirmation(closedError);
  }

  /** No decorator lies over a session. */
  sendAhead(): () => void {
    return ignore; // There is nothing to withdraw.
  }

  fail(closedError: () => Error): void {
    for (const each of this.#sender?.takeWaiting() ?? []) each.reject(closedError());
  }

  flush(): void {
    this.current?.core.flush();
  }

  pause(): boolean {
    this.current?.core.pauseReading();
    return true;
  }

  resume(): void {
    this.current?.core.resumeReading();
  }

  queuePing(): void {
    // SocketKeepalive pings on the socket.
  }

  abandonPing(): void {
    // As above.
  }

  queuePong(payload: Uint8Array): void {
    this.current?.core.sendPong(payload);
  }

  /** Continues on this socket: its first one if `resumption` is null. */
  protected use(link: SessionLink, resumption: Resumption | null): void {
    const sender = resumption === null ? null : this.sender;
    const { core } = link;
    if (link !== this.#link) {
      const { bytesReceived, bytesSent } = this;
      Object.assign(this.ownExtras, { earlierBytesReceived: bytesReceived, earlierBytesSent: bytesSent });
    }
    this.#link = link;
    link.owner = this;
    core.attachObserver(SOCKET_OBSERVER);
    const { frameObserver, pauseReasons } = this.handler;
    if (frameObserver !== null) core.watchFrames(frameObserver);
    if (pauseReasons.length > 0) core.pauseReading();
    if (resumption !== null) this.announce(link, resumption.replayed);
    this.options.log?.onConfirmed(this.machine.ledger.outgoing.confirmed);
    this.extras.words?.attach(link.link);
    sender?.attach(link, resumption);
    this.rest();
    this.options.keeper.onSocket(core.facade, true);
  }

  /** Continues without this socket, which is still open. */
  protected leaveOpen(link: SessionLink): void {
    this.leave(link);
    this.options.keeper.onSocket(link.core.facade, false);
  }

  abstract onLinkResuming(): void;
  abstract onLinkFailed(error: Error): void;
  abstract onLinkClosing(close: CloseFrame): void;
  abstract onLinkClosed(close: CloseFrame): void;
  abstract onLinkEnded(info: CloseInfo): void;

  /** Messages that still arrive on the socket do not count, and nothing is sent on it. */
  protected leave(link: SessionLink): void {
    link.owner = null;
    link.bind(null);
    const extras = this.ownExtras;
    extras.detachedAt = this.options.runtime.clock.now();
    extras.lastInfo = null;
    this.#sender?.detach();
    this.handler.cutFragments(cutOff);
  }

  protected announce(link: SessionLink, replayedOut: number): void {
    const { runtime, ackDelay } = this.options;
    const extras = this.ownExtras;
    const gap = runtime.clock.now() - extras.detachedAt;
    link.sendWord(writeSessionMessage({ type: "replay", count: replayedOut }));
    extras.lastInfo = null;
    extras.resumption = new ResumptionReport(runtime.clock, ackDelay, (replayedIn) => {
      runtime.monitor?.onSessionResumed(this.id, "server", { gap, replayedIn, replayedOut });
      this.listeners?.emit("resumed", { gap, duration: gap, replayedIn, replayedOut });
    });
  }
}
