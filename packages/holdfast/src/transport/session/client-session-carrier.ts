// The plumbing of a client's session: begins or resumes it on each socket, and counts the messages that pass. Each socket
// has a connection of its own, which the persistent connection uses as any other.

/* eslint max-lines: ["warn", { "max": 270, "skipBlankLines": true, "skipComments": true }] -- Each event of the session passes through here. */

import { ClientSession, type ClientAction, type SavedClientSession } from "../../session/client-session.js";
import { sessionLostError } from "../../session/explain-loss.js";
import type { LossCounts, LossReport, Resumption } from "../../session/send-ledger.js";
import { NO_POSITION_LEFT } from "../../session/session-ledger.js";
import { writeSessionMessage, type SessionMessage } from "../../session/wire.js";
import type { SessionLoss, SessionLostError } from "../../shared/session-errors.js";
import type { CloseInfo } from "../../connection/close-info.js";
import type { Message } from "../../connection/reading/inbox.js";
import type { Runtime } from "../../connection/runtime.js";
import type { ConnectionSession } from "../../connection/session-state.js";
import type { MessageTransportFactory, TransportSession } from "../../connection/message-transport.js";
import type {
  SessionCarrierHandler,
  SessionCarrier,
  SessionCarrierSettings,
} from "../../connection/session-carrier.js";
import { CarriedSends } from "./carried-sends.js";
import { hasEndedSession, hasEndedUnanswered } from "./session-end.js";
import { ClientSessionLink, type CarriedSession } from "./client-session-link.js";
import type { SessionLink } from "./session-link.js";
import { ResumptionReport } from "./resumption-report.js";
import { ShownSession } from "./shown-session.js";
import { SessionSender } from "./session-sender.js";

