// The end of a server's session, as its connection sees it. Made when something begins to end the session.

import type { CloseFrame } from "../../shared/close-code.js";
import type { CloseInfo } from "../../connection/close-info.js";
import { SocketKeepalive } from "./socket-keepalive.js";

class SessionEnding {
  closeSent: CloseFrame | null = null;
  closeReceived: CloseFrame | null = null;
  receivedFirst = false;
  outcome: CloseInfo | null = null;
  /** The client has ended the session deliberately, or our application has. */
  isDeliberate = false;
  isOver = false;
}

export abstract class EndingSession extends SocketKeepalive {
  #ending: SessionEnding | null = null;

  // eslint-disable-next-line @typescript-eslint/class-literal-property-style -- A field would cost each session memory.
  get isReportedBelow(): boolean {
    return true;
  }

  get closeSent(): CloseFrame | null {
    return this.#ending === null ? null : this.#ending.closeSent;
  }

  get closeReceived(): CloseFrame | null {
    return this.#ending === null ? null : this.#ending.closeReceived;
  }

  get receivedFirst(): boolean {
    return this.#ending !== null && this.#ending.receivedFirst;
  }

  get outcome(): CloseInfo | null {
    return this.#ending === null ? null : this.#ending.outcome;
  }

  /** The client has ended the session deliberately, or our application has. */
  protected get isEnding(): boolean {
    return this.#ending !== null && this.#ending.isDeliberate;
  }

  /** The session has ended. */
  protected get isOver(): boolean {
    return this.#ending !== null && this.#ending.isOver;
  }

  protected get endings(): SessionEnding {
    return (this.#ending ??= new SessionEnding());
  }
}
