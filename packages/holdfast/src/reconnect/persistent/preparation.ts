// Prepares each new connection before it is used: waits for its session, if it has one, and then for `onOpen`, in which
// the application sends what must precede queued messages.

import type { Connection } from "../../connection/connection.js";
import { coreOf } from "../../connection/core-of.js";
import { TooSlowError } from "../../connection/errors.js";
import type { Message } from "../../connection/reading/inbox.js";
import type { SessionCarrier } from "../../connection/session-carrier.js";
import { Alarm, type TimerQueue } from "../../connection/timer-queue.js";
import { errorOf } from "../../shared/thrown.js";
import type { PersistentSettings } from "./persistent-options.js";
import type { Receiver } from "./receiver.js";

/** The persistent connection. */
export interface PreparationHandler {
  /** Null without the option `session`. */
  readonly session: SessionCarrier | null;
  readonly timers: TimerQueue;
  now(): number;
  /** Whether the connection is still in use, and the application has not ended it. */
  isCurrent(connection: Connection): boolean;
  /** The receiver has the connection's messages: it can be used. */
  onReady(connection: Connection, attempt: number, isFirst: boolean): void;
  failAttempt(error: Error): void;
  /** Rejects the queued messages that only a session can deliver. Returns their number. */
  failUndeliverable(): number;
}

export class Preparation {
  readonly #handler: PreparationHandler;
  readonly #receiver: Receiver;
  readonly #settings: PersistentSettings;
  #connection: Connection | null = null;
  #attempt = 1;
  /** No connection has been ready yet. */
  #isFirst = true;
  #awaitsSession = false;
  /** Limits the current step; null without one. */
  #alarm: Alarm | null = null;
  /** Whether `onOpen` has fulfilled: for this connection, or for an earlier one of the same session. */
  #isDone = false;
  /**
   * Messages that the session has counted and nobody has taken, since the socket was cut while `onOpen` ran. The next
   * connection of the session begins with them.
   */
  #untaken: readonly Message[] = [];

  constructor(handler: PreparationHandler, receiver: Receiver, settings: PersistentSettings) {
    this.#handler = handler;
    this.#receiver = receiver;
    this.#settings = settings;
  }

  /** How many received messages wait for the next connection of the session. */
  get untaken(): number {
    return this.#untaken.length;
  }

