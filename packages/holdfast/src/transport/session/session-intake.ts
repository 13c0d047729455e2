// The incoming half of a server's session: hands messages to the application, and settles what it has taken, or finished
// with.

import type { PieceHandler } from "../../protocol/message/piece-decoder.js";
import { decodeText, TextBytes } from "../../shared/text-bytes.js";
import type { SessionMessage } from "../../session/wire.js";
import { copyOf } from "../../session/session-memory.js";
import type { ReceiveLedger } from "../../session/receive-ledger.js";
import { NO_POSITION_LEFT } from "../../session/session-ledger.js";
import type { InboxEntry } from "../../session/store/session-record.js";
import type { Message } from "../../connection/reading/inbox.js";
import type { MessageTransportHandler } from "../../connection/message-transport.js";
import { ResumedPieces } from "./resumed-pieces.js";
import type { ServerSessionTransportOptions, SessionBeginning } from "./server-session-options.js";
import { NO_MESSAGES, type Progress } from "./session-extras.js";
import { NOBODY, type SessionLink } from "./session-link.js";
import { SessionSockets } from "./session-sockets.js";

export abstract class SessionIntake extends SessionSockets {
  protected constructor(
    options: ServerSessionTransportOptions,
    beginning: SessionBeginning,
    handler: MessageTransportHandler,
  ) {
    super(options, beginning, handler);
    const tracksProgress = options.acknowledge === "handled" || options.log !== null;
    if (tracksProgress) this.ownExtras.progress = { handled: 0, unsettled: 0 };
    if (beginning.unread.length > 0) this.ownExtras.unhanded = beginning.unread;
  }

  protected get incoming(): ReceiveLedger {
    return this.machine.ledger.incoming;
  }

  positionBefore(count: number): number {
    return this.machine.positionBefore(count);
  }

  start(): void {
    if (this.extras.isFrozen) return;
    // A process that logs has logged them already; they count as handed over once the application takes them.
    const { acknowledge, log } = this.options;
    if (log !== null && acknowledge === "received") this.settle(this.incoming.received);
    const unread = this.extras.unhanded;
    if (unread.length > 0) this.ownExtras.unhanded = NO_MESSAGES;
    for (const message of unread) this.handler.onMessage(message);
  }

  /**
   * The server closes: nothing that arrives counts from now on, and the application gets nothing more, but what it sends
   * still counts. Resolves once it has finished with what it was handed.
   */
  freeze(): Promise<void> {
    if (this.extras.isFrozen) return Promise.resolve();
    const extras = this.ownExtras;
    extras.isFrozen = true;
    this.current?.bind(null);
    const inbox = this.application?.inbox;
    if (inbox !== undefined) extras.unhanded = [...extras.unhanded, ...inbox.takeAll()];
    if (inbox?.isBeingRead !== true || inbox.inProgress === 0) return Promise.resolve();
    return new Promise((resolve) => (extras.onFinished = resolve));
  }

  /** The position that counts as received in a record, with `"handled"`: the client sends the rest again. */
  protected get finished(): number {
    return Math.max(this.extras.progress?.handled ?? 0, this.incoming.confirmable);
  }

  /** The messages that the application has not taken. */
  protected unread(): InboxEntry[] {
    const unread = [...this.extras.unhanded, ...(this.application?.inbox.peek() ?? [])];
    return unread.map((message, index) => ({
      position: this.positionBefore(unread.length - index) + 1,
      message,
    }));
  }

  // SessionLinkHandler: what arrives on the current socket.

  get hasBusyReader(): boolean {
    return this.handler.hasBusyReader;
  }

  onData(message: Message): void {
    const { sender } = this;
    const { progress, streamTarget } = this.extras;
    const need = sender.incoming.receive(message.length);
    if (need === null) {
      this.current?.violate(NO_POSITION_LEFT);
      return;
    }
    this.newest.onStreamedMessage();
    if (streamTarget?.hasBegun === true) this.completeStream(streamTarget, message);
    else this.handler.onMessage(message);
    if (progress !== null) this.onArrived(message.length, message, progress);
    else if (need !== "none") sender.onAckNeed(need);
  }

  onLargeMessage(size: number): void {
    this.handler.onLargeMessage(size);
  }

