// A race: a second socket beside a connection whose peer is suspected to be dead. It takes over the session if it opens
// before the first one has answered. Until then it sends nothing of the session, so cancelling it costs one handshake.

import type { Connection } from "../connection/connection.js";
import type { MessageTransportFactory } from "../connection/message-transport.js";
import type { SessionWrapper } from "../connection/session-carrier.js";
import { Attempt, type AttemptObserver, type AttemptOptions, type AttemptOutcome } from "./attempt.js";
import type { ConnectorOptions } from "./connector.js";

export interface RaceObserver {
  /** Whether the connection in use has still not answered: then the second socket replaces it now. */
  mayTakeOver(): boolean;
  /** The race is over. */
  onRaceOver(): void;
}

/** The supervisor. */
export interface RaceHandler<Options extends ConnectorOptions> {
  /** The second socket is open. Returns false if it is not needed. */
  takeOver(race: Race<Options>): boolean;
  /** The second socket is open and reads, with the session or without it. */
  onRaceOpen(race: Race<Options>, connection: Connection): void;
  onRaceEnded(race: Race<Options>, outcome: AttemptOutcome): void;
}

export class Race<Options extends ConnectorOptions> implements AttemptObserver {
  readonly session: SessionWrapper;
  readonly observer: RaceObserver;
  readonly attempt: Attempt<Options>;
  readonly #handler: RaceHandler<Options>;

  constructor(
    number: number,
    options: AttemptOptions<Options>,
    session: SessionWrapper,
    observer: RaceObserver,
    handler: RaceHandler<Options>,
  ) {
    this.observer = observer;
    this.#handler = handler;
    this.session = {
      canResume: true,
      // Called when the server has accepted the socket. The session takes it over within this call: what arrives on the
      // other socket from now on is ignored, since the server sends it again on this one.
      over: (below, pingsAs, onWidth): MessageTransportFactory =>
        handler.takeOver(this) ? session.over(below, pingsAs, onWidth) : below,
    };
    this.attempt = new Attempt(number, options, this);
  }

  /** Resolves as `run()` of the attempt. */
  run(): Promise<void> {
    return this.attempt.run(
      (connection) => this.#handler.onRaceOpen(this, connection),
      (outcome) => this.#handler.onRaceEnded(this, outcome),
    );
  }
}
