// The application's connection to NATS. While it is down, NATS' client buffers what is published and sends it later.
// The engine has to know what was sent, so it waits for the connection instead.

import { jetstreamManager, type JetStreamManager } from "@nats-io/jetstream";
import { type Msg, type MsgHdrs, type NatsConnection } from "@nats-io/transport-node";
import { EngineUnavailableError } from "holdfast/topics";
import { type ConnectionObserver, type ConnectionWatch, watchOf } from "./connection-watch.js";
import { before, CLIENT_TIMEOUT, deadlineFromNow, sleep } from "./deadline.js";
import { closedEngine, isNoResponders, noConnection, noReply, toEngineError } from "./failures.js";
import { runningTime } from "./running-time.js";

const RETRY_DELAY = 50;

export class Link implements ConnectionObserver {
  readonly connection: NatsConnection;
  readonly #watch: ConnectionWatch;
  /** Called after a reconnect: messages to subscriptions were lost meanwhile. */
  readonly #onRestored = new Set<() => void>();
  #jetStream: Promise<JetStreamManager> | null = null;
  #waiting: (() => void)[] = [];
  /** Rejects when the connection is lost, because the pending answers are lost with it. */
  #lost = new Loss();
  #isClosed = false;

  constructor(connection: NatsConnection) {
    this.connection = connection;
    this.#watch = watchOf(connection);
    this.#watch.add(this);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Identifies one run of a single server. Such a server confirms messages before they are safe on its disk, so each
   * restart ends all epochs. A cluster does not reveal restarts.
   */
  get serverLife(): string {
    const { info } = this.connection;
    return info?.cluster === undefined ? (info?.server_id ?? "").slice(1, 13) : "cluster";
  }

  get maxPayload(): number {
    return this.connection.info?.max_payload ?? 1_048_576;
  }

  onRestored(listener: () => void): void {
    this.#onRestored.add(listener);
  }

  /** @throws EngineUnavailableError if there is no connection at the deadline */
  async ready(deadline: number): Promise<void> {
    if (this.#isClosed) throw closedEngine();
    const { failure } = this.#watch;
    if (this.connection.isClosed()) {
      if (failure !== undefined) throw noConnection(failure);
      const message =
        "The connection to NATS is closed. Open it with `maxReconnectAttempts: -1`, so that it does not give up.";
      throw new EngineUnavailableError(message, "unsent");
    }
    if (!this.#watch.isConnected) {
      const connected = new Promise<void>((resolve) => this.#waiting.push(resolve));
      await before(deadline, connected, () => noConnection(this.#watch.failure));
      return this.ready(deadline);
    }
    const version = this.connection.info?.version ?? "";
    if (isOld(version)) {
      const message = `Expected nats-server 2.9 or later, got ${version}.`;
      throw new EngineUnavailableError(message, "unsent");
    }
  }

  /**
   * Calls JetStream within the deadline.
   * @param isRepeatable whether it may be done again if the connection was lost meanwhile
   * @throws EngineUnavailableError
   */
  async jetStream<Result>(
    act: (manager: JetStreamManager) => Promise<Result>,
    deadline: number = deadlineFromNow(),
    isRepeatable = true,
  ): Promise<Result> {
    for (;;) {
      await this.ready(deadline);
      try {
        // `checkAPI: false`: the check needs a permission that the account may not have.
        this.#jetStream ??= jetstreamManager(this.connection, { timeout: CLIENT_TIMEOUT, checkAPI: false });
        return await before(deadline, this.#lost.race(act(await this.#jetStream)), noReply);
      } catch (error) {
        // A server that has just started needs a moment before JetStream answers.
        const isStarting = isNoResponders(error) && this.connection.info?.jetstream === true;
        const mayRepeat = isStarting || (isRepeatable && error instanceof ConnectionLost);
        if (error instanceof ConnectionLost && !isRepeatable) throw noReply(error);
        if (!mayRepeat || deadlineFromNow(RETRY_DELAY) >= deadline) throw error;
        await sleep(RETRY_DELAY);
      }
    }
  }

  /** Sends a request, in call order. Call `ready` first. */
  request(subject: string, body: Uint8Array, headers: MsgHdrs | null, deadline: number): Promise<Msg> {
    const timeout = Math.max(0, deadline - runningTime()) + CLIENT_TIMEOUT;
    const options = headers === null ? { timeout } : { timeout, headers };
    return before(deadline, this.#lost.race(this.connection.request(subject, body, options)), noReply);
  }

  /** Resolves once the server has received everything sent before. */
  async flush(deadline: number): Promise<void> {
    try {
      await before(deadline, this.#lost.race(this.connection.flush()), noReply);
    } catch (error) {
      throw toEngineError(error);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#watch.remove(this);
    this.#onRestored.clear();
    for (const proceed of this.#waiting.splice(0)) proceed();
  }

  // ConnectionObserver

  onDisconnect(): void {
    this.#lost.happen();
    this.#lost = new Loss();
  }

  onReconnect(): void {
    for (const proceed of this.#waiting.splice(0)) proceed();
    for (const listener of this.#onRestored) listener();
  }

  onClosed(): void {
    for (const proceed of this.#waiting.splice(0)) proceed();
  }
}

/** The connection was lost before the answer arrived. NATS' client would wait for the answer until its time-out. */
class ConnectionLost extends Error {}

class Loss {
  readonly #waiting = new Set<(error: ConnectionLost) => void>();

  race<Result>(promise: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      promise.finally(() => this.#waiting.delete(reject)).then(resolve, reject);
    });
  }

  happen(): void {
    for (const reject of this.#waiting) reject(new ConnectionLost("The connection to NATS was lost."));
  }
}

function isOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < 2 || (major === 2 && minor < 9);
}
