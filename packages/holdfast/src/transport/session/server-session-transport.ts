// The transport of a server's session: the application's connection stays on it while the sockets below are replaced.
// Each socket has a connection of its own, which keeps it alive and explains its end; the session's data goes past it,
// from the socket's SessionLink to here.

/* eslint max-lines: ["warn", { "max": 275, "skipBlankLines": true, "skipComments": true }] -- The ends of a session depend on those of its sockets. */

import type { SessionLoss } from "../../shared/session-errors.js";
import type { CloseFrame } from "../../shared/close-code.js";
import type { TextBytes } from "../../shared/text-bytes.js";
import type { LossReport, Resumption } from "../../session/send-ledger.js";
import type { SessionRecord } from "../../session/store/session-record.js";
import { writeSessionMessage, type SessionMessage } from "../../session/wire.js";
import { sessionLostError } from "../../session/explain-loss.js";
import { closeInfo, type CloseInfo } from "../../connection/close-info.js";
import type {
  MessageTransport,
  MessageTransportHandler,
  SendSettings,
  SharedMessage,
  TransportSession,
} from "../../connection/message-transport.js";
import { UNMASKED } from "../../shared/errors.js";
import { Alarm, type AlarmHandler } from "../../connection/timer-queue.js";
import { cutOff } from "./receipts.js";
import { endsSession, hasEndedSession, hasEndingCode } from "./session-end.js";
import { SessionIntake } from "./session-intake.js";
import { END, type SessionLink, type SessionLinkHandler } from "./session-link.js";
import type { ServerSessionTransportOptions, SessionBeginning } from "./server-session-options.js";

