// The part of a server's session that knows its sockets: the current one, and the numbers of the newest one.

import type { Resumption } from "../../session/send-ledger.js";
import type { ServerSession } from "../../session/server-session.js";
import { writeSessionMessage } from "../../session/wire.js";
import { ignore } from "../../shared/deferred.js";
import type { Role } from "../../shared/role.js";
import { coreOf, type Connection } from "../../connection/connection.js";
import type { CloseInfo } from "../../connection/close-info.js";
import type { ConnectionCore } from "../../connection/connection-core.js";
import type { Listeners } from "../../connection/listeners.js";
import type { Address } from "../../connection/ports.js";
import type { Fragment, LinkWords, MessageTransportHandler } from "../../connection/message-transport.js";
import type { MessageLog } from "./message-log.js";
import { notDelivered } from "./receipts.js";
import { ResumptionReport } from "./resumption-report.js";
import type { ServerSessionTransportOptions, SessionBeginning } from "./server-session-options.js";
import type { SessionLink } from "./session-link.js";
import { SessionSender } from "./session-sender.js";
import type { SenderHandler } from "./session-pump.js";
import { EndingSession } from "./session-ending.js";
import type { AttachedSocket } from "./attached-socket.js";
import { SessionWords } from "./session-words.js";

/** The time without a socket, and what follows from it. Kept until the next one. */
interface Gap {
  /** Monotonic. */
  readonly since: number;
  /** How the socket before ended; null while it has not, and after the resumption. */
  info: CloseInfo | null;
  /** The resumption that ends it; null before. */
  report: ResumptionReport | null;
}

export abstract class SessionSockets extends EndingSession implements SenderHandler {
  /** The pure state machine. */
  readonly machine: ServerSession;
  protected readonly options: ServerSessionTransportOptions;
  /** The core of the session's connection, which this was made for. */
  protected readonly handler: ConnectionCore;
  protected current: AttachedSocket | null = null;
  #newest: ConnectionCore;
  // Made on demand: an idle session that has had one socket needs none of them.
  #sender: SessionSender | null = null;
  #gap: Gap | null = null;
  #words: SessionWords | null = null;

  protected constructor(
    options: ServerSessionTransportOptions,
    { session, first }: SessionBeginning,
    handler: MessageTransportHandler,
  ) {
    super();
    this.options = options;
    this.handler = handler as ConnectionCore; // No decorator lies over a session.
    this.machine = session;
    this.#newest = coreOf(first);
  }

  /** The core of the session's connection; null after its end. */
  get application(): ConnectionCore | null {
    return this.isOver ? null : this.handler;
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
    if (this.current !== null) sender.attach(this.current.link, null);
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

  isCurrent(socket: AttachedSocket): boolean {
    return this.current === socket;
  }

  /** The core of the newest socket, attached or not: latency, addresses and pings are its. */
  get newest(): ConnectionCore {
    return this.#newest;
  }

  /** Another process has saved the session at this time, in monotonic milliseconds of this one. */
  set detachedAt(since: number) {
    this.#gap = { since, info: null, report: null };
  }

  get listeners(): Listeners | null {
    return this.application === null ? null : this.application.registeredListeners;
  }

  // MessageTransport: facts and numbers of the newest socket.

  get role(): Role {
    return this.#newest.transport.role;
  }

  get canPing(): boolean {
    return this.#newest.transport.canPing;
  }

  get remoteAddress(): Address | null {
    return this.#newest.transport.remoteAddress;
  }

  get localAddress(): Address | null {
    return this.#newest.transport.localAddress;
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
    return this.#newest.transport.lastSentAt;
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
    this.#newest.watchFrames(this.handler.frameObserver);
  }

  /** Made on demand: most sessions use no words. */
  get link(): LinkWords {
    return (this.#words ??= new SessionWords(() => this.current?.link ?? null));
  }

  sendFragment(fragment: Fragment): Promise<void> {
    if (this.isParked) return Promise.reject(notDelivered("unsent"));
    return this.sender.sendFragment(fragment);
  }

  get streamConfirmation(): Promise<void> | null {
    return this.#sender === null ? null : this.#sender.streamConfirmation;
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

  /** How the newest socket ended; null while it is open. */
  protected get lastInfo(): CloseInfo | null {
    return this.#gap === null ? null : this.#gap.info;
  }

  protected onSocketEnded(info: CloseInfo): void {
    if (this.#gap !== null) this.#gap.info = info;
  }

  /** The newest resumption; null for none. */
  protected get resumption(): ResumptionReport | null {
    return this.#gap === null ? null : this.#gap.report;
  }

  /** Continues on this socket: its first one if `resumption` is null. */
  protected use(socket: AttachedSocket, resumption: Resumption | null): void {
    const { core, link } = socket;
    const sender = resumption === null ? null : this.sender;
    this.#newest = core;
    this.current = socket;
    const { frameObserver, pauseReasons } = this.handler;
    if (frameObserver !== null) core.watchFrames(frameObserver);
    if (pauseReasons.length > 0) core.pauseReading();
    if (resumption !== null) this.#announce(link, resumption.replayed);
    this.options.log?.onConfirmed(this.machine.ledger.outgoing.confirmed);
    this.#words?.attach(link.link);
    sender?.attach(link, resumption);
    this.rest();
  }

  /** Messages that still arrive on the socket do not count, and nothing is sent on it. */
  protected leave({ link }: AttachedSocket): void {
    link.bind(null);
    this.current = null;
    this.#gap = { since: this.options.runtime.clock.now(), info: null, report: null };
    this.#sender?.detach();
  }

  #announce(link: SessionLink, replayedOut: number): void {
    const { runtime, ackDelay } = this.options;
    const gap = (this.#gap ??= { since: 0, info: null, report: null });
    const duration = runtime.clock.now() - gap.since;
    link.sendWord(writeSessionMessage({ type: "replay", count: replayedOut }));
    gap.info = null;
    gap.report = new ResumptionReport(runtime.clock, ackDelay, (replayedIn) => {
      runtime.monitor?.onSessionResumed(this.id, "server", { gap: duration, replayedIn, replayedOut });
      this.listeners?.emit("resumed", { gap: duration, duration, replayedIn, replayedOut });
    });
  }
}
