// A session of this process. Its deadline is its expiry while it is detached, and its renewal in the store while it is
// attached.

import type { Connection } from "../../connection/connection.js";
import { Deadline } from "../../connection/timer-queue.js";
import type { ServerSessionTransport } from "../../transport/session/server-session-transport.js";
import type { SessionHandshake } from "./session-handshake.js";
import type { SessionLog } from "./session-log.js";

export interface HeldSessionHandler {
  onAlarm(held: HeldSession): void;
}

export class HeldSession extends Deadline {
  readonly transport: ServerSessionTransport;
  readonly connection: Connection;
  readonly handshake: SessionHandshake;
  /** Null unless `durability` is `"message"`. */
  readonly log: SessionLog | null;
  readonly #handler: HeldSessionHandler;

  constructor(
    handler: HeldSessionHandler,
    transport: ServerSessionTransport,
    connection: Connection,
    handshake: SessionHandshake,
    log: SessionLog | null,
  ) {
    super();
    this.#handler = handler;
    this.transport = transport;
    this.connection = connection;
    this.handshake = handshake;
    this.log = log;
  }

  onAlarm(): void {
    this.#handler.onAlarm(this);
  }
}
