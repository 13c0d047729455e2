// Watches one connection to NATS, for all engines and stores that use it: whether it is connected, and whether the server
// still answers. NATS' client alone needs minutes to notice a silent dead connection.

import { errors, type NatsConnection } from "@nats-io/transport-node";
import { runningTime } from "./running-time.js";

/** Milliseconds between two questions to the server. */
const INTERVAL = 2_000;
/** Milliseconds of silence after which the connection is replaced. */
const MAX_SILENCE = 6_000;

export interface ConnectionObserver {
  onDisconnect(): void;
  onReconnect(): void;
  /** The connection is closed for good. */
  onClosed(): void;
}

const watches = new WeakMap<NatsConnection, ConnectionWatch>();

/** The watch of this connection: one, however many engines and stores use it. */
export function watchOf(connection: NatsConnection): ConnectionWatch {
  let watch = watches.get(connection);
  if (watch === undefined) watches.set(connection, (watch = new ConnectionWatch(connection)));
  return watch;
}

export class ConnectionWatch {
  /** Why the server refuses the connection; undefined if it does not. */
  failure: Error | undefined;
  readonly #connection: NatsConnection;
  readonly #observers = new Set<ConnectionObserver>();
  #isConnected = true;
  #timer: NodeJS.Timeout | null = null;
  #heardAt = runningTime();
  #isAsking = false;

  constructor(connection: NatsConnection) {
    this.#connection = connection;
    void this.#follow();
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  add(observer: ConnectionObserver): void {
    this.#observers.add(observer);
    if (this.#timer !== null) return;
    this.#heardAt = runningTime();
    this.#timer = setInterval(() => this.#checkSilence(), INTERVAL);
  }

  remove(observer: ConnectionObserver): void {
    this.#observers.delete(observer);
    if (this.#observers.size === 0) this.#stop();
  }

  #checkSilence(): void {
    if (!this.#isConnected) {
      this.#heardAt = runningTime();
    } else if (!this.#isAsking) {
      this.#isAsking = true;
      this.#connection
        .flush()
        .then(
          () => (this.#heardAt = runningTime()),
          () => {},
        )
        .finally(() => (this.#isAsking = false));
    } else if (runningTime() - this.#heardAt > MAX_SILENCE) {
      this.#isAsking = false;
      this.#heardAt = runningTime();
      this.#connection.reconnect().catch(() => {}); // The connection is closed or draining.
    }
  }

  async #follow(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === "disconnect") this.#onDisconnect();
      else if (status.type === "reconnect") this.#onReconnect();
      else if (status.type === "error" && status.error instanceof errors.AuthorizationError)
        this.failure = status.error;
    }
    this.#stop();
    for (const observer of [...this.#observers]) observer.onClosed();
  }

  #onDisconnect(): void {
    this.#isConnected = false;
    for (const observer of [...this.#observers]) observer.onDisconnect();
  }

  #onReconnect(): void {
    this.#isConnected = true;
    this.failure = undefined;
    this.#isAsking = false;
    this.#heardAt = runningTime();
    for (const observer of [...this.#observers]) observer.onReconnect();
  }

  #stop(): void {
    clearInterval(this.#timer ?? undefined);
    this.#timer = null;
  }
}