export class ClientSessionCarrier
  extends CarriedSends
  implements SessionCarrier, CarriedSession, TransportSession
{
  readonly hasBusyReader = false;
  readonly #runtime: Runtime;
  readonly #settings: SessionCarrierSettings;
  readonly #handler: SessionCarrierHandler;
  #session: ClientSession;
  readonly #shown = new ShownSession();
  /** The newest socket, while it is open. */
  #link: SessionLink | null = null;
  /** The link whose messages are not counted any more: the server sends them again on the next one. */
  #refused: SessionLink | null = null;
  /** The session that was reported as open; null for none. */
  #reportedId: string | null = null;
  #detachedAt = 0;
  /** `end` was sent on the newest socket. */
  #hasSentEnd = false;
  /** The server has ended the session: the outcome of our messages. Null if it has not. */
  #endedByServer: LossReport | null = null;
  isEnding = false;
  /** The newest resumption; null for none. */
  #resumption: ResumptionReport | null = null;

  constructor(runtime: Runtime, settings: SessionCarrierSettings, handler: SessionCarrierHandler) {
    const session = new ClientSession({ window: settings.window }, settings.saved);
    const { ackDelay, writeLimit } = settings;
    super(new SessionSender(runtime, session.ledger, { ackDelay, writeLimit, keepsWithoutLink: false }));
    this.#runtime = runtime;
    this.#settings = settings;
    this.#handler = handler;
    this.#session = session;
    this.#detachedAt = runtime.clock.now();
    if (session.id !== null) this.#shown.begin(session.id, session.ledger.incoming, 0);
  }

  /** The session; null before the server has given it an id. */
  get state(): TransportSession | null {
    return this.#session.id === null ? null : this;
  }

  get id(): string {
    return this.#session.id ?? "";
  }

  get isAttached(): boolean {
    return this.#session.state === "attached";
  }

  shownTo(isHandling: boolean): ConnectionSession | null {
    return this.#shown.show(this.isAttached, this.#handler.unread, isHandling);
  }

  get untilRoom(): Promise<void> | null {
    return this.sender.untilRoom;
  }

  get canResume(): boolean {
    const { ttl } = this.#session;
    return ttl !== null && this.#runtime.clock.now() - this.#detachedAt < ttl;
  }

  get hasSocket(): boolean {
    return this.#link !== null;
  }

  positionBefore(count: number): number {
    return this.#session.ledger.incoming.positionBefore(count);
  }

  over(
    below: MessageTransportFactory,
    pingsAs: "frames" | "messages",
    onWidth: (width: number) => void,
  ): MessageTransportFactory {
    return (handler) => new ClientSessionLink(below, handler, { pingsAs, spread: { onWidth } }, this);
  }

  onLink(link: ClientSessionLink): string {
    this.#link?.bind(null);
    this.sender.detach();
    this.#link = link;
    return this.#session.connect();
  }

  onSocketEnded(info: CloseInfo, isLast = false): boolean {
    const link = this.#link;
    if (link === null) return false;
    this.#link = null;
    link.bind(null);
    this.#resumption?.settle(0);
    this.#detachedAt = this.#runtime.clock.now();
    const isOver = this.isAttached ? hasEndedSession(info) : hasEndedUnanswered(info);
    if (this.#session.state === "ended" || this.#hasSentEnd || isOver) {
      this.#end(this.#endedByServer ?? this.#session.end(), this.#lossIn(info));
      return false;
    }
    const isDetached = this.isAttached && !isLast;
    if (isDetached) this.#runtime.monitor?.onSessionDetached(this.id, "client", info);
    this.#session.detach();
    this.sender.detach();
    return isDetached;
  }

  /** Why the server ended the session with this socket; null if that was not a loss: the server agreed to end it, or closed it normally. */
  #lossIn({ received }: CloseInfo): SessionLoss | null {
    if (this.#endedByServer === null || this.#hasSentEnd || this.isEnding) return null;
    return received?.code === 1000 ? null : "unknown";
  }

  willEnd(): void {
    this.isEnding = true;
  }

  /** The server cannot resume the session: it has none, or does not know it. */
  abandon(reason: SessionLoss, unsent = 0): void {
    if (this.#session.id === null) return;
    const report = this.#session.end();
    this.#end({ ...report, unsent: report.unsent + unsent }, reason);
  }

  save(): SavedClientSession | null {
    return this.#session.save();
  }

  end(isSaved = false): void {
    const report = this.#session.end();
    if (!isSaved) {
      this.#end(report, null);
      return;
    }
    this.#reportClosed(null, this.sender.end(report));
  }

  get hasUnconfirmed(): boolean {
    return this.#session.ledger.outgoing.unconfirmed > 0;
  }

  acknowledge(): void {
    this.sender.acknowledge();
  }

  onEndSent(): void {
    this.#hasSentEnd = true;
    this.sender.detach();
  }

  onAcksEnded(link: SessionLink): void {
    if (this.#link === link && this.isAttached) this.sender.onAcksEnded();
  }

  whenIdle(callback: () => void): void {
    if (this.sender.isBusy && this.hasSocket && this.#session.state !== "opening")
      this.sender.whenIdle(callback);
    else callback();
  }

  // SessionLinkHandler: what arrives.

  onData(message: Message): void {
    const link = this.#link;
    if (link === null) return;
    if (!this.#session.takesMessages) {
      link.violate("Expected the server's answer to the first message of a session, got other data.");
      return;
    }
    if (this.#refuses(link)) return;
    const need = this.#session.ledger.incoming.receive(message.length);
    if (need === null) {
      link.violate(NO_POSITION_LEFT);
      return;
    }
    link.forward(message);
    if (need !== "none") this.sender.onAckNeed(need);
  }

  onStreamed(length: number): void {
    const need = this.#session.ledger.incoming.receive(length);
    if (need === null) this.#link?.violate(NO_POSITION_LEFT);
    else this.sender.onAckNeed(need);
  }

  onWord(message: SessionMessage): void {
    const link = this.#link;
    if (link === null) return;
    if (message.type === "skip" && this.#refused === link) return;
    if (message.type === "end") this.sender.acknowledge(); // The server learns what arrived.
    if (message.type === "replay") this.#resumption?.settle(message.count);
    else this.#perform(this.#session.interpret(message, this.#runtime.clock.now()), link);
  }

  onPingQueued(): void {
    this.sender.acknowledge();
  }

  /** After one message without room, those after it must not be counted either. */
  #refuses(link: SessionLink): boolean {
    if (this.#handler.isRefusing) this.#refused = link;
    return this.#refused === link;
  }

  #perform(action: ClientAction, link: SessionLink): void {
    switch (action.type) {
      case "confirmed":
        this.sender.onConfirmed(action.tokens);
        return;
      case "ack":
        this.sender.onAckNeed(action.need);
        return;
      case "violation":
        link.violate(action.message);
        return;
      case "opened":
        this.#attach(link, null);
        return;
      case "resumed":
        this.#attach(link, action);
        return;
      case "lost":
        this.#onLost(action, link);
        return;
      case "ended":
        this.#endedByServer = { ...this.sender.end(action.report), tokens: [] }; // The sender settles them here.
        return;
      case "moved":
        return; // The Close detaches the session.
    }
  }

  #attach(link: SessionLink, resumption: Resumption | null): void {
    const { clock, monitor } = this.#runtime;
    const gap = clock.now() - this.#detachedAt;
    const { id } = this;
    if (this.#reportedId === null) monitor?.onSessionOpen(id, "client", resumption === null);
    this.#reportedId = id;
    this.#shown.begin(id, this.#session.ledger.incoming, this.#handler.unread);
    if (resumption !== null) {
      link.sendWord(writeSessionMessage({ type: "replay", count: resumption.replayed }));
      const replayedOut = resumption.replayed;
      this.#resumption = new ResumptionReport(clock, this.#settings.ackDelay, (replayedIn) => {
        const event = { gap, replayedIn, replayedOut };
        monitor?.onSessionResumed(id, "client", event);
        this.#handler.onResumed(event);
      });
    }
    // The kept messages go first: then the window shows how much of the queue there is room for.
    this.sender.attach(link, resumption);
    for (const message of this.#handler.onAttached(resumption === null)) link.forward(message);
  }

  #onLost({ reason, report, isFresh }: Extract<ClientAction, { type: "lost" }>, link: SessionLink): void {
    const counts = this.sender.end(report);
    this.#reportClosed(reason, counts);
    if (!isFresh) {
      this.#renew();
      this.#reportLost(reason, counts);
      if (reason === "position") link.violate("Expected `resumed` with a position that fits, got another.");
      return;
    }
    this.sender.restart(this.#session.ledger);
    this.#reportLost(reason, counts);
    this.#attach(link, null);
  }

  /** The session is over: the next socket begins another one. */
  #end(report: LossReport, reason: SessionLoss | null): void {
    const counts = this.sender.end(report);
    const isIncomplete = counts.unsent + counts.unknown > 0;
    const loss = reason ?? (isIncomplete ? "unknown" : null);
    this.#reportClosed(loss, counts);
    this.#renew();
    if (loss !== null) this.#reportLost(loss, counts);
  }

  #reportClosed(reason: SessionLoss | null, { unsent, unknown }: LossCounts): void {
    if (this.#reportedId === null) return;
    this.#runtime.monitor?.onSessionClosed(this.#reportedId, "client", { reason, unsent, unknown });
    this.#reportedId = null;
  }

  #renew(): void {
    this.#shown.end(this.#handler.unread);
    this.#hasSentEnd = false;
    this.#endedByServer = null;
    this.#session = new ClientSession({ window: this.#settings.window });
    this.sender.restart(this.#session.ledger);
  }

  #reportLost(reason: SessionLoss, counts: LossCounts): void {
    const error: SessionLostError = sessionLostError(reason, counts);
    this.#handler.onLost({ reason, ...counts }, error);
  }
}
