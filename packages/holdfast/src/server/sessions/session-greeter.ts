// Waits for the first word of a client that speaks of sessions: `open` or `resume`.

import { coreOf } from "../../connection/core-of.js";
import type { Message } from "../../connection/reading/inbox.js";
import type { SessionMessage } from "../../session/wire.js";
import type { SessionLinkHandler } from "../../transport/session/session-link.js";
import { Deadline, type TimerQueue } from "../../connection/timer-queue.js";
import type { ServerRequest } from "../upgrade/server-request.js";
import type { SessionSocket } from "./session-openings.js";

export interface SessionGreeterHandler {
  readonly timers: TimerQueue;
  /** The owner of a request, as the application says. */
  ownerOf(request: ServerRequest): Promise<string | null>;
  onOpen(owner: string | null): Promise<void>;
  onResume(
    message: Extract<SessionMessage, { readonly type: "resume" }>,
    owner: string | null,
  ): Promise<void>;
  /** The application's code, or the store, failed. */
  onFailure(error: unknown): void;
}

/** Its deadline is that of the first word. */
export class SessionGreeter extends Deadline implements SessionLinkHandler {
  readonly hasBusyReader = false;
  readonly #socket: SessionSocket;
  readonly #handler: SessionGreeterHandler;
  #hasBegun = false;

  constructor(socket: SessionSocket, handler: SessionGreeterHandler) {
    super();
    this.#socket = socket;
    this.#handler = handler;
  }

  onWord(message: SessionMessage): void {
    if (this.#hasBegun || (message.type !== "open" && message.type !== "resume")) {
      this.#violate(`"${message.type}"`);
      return;
    }
    this.#hasBegun = true;
    this.#handler.timers.cancel(this);
    void this.#answer(message);
  }

  /** Not even a ping may come first: the server's first message is its answer to `open` or `resume`. */
  refusesWord(): boolean {
    if (!this.#hasBegun) this.#violate("another word");
    return !this.#hasBegun;
  }

  onData(_message: Message): void {
    this.#violate("a message of the application");
  }

  onStreamed(): void {
    this.#violate("a message of the application");
  }

  /** A client that says nothing must not hold its socket. */
  onAlarm(): void {
    const core = coreOf(this.#socket.connection);
    core.closeWithCause("local-close", { code: 1008, reason: 'no "open" or "resume" in time' });
  }

  onPingQueued(): void {
    // Nothing to acknowledge.
  }

  #violate(what: string): void {
    this.#socket.link.violate(`Expected "open" or "resume" as the first message, got ${what}.`);
  }

  /** The messages after the first word wait until the session is there. */
  async #answer(message: Extract<SessionMessage, { readonly type: "open" | "resume" }>): Promise<void> {
    const { connection, request } = this.#socket;
    const core = coreOf(connection);
    core.pauseReading("session");
    try {
      const owner = await this.#handler.ownerOf(request);
      if (core.hasEnded) return;
      if (message.type === "open") await this.#handler.onOpen(owner);
      else await this.#handler.onResume(message, owner);
    } catch (error) {
      this.#handler.onFailure(error);
      core.closeWithCause("handler-failed", { code: 1011, reason: "" });
    } finally {
      core.resumeReading("session");
    }
  }
}
