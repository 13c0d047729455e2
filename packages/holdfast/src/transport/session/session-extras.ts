// The state that an idle session with its first socket does not need: made on demand.

import type { CloseFrame } from "../../shared/close-code.js";
import type { CloseInfo } from "../../connection/close-info.js";
import type { Message } from "../../connection/reading/inbox.js";
import type { Alarm } from "../../connection/timer-queue.js";
import type { ResumedPieces } from "./resumed-pieces.js";
import type { ResumptionReport } from "./resumption-report.js";
import type { SessionWords } from "./session-words.js";
import { SocketKeepalive } from "./socket-keepalive.js";

export const NO_MESSAGES: readonly Message[] = [];

/** The application's progress through the messages. */
export interface Progress {
  /** The position up to which the application has taken messages, or finished with them. */
  handled: number;
  /** Payload that arrived and was not reported to the ledger as settled. */
  unsettled: number;
}

class SessionExtras {
  /** Null if confirming messages depends neither on what the application does with them nor on the log. */
  progress: Progress | null = null;
  words: SessionWords | null = null;
  /** Receives the next message in pieces. */
  streamTarget: ResumedPieces | null = null;
  /** That of the keeper. */
  alarm: Alarm | null = null;
  /** When the session lost its newest socket; monotonic. */
  detachedAt = 0;
  /** Bytes of the sockets before the newest one. */
  earlierBytesReceived = 0;
  earlierBytesSent = 0;
  /** How the newest socket ended; null while it is open. */
  lastInfo: CloseInfo | null = null;
  /** The newest resumption; null for none. */
  resumption: ResumptionReport | null = null;
  /** Messages that the application was not handed: before it starts, those of the record; once frozen, the rest. */
  unhanded = NO_MESSAGES;
  /** The server closes: nothing is handed to the application any more. */
  isFrozen = false;
  /** Called once the application has finished with what it was handed. */
  onFinished: (() => void) | null = null;
  closeSent: CloseFrame | null = null;
  closeReceived: CloseFrame | null = null;
  receivedFirst = false;
  /** How the session's connection ended; null if that follows from the Close frames. */
  outcome: CloseInfo | null = null;
  /** The client has ended the session deliberately, or our application has. */
  isEnding = false;
  isOver = false;
}

const NONE: Readonly<SessionExtras> = new SessionExtras();

/** This class and those above it have no private methods: each such class would cost each session eight bytes. */
export abstract class SessionState extends SocketKeepalive {
  /** To read. */
  protected extras: Readonly<SessionExtras> = NONE;

  /** To change. */
  protected get ownExtras(): SessionExtras {
    if (this.extras === NONE) this.extras = new SessionExtras();
    return this.extras;
  }

  // eslint-disable-next-line @typescript-eslint/class-literal-property-style -- A field would cost each session memory.
  get isReportedBelow(): boolean {
    return true;
  }

  get closeSent(): CloseFrame | null {
    return this.extras.closeSent;
  }

  get closeReceived(): CloseFrame | null {
    return this.extras.closeReceived;
  }

  get receivedFirst(): boolean {
    return this.extras.receivedFirst;
  }

  get outcome(): CloseInfo | null {
    return this.extras.outcome;
  }
}