export class ServerSessionTransport
  extends SessionIntake
  implements MessageTransport, SessionLinkHandler, TransportSession, AlarmHandler
{
  constructor(
    options: ServerSessionTransportOptions,
    beginning: SessionBeginning,
    handler: MessageTransportHandler,
  ) {
    super(options, beginning, handler);
    const { outgoing } = this.machine.ledger;
    if (options.log !== null) outgoing.release(outgoing.sent);
  }

  get session(): this {
    return this;
  }

  /** Sets the alarm of the keeper, or moves it, to this monotonic time. */
  setAlarm(at: number): void {
    this.options.runtime.timers.set((this.ownExtras.alarm ??= new Alarm(this)), at);
  }

  cancelAlarm(): void {
    if (this.extras.alarm !== null) this.options.runtime.timers.cancel(this.extras.alarm);
  }

  onAlarm(): void {
    this.options.keeper.onAlarm(this);
  }

  /** Continues on this socket: its first one if `resumption` is null. */
  attach(link: SessionLink, resumption: Resumption | null): void {
    link.bind(this);
    const { streamTarget } = this.extras;
    if (streamTarget !== null) link.streamTo(streamTarget.restarted());
    this.use(link, resumption);
  }

  /**
   * Another socket resumes the session: what this one sends does not count any more.
   *
   * @param atOnce does not wait until the peer has answered the Close
   */
  fence(atOnce = false): void {
    const current = this.current;
    if (current === null) return;
    this.leaveOpen(current);
    current.sendWordAhead(MOVED);
    const close = { code: 1008, reason: "moved" };
    if (atOnce) current.core.goAway(close);
    else current.core.closeWithCause("local-close", close, null, true);
  }

  /** The record with which another process continues, until `deadline`. From now on nothing can be sent. */
  park(deadline: number): SessionRecord {
    void this.freeze();
    this.sender.park();
    this.handler.cutFragments(cutOff);
    const record = this.record(deadline);
    this.machine.ledger.outgoing.handOver(record.outgoing.sent); // The other process may send them.
    return record;
  }

  /**
   * The record for a store. With `"handled"`, only what the application has finished with counts as received: the client sends
   * the rest again.
   */
  record(deadline: number): SessionRecord {
    if (this.options.acknowledge === "received")
      return this.machine.save(this.unread(), this.machine.ledger.incoming.save(), deadline);
    const received = this.finished;
    return this.machine.save([], { received, confirmed: received }, deadline);
  }

  /** The log has stored our messages up to `sent`, and the client's up to `settled`. */
  onLogged(sent: number, settled: number): void {
    if (this.extras.isOver) return;
    this.settle(settled);
    this.sender.release(sent);
  }

  /** The session is lost: the application's connection ends with `SessionLostError`. */
  lose(reason: SessionLoss, report = this.machine.lose(reason)): void {
    if (this.extras.isOver) return;
    const counts = this.countsOf(report);
    const error = sessionLostError(reason, counts);
    const current = this.current;
    if (current !== null) {
      this.leaveOpen(current);
      current.core.closeWithCause("local-close", { code: 1012, reason: "session lost" });
    }
    this.listeners?.emit("lost", { reason, unsent: counts.unsent, unknown: counts.unknown });
    const { cause, received, sent, receivedFirst, evidence } = this.extras.lastInfo ?? this.newest.closeInfo;
    this.ownExtras.outcome = closeInfo({ cause, error, received, sent, receivedFirst, evidence });
    this.finish(report, reason);
  }

  sendText(text: string | TextBytes, settings: SendSettings): Promise<void> {
    return this.sender.sendEasily(text, settings) ?? this.sendAnyText(text, settings);
  }

  protected sendAnyText(text: string | TextBytes, settings: SendSettings): Promise<void> {
    if (this.overflows()) return this.rejectSend();
    const sent = this.sender.sendText(text, settings);
    this.onSent();
    return sent;
  }

  sendBinary(payload: Uint8Array, settings: SendSettings): Promise<void> {
    if (this.overflows()) return this.rejectSend();
    const sent = this.sender.sendBinary(payload, settings);
    this.onSent();
    return sent;
  }

  sendShared(message: SharedMessage): boolean {
    if (message.isWord === true) {
      this.current?.sendShared(message); // Without a socket, the client asks again on the next one.
      return true;
    }
    if (this.overflows()) return true; // The session is lost, and with it this message.
    this.sender.sendShared(message);
    this.onSent();
    return true;
  }

  queueClose(requested: CloseFrame, isUrgent: boolean): void {
    if (this.closeSent !== null) return;
    const close = this.isParked ? resumable(requested) : requested;
    const ending = this.ownExtras;
    ending.isEnding = true;
    const current = this.current;
    if (current === null) {
      this.options.runtime.clock.afterPoll(() => this.finish(this.machine.end(), null));
      return;
    }
    ending.closeSent = close;
    const sender = this.busySender;
    // Messages that are parked need not be sent: another process sends them.
    if (isUrgent || sender?.isParked !== false || !sender.isBusy) this.closeLink(current, close, isUrgent);
    else sender.whenIdle(() => this.closeLink(current, close, false));
  }

  destroy(): void {
    this.abandon();
  }

  /** Ends the current socket, but not the session. */
  destroySocket(): void {
    this.current?.core.terminate("server-shutdown");
  }

  abandon(): void {
    this.ownExtras.isEnding = true;
    const current = this.current;
    if (current === null) this.options.runtime.clock.afterPoll(() => this.finish(this.machine.end(), null));
    else {
      if (!this.isParked && !this.options.keeper.isClosing) current.endAtOnce();
      current.core.terminate("aborted");
    }
  }

  onWord(message: SessionMessage): void {
    const current = this.current;
    if (current === null) return;
    if (message.type === "replay") {
      this.extras.resumption?.settle(message.count);
      return;
    }
    if (message.type === "skip") this.breakStream();
    const action = this.machine.interpret(message, this.machine.attachment, this.options.runtime.clock.now());
    switch (action.type) {
      case "confirmed":
        this.sender.onConfirmed(action.tokens);
        this.options.log?.onConfirmed(this.machine.ledger.outgoing.confirmed);
        this.rest();
        return;
      case "ack":
        this.sender.onAckNeed(action.need);
        if (message.type === "skip") this.onSkipped();
        return;
      case "violation":
        current.violate(action.message);
        return;
      case "ended":
        this.ownExtras.isEnding = true;
        current.sendWordAhead(action.lastAck);
        this.sender.end(action.report);
        return;
      case "stale":
        return;
    }
  }

  /** Whether nothing can resume the session any more, although its socket may still be closing. */
  get isEnding(): boolean {
    return this.extras.isEnding && this.closeSent === null;
  }

  /** A replay would only repeat the failure. The session does not wait for the closing handshake to end. */
  onLinkFailed({ message }: Error): void {
    // No client sends a frame without a mask, so a proxy did, and a replay works: Caddy sends such a Close when it reloads.
    if (message !== UNMASKED) this.ownExtras.isEnding = true;
  }

  /** A Close that ends the session waits for the application's readers; any other is answered at once. */
  onLinkClosing(close: CloseFrame): void {
    const current = this.current;
    if (current === null) return;
    if (!this.extras.isEnding && !hasEndingCode(close)) {
      current.core.answerClose();
      return;
    }
    const ending = this.ownExtras;
    ending.isEnding = true;
    ending.closeReceived = close;
    ending.receivedFirst = ending.closeSent === null;
    this.sender.onAcksEnded(); // Otherwise a handler that waits for an ack would hold the answer back.
    this.handler.onClose(close);
  }

  onLinkClosed(close: CloseFrame): void {
    const { extras } = this;
    if (extras.closeSent === null || extras.closeReceived !== null) return;
    this.ownExtras.closeReceived = close;
    this.handler.onClose(close);
  }

  onLinkEnded(info: CloseInfo): void {
    const current = this.current;
    if (current === null) return;
    this.extras.resumption?.settle(0);
    this.leave(current);
    this.ownExtras.lastInfo = info;
    if (this.extras.isEnding || (hasEndedSession(info) && info.error?.message !== UNMASKED)) {
      if (this.closeSent === null) this.ownExtras.outcome = info;
      this.finish(this.machine.end(), null);
      return;
    }
    const { clock, monitor } = this.options.runtime;
    this.machine.detach(this.machine.attachment, clock.now(), clock.wallNow());
    monitor?.onSessionDetached(this.id, "server", info);
    this.busySender?.keepWaiting();
    this.rest();
    this.options.keeper.onDetached(this);
    this.listeners?.emit("detached", { info });
  }

  /**
   * Whether nothing can be sent any more. If more is sent without a socket than the window holds, the session is lost: an
   * absent peer must not block, nor fill the memory.
   */
  protected overflows(): boolean {
    if (this.extras.isOver || this.isParked || this.machine.loss !== null) return true;
    if (this.current !== null) return false;
    if (this.machine.ledger.outgoing.hasRoom) return false;
    this.lose("overflow");
    return true;
  }

  protected onSent(): void {
    this.current?.core.noteTraffic();
    this.options.keeper.onKept();
  }

  protected closeLink(link: SessionLink, close: CloseFrame, isUrgent: boolean): void {
    const { core } = link;
    if (this.closeReceived !== null && this.receivedFirst) {
      this.settleFinished();
      core.answerClose();
      return;
    }
    // Every Close of the application ends the session. At the shutdown of the server, the code decides.
    const ends = !this.options.keeper.isClosing || endsSession(close.code);
    if (!isUrgent && !this.isParked && ends) {
      this.settleTaken(); // The client learns so before the end.
      this.busySender?.acknowledge();
      link.sendWord(END);
    }
    core.closeWithCause("local-close", close, null, isUrgent);
  }

  /** The server closes, and no other process continues the session: the client loses it when it asks for it. */
  protected get isDropped(): boolean {
    if (!this.options.keeper.isClosing || this.isParked) return false;
    const isDeliberate = this.closeSent !== null && endsSession(this.closeSent.code);
    return !isDeliberate && this.handler.closeInfo.cause === "server-shutdown";
  }

  protected finish(report: LossReport, loss: SessionLoss | null): void {
    if (this.extras.isOver) return;
    const { unsent, unknown } = this.countsOf(report);
    const reason = loss ?? (this.isDropped ? "unknown" : null);
    if (loss === null && reason !== null) this.listeners?.emit("lost", { reason, unsent, unknown });
    this.ownExtras.isOver = true;
    this.options.runtime.monitor?.onSessionClosed(this.id, "server", { reason, unsent, unknown });
    this.busySender?.end(report, reason === null && this.isParked ? "lost" : "session-lost");
    this.options.keeper.onEnded(this, reason);
    this.onOver();
    this.handler.onClosed();
  }
}

/** The client shall resume a session that was saved: other codes end it, without `end` as well. 1000 is a deliberate end. */
function resumable(close: CloseFrame): CloseFrame {
  return close.code === 1000 || !hasEndingCode(close) ? close : { ...close, code: 1001 };
}

const MOVED = writeSessionMessage({ type: "moved" });