  onStreamed(length: number): void {
    const { sender } = this;
    const { progress } = this.extras;
    const need = sender.incoming.receive(length);
    if (need === null) this.current?.violate(NO_POSITION_LEFT);
    else if (progress !== null) this.onArrived(length, null, progress);
    else sender.onAckNeed(need);
  }

  onPingQueued(): void {
    this.busySender?.acknowledge();
  }

  abstract onWord(message: SessionMessage): void;

  /**
   * If the application still does not keep up, the socket is ending. Messages that it held back do not count, so that a client
   * that reconnects again and again cannot fill the inbox: it sends them again on the next socket.
   */
  onLinkResuming(): void {
    const { current, shownSession } = this;
    if (current === null || this.handler.pauseReasons.length === 0) return;
    current.streamTo(null);
    current.bind({
      ...NOBODY,
      shownSession,
      onWord: (message) => {
        if (message.type !== "skip") this.onWord(message); // Its positions follow those of the messages.
      },
    });
  }

  /** Positions were skipped. */
  protected onSkipped(): void {
    const { acknowledge, log } = this.options;
    if (acknowledge === "received") log?.onSkipped(this.incoming.received);
    this.onProgress();
  }

  /** The application has taken messages, or finished with them. */
  onProgress(): void {
    const inbox = this.application?.inbox;
    if (inbox === undefined || this.isParked) return;
    if (inbox.inProgress === 0) this.extras.onFinished?.();
    const progress = this.extras.progress;
    if (progress === null) return;
    const { acknowledge, log } = this.options;
    const unread = this.extras.unhanded.length + inbox.length;
    const current = acknowledge === "handled" ? inbox.inProgress : 0;
    const handled = this.positionBefore(unread + current);
    if (handled <= progress.handled) return;
    progress.handled = handled;
    if (log === null) this.settle(handled);
    else log.onHandled(handled);
  }

  protected settle(position: number): void {
    const progress = this.extras.progress;
    if (progress === null || position <= this.incoming.confirmable) return;
    const length = progress.unsettled;
    progress.unsettled = 0;
    const need = this.incoming.settle(position, length);
    if (this.machine.state !== "ended") this.sender.onAckNeed(need);
    else this.current?.sendWordAhead(this.machine.ledger.takeAck("due")); // The client has ended it, and still listens.
  }

  /** The client's Close is about to be answered: its messages that the application has finished with are delivered. */
  protected settleFinished(): void {
    if (this.extras.progress === null) return;
    this.onProgress();
    this.settle(this.finished);
    this.busySender?.acknowledge();
  }

  /** The application is done: what it took counts as handled. */
  protected settleTaken(): void {
    const unread = this.extras.unhanded.length + (this.application?.inbox.length ?? 0);
    if (this.extras.progress !== null) this.settle(this.positionBefore(unread));
  }

  protected override leave(link: SessionLink): void {
    super.leave(link);
    this.extras.streamTarget?.interrupt();
  }

  /** The session has ended: nobody waits for the application any more. */
  protected onOver(): void {
    this.extras.onFinished?.();
  }

  streamTo(handler: PieceHandler | null): void {
    const extras = this.ownExtras;
    extras.streamTarget =
      handler === null ? null : new ResumedPieces(handler, () => (extras.streamTarget = null));
    this.current?.streamTo(extras.streamTarget);
  }

  /** The message that was cut amid its pieces will not be sent again. */
  protected breakStream(): void {
    const target = this.extras.streamTarget;
    if (target?.hasBegun !== true) return;
    this.ownExtras.streamTarget = null;
    this.current?.streamTo(null);
    target.onBroken();
  }

  /** The message that was cut amid its pieces was sent again as a whole. */
  protected completeStream(target: ResumedPieces, message: Message): void {
    this.current?.streamTo(null);
    if (typeof message === "string") target.onPiece(message);
    else target.onPiece(message instanceof TextBytes ? decodeText(message) : new Uint8Array(message));
    target.onLastPiece();
  }

  /** `message` is null for one that was delivered in pieces. */
  protected onArrived(length: number, message: Message | null, progress: Progress): void {
    const { acknowledge, log } = this.options;
    progress.unsettled += length;
    if (log !== null && acknowledge === "received") {
      const { received } = this.incoming;
      if (message === null) log.onSkipped(received);
      else log.onReceived(received, copyOf(message));
    }
    this.onProgress();
  }
}