  begin(connection: Connection, attempt: number): void {
    this.#connection = connection;
    this.#attempt = attempt;
    const { session } = this.#handler;
    if (session?.hasSocket === true) {
      if (session.isAttached) this.#onUsable(connection);
      else this.#awaitSession(connection);
      return;
    }
    if (session !== null) {
      // The server speaks no sessions.
      session.abandon("unknown", session.state === null ? 0 : this.#handler.failUndeliverable());
      this.releaseUntaken();
    }
    this.#isDone = false;
    this.#onUsable(connection);
  }

  /** The session is attached to the connection. Returns the messages that precede those of the connection. */
  onAttached(isFresh: boolean): readonly Message[] {
    if (isFresh) {
      this.#isDone = false;
      this.releaseUntaken();
    }
    const untaken = this.#untaken;
    this.#untaken = [];
    const connection = this.#connection;
    if (!this.#awaitsSession || connection === null) return untaken; // `begin` follows.
    this.#stopWaiting();
    this.#onUsable(connection);
    return untaken;
  }

  onConnectionEnded(): void {
    this.#stopWaiting();
    const connection = this.#connection;
    this.#connection = null;
    if (this.#isDone || connection === null || this.#handler.session === null) return;
    this.#untaken = [...this.#untaken, ...coreOf(connection).inbox.takeAll()];
  }

  /** The session of these messages has no other connection: the stream delivers them. */
  releaseUntaken(): void {
    for (const message of this.#untaken) this.#receiver.inbox.push(message);
    this.#untaken = [];
  }

  /** Takes the messages out, to save them; null once `onOpen` has fulfilled. */
  takeUntaken(): readonly Message[] | null {
    const untaken = this.#isDone ? null : this.#untaken;
    this.#untaken = [];
    return untaken;
  }

  /** @param untaken from `takeUntaken`, of this client or of an earlier one */
  restore(untaken: readonly Message[] | null): void {
    this.#isDone = untaken === null;
    this.#untaken = untaken ?? [];
  }

  /** The server has to answer `open` or `resume` in time. */
  #awaitSession(connection: Connection): void {
    this.#awaitsSession = true;
    this.#limit(
      connection,
      "the server to answer for the session",
      "no answer. Check the server's store and its `owner`,",
    );
  }

  /** The connection carries messages: of a new session, of one that was resumed, or without one. */
  #onUsable(connection: Connection): void {
    // The inbox, and the answer to a Close, wait for the receiver, or for `onOpen`. Before this, no message can arrive.
    coreOf(connection).inbox.noteReader("reader");
    const { onOpen } = this.#settings;
    // The application has called `close()` while the server answered.
    if (!this.#handler.isCurrent(connection)) this.#receiveRest(connection);
    else if (onOpen === null || this.#isDone) this.#ready(connection, this.#attempt);
    else void this.#callOnOpen(connection, this.#attempt, onOpen);
  }

  async #callOnOpen(
    connection: Connection,
    attempt: number,
    onOpen: NonNullable<PersistentSettings["onOpen"]>,
  ): Promise<void> {
    const handler = this.#handler;
    const alarm = this.#limit(
      connection,
      "`onOpen` to settle",
      "a promise that is still pending. Limit how long it waits,",
    );
    const isOpen = (): boolean => connection.state === "open" && handler.isCurrent(connection);
    try {
      await onOpen(connection, { attempt, isFirst: this.#isFirst, signal: connection.signal });
      if (isOpen()) this.#ready(connection, attempt);
      else if (this.#connection === connection) this.#receiveRest(connection);
      else this.#takeUnread(connection); // It has ended. A session has taken its messages already.
    } catch (error) {
      // If the connection is already ending, this error is only a consequence.
      if (isOpen()) handler.failAttempt(errorOf(error));
      else coreOf(connection).answerClose();
    } finally {
      handler.timers.cancel(alarm);
    }
  }

  #ready(connection: Connection, attempt: number): void {
    this.#receiver.attach(connection);
    this.#isDone = true;
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    this.#handler.onReady(connection, attempt, isFirst);
  }

  /** The connection began to close while `onOpen` ran: takes the messages before the Close, and lets the Close be answered. */
  #receiveRest(connection: Connection): void {
    this.#takeUnread(connection);
    this.#isDone = true;
    this.#receiver.attach(connection);
    coreOf(connection).answerClose();
  }

  /** The stream delivers what `onOpen` has left unread. */
  #takeUnread(connection: Connection): void {
    for (const message of coreOf(connection).inbox.takeAll()) this.#receiver.inbox.push(message);
  }

  /** Fails the attempt after `openTimeout`: until the step is done, the connection is of no use. */
  #limit(connection: Connection, expected: string, gotAndAdvice: string): Alarm {
    const handler = this.#handler;
    const { openTimeout } = this.#settings;
    const alarm = new Alarm({
      onAlarm: () => {
        if (openTimeout === null || !handler.isCurrent(connection)) return;
        if (this.#awaitsSession && connection.state !== "open") return; // The end of the connection says more.
        const message = `Expected ${expected} within ${openTimeout} ms (openTimeout), got ${gotAndAdvice} or raise \`openTimeout\`.`;
        handler.failAttempt(new TooSlowError(message, openTimeout));
      },
    });
    this.#alarm = alarm;
    if (openTimeout !== null) handler.timers.set(alarm, handler.now() + openTimeout);
    return alarm;
  }

  #stopWaiting(): void {
    this.#awaitsSession = false;
    if (this.#alarm === null) return;
    this.#handler.timers.cancel(this.#alarm);
    this.#alarm = null;
  }
}
