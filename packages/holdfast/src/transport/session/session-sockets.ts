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
import { notDelivered } from "./receipts.js";
import { ResumptionReport } from "./resumption-report.js";
import type { ServerSessionTransportOptions, SessionBeginning } from "./server-session-options.js";
import type { SessionLink } from "./session-link.js";
import { SessionSender } from "./session-sender.js";
import type { AttachedSocket } from "./attached-socket.js";
import { SessionWords } from "./session-words.js";

export abstract class SessionSockets {
  /** The pure state machine. */
  readonly machine: ServerSession;
  protected readonly options: ServerSessionTransportOptions;
  protected readonly handler: MessageTransportHandler;
  protected readonly sender: SessionSender;
  /** The core of the session's connection; null before it is complete, and after its end. */
  application: ConnectionCore | null = null;
  protected current: AttachedSocket | null = null;
  /** How the newest socket ended; null while it is open. */
  protected lastInfo: CloseInfo | null = null;
  /** The newest resumption; null for none. */
  protected resumption: ResumptionReport | null = null;
  #newest: ConnectionCore;
  #detachedAt = 0;
  #isPaused = false;
  #words: SessionWords | null = null;

  protected constructor(
    options: ServerSessionTransportOptions,
    { session, first }: SessionBeginning,
    handler: MessageTransportHandler,
  ) {
    this.options = options;
    this.handler = handler;
    this.machine = session;
    this.#newest = coreOf(first);
    this.sender = new SessionSender(options.runtime, session.ledger, options);
  }

  get id(): string {
    return this.machine.identity.id;
  }

  get isAttached(): boolean {
    return this.current !== null;
  }

  /** The connection of the current socket; null while there is none. */
  get socket(): Connection | null {
    return this.current === null ? null : this.current.connection;
  }

  isCurrent(socket: AttachedSocket): boolean {
    return this.current === socket;
  }

  /** The core of the newest socket, attached or not: latency, addresses and pings are its. */
  get newest(): ConnectionCore {
    return this.#newest;
  }

  /** Another process has saved the session at this time, in monotonic milliseconds of this one. */
  set detachedAt(time: number) {
    this.#detachedAt = time;
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
    const { current } = this;
    const { waitingBytes } = this.sender;
    const { outgoing } = this.machine.ledger;
    if (current !== null && outgoing.isCaughtUp) return current.core.bufferedAmount + waitingBytes;
    return outgoing.unconfirmedBytes + waitingBytes;
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
    if (this.sender.isParked) return Promise.reject(notDelivered("unsent"));
    return this.sender.sendFragment(fragment);
  }

  get streamConfirmation(): Promise<void> | null {
    return this.sender.streamConfirmation;
  }

  /** No decorator lies over a session. */
  sendAhead(): () => void {
    return ignore; // There is nothing to withdraw.
  }

  fail(closedError: () => Error): void {
    for (const each of this.sender.takeWaiting()) each.reject(closedError());
  }

  flush(): void {
    this.current?.core.flush();
  }

  pause(): boolean {
    this.#isPaused = true;
    this.current?.core.pauseReading();
    return true;
  }

  resume(): void {
    this.#isPaused = false;
    this.current?.core.resumeReading();
  }

  queuePing(): void {
    // SessionKeepalive pings on the socket.
  }

  abandonPing(): void {
    // As above.
  }

  queuePong(payload: Uint8Array): void {
    this.current?.core.sendPong(payload);
  }

  end(): void {
    // The socket ends with its own connection.
  }

  /** Continues on this socket: its first one if `resumption` is null. */
  protected use(socket: AttachedSocket, resumption: Resumption | null): void {
    const { core, link } = socket;
    this.#newest = core;
    this.lastInfo = null;
    this.current = socket;
    const { frameObserver } = this.handler;
    if (frameObserver !== null) core.watchFrames(frameObserver);
    if (this.#isPaused) socket.core.pauseReading();
    if (resumption !== null) this.#announce(link, resumption.replayed);
    this.options.log?.onConfirmed(this.machine.ledger.outgoing.confirmed);
    this.#words?.attach(link.link);
    this.sender.attach(link, resumption);
  }

  /** Messages that still arrive on the socket do not count, and nothing is sent on it. */
  protected leave({ link }: AttachedSocket): void {
    link.bind(null);
    this.current = null;
    this.#detachedAt = this.options.runtime.clock.now();
    this.sender.detach();
  }

  #announce(link: SessionLink, replayedOut: number): void {
    const { runtime, ackDelay } = this.options;
    const gap = runtime.clock.now() - this.#detachedAt;
    link.sendWord(writeSessionMessage({ type: "replay", count: replayedOut }));
    this.resumption = new ResumptionReport(runtime.clock, ackDelay, (replayedIn) => {
      runtime.monitor?.onSessionResumed(this.id, "server", { gap, replayedIn, replayedOut });
      this.listeners?.emit("resumed", { gap, duration: gap, replayedIn, replayedOut });
    });
  }
}
