// The store of a server's sessions: creates, takes, renews, saves and removes them there, as `durability` says.

import type { Connection } from "../../connection/connection.js";
import { coreOf } from "../../connection/core-of.js";
import type { Runtime } from "../../connection/runtime.js";
import type { ServerSession, SessionProof } from "../../session/server-session.js";
import type { SessionRecord } from "../../session/store/session-record.js";
import type { Claim } from "../../session/store/session-store.js";
import { SessionFencedError, type SessionLoss } from "../../shared/session-errors.js";
import type { ServerSessionTransport } from "../../transport/session/server-session-transport.js";
import { SessionLog } from "./session-log.js";
import type { SessionSettings } from "./session-options.js";
import { StoreCalls } from "./store-calls.js";
import { StoreSweeper } from "./store-sweeper.js";

/** The log of a session; null unless `durability` is `"message"`. */
export function logOf(transport: ServerSessionTransport): SessionLog | null {
  const { log } = transport;
  return log instanceof SessionLog ? log : null;
}

export class StoredSessions {
  /** Ended sessions that are being removed. The application may close the store after that. */
  readonly removals = new Set<Promise<void>>();
  readonly #runtime: Runtime;
  readonly #settings: SessionSettings;
  readonly #onFailure: (error: unknown) => void;
  readonly #store: StoreCalls;
  readonly #sweeper: StoreSweeper;
  #isClosing = false;

  constructor(runtime: Runtime, settings: SessionSettings, onFailure: (error: unknown) => void) {
    this.#runtime = runtime;
    this.#settings = settings;
    this.#onFailure = onFailure;
    this.#store = new StoreCalls(settings.store, runtime.clock, runtime.platform);
    this.#sweeper = new StoreSweeper(this.#store, runtime, onFailure);
  }

  /** The server closes: no further session begins. */
  close(): void {
    this.#isClosing = true;
    this.#sweeper.stop();
  }

  /** This process holds a session. */
  onHeld(): void {
    if (this.#settings.durability !== "process") this.#sweeper.begin();
  }

  /** A new session; with `"message"`, its client learns of it only once the store has it. False if that failed, or took too long. */
  async create(machine: ServerSession, connection: Connection): Promise<boolean> {
    if (this.#settings.durability !== "message") return true;
    try {
      await this.#store.save(machine.save([], undefined, this.#liveDeadline));
    } catch (error) {
      this.#onFailure(error);
      return false;
    }
    if (this.#mayContinue(connection)) return true;
    await this.#store.remove(machine.id, 1, null, this.#wallNow);
    return false;
  }

  claim(id: string, proof: SessionProof): Promise<Claim> {
    return this.#store.claim(id, proof);
  }

  /**
   * With `"shutdown"`, what the store has is out of date from now on: it must not be resumed again if this process is
   * killed. Returns false if the session cannot be continued now.
   */
  async take(connection: Connection, record: SessionRecord): Promise<boolean> {
    if (this.#isClosing) return false;
    const { durability, retain } = this.#settings;
    if (durability === "message") return true;
    try {
      await this.#store.remove(record.id, record.generation, "unknown", this.#wallNow + retain);
      if (this.#mayContinue(connection)) return true;
      await this.#store.save({ ...record, generation: record.generation + 1 });
    } catch (error) {
      this.#onFailure(error);
    }
    return false;
  }

  /** The log of a session; null unless `durability` is `"message"`. */
  newLog(session: ServerSession, transport: () => ServerSessionTransport): SessionLog | null {
    const { acknowledge, durability } = this.#settings;
    if (durability !== "message") return null;
    return new SessionLog(session.save([]), acknowledge, this.#store, this.#runtime.clock, {
      record: () => transport().record(this.#liveDeadline),
      onLogging: (sent) => transport().machine.ledger.outgoing.handOver(sent),
      onLogged: (sent, settled) => transport().onLogged(sent, settled),
      onFull: (isFull) => {
        if (isFull) transport().newest.pauseReading("session");
        else transport().newest.resumeReading("session");
      },
      onFailure: (error) => {
        const isFenced = error instanceof SessionFencedError;
        if (isFenced) {
          transport().machine.ledger.outgoing.takeBack();
          transport().fence(); // Sends `moved` on the socket.
        } else this.#onFailure(error);
        transport().lose(isFenced ? "moved" : "store");
      },
    });
  }

  /**
   * Says in the store that this process still holds the session: it expires soon after the process was killed.
   *
   * @param writtenAt when the caller has said so already, in monotonic milliseconds; null if it has not
   */
  renew(transport: ServerSessionTransport, writtenAt: number | null = null): void {
    const { retain } = this.#settings;
    transport.cancelAlarm();
    const log = logOf(transport);
    if (log === null || retain === Infinity) return;
    if (writtenAt === null) this.#logDeadline(log, transport.machine);
    transport.setAlarm((writtenAt ?? this.#runtime.clock.now()) + retain / 2);
  }

  /**
   * The client resumes the session with this attempt. Asks the store, by renewing it there, whether another process has
   * claimed the session meanwhile: then it ends here, as `moved`.
   */
  async check(transport: ServerSessionTransport, attempt: number): Promise<void> {
    const log = logOf(transport);
    if (log === null) return;
    this.#logDeadline(log, transport.machine, attempt);
    await log.write();
  }

  /** Saves all sessions, as they are in this turn. */
  async save(sessions: Iterable<ServerSessionTransport>): Promise<void> {
    const records = Array.from(sessions, (transport) => ({ transport, record: this.#park(transport) }));
    await Promise.all(records.map(({ transport, record }) => this.#save(transport, record)));
  }

  /** The session has ended here: no process must continue it. */
  remove(transport: ServerSessionTransport, loss: SessionLoss | null): void {
    const log = logOf(transport);
    if (log === null || transport.isParked) return;
    const removal = this.#remove(log, transport.machine, loss).finally(() => this.removals.delete(removal));
    this.removals.add(removal);
  }

  #logDeadline(log: SessionLog, machine: ServerSession, attempt = 0): void {
    log.onDeadline(Math.min(this.#liveDeadline, machine.lifetimeEnd), Math.max(attempt, machine.attempt));
  }

  /** Neither the socket has ended nor the server closed meanwhile. */
  #mayContinue(connection: Connection): boolean {
    return !coreOf(connection).hasEnded && !this.#isClosing;
  }

  #park(transport: ServerSessionTransport): SessionRecord {
    const record = transport.park(this.#wallNow + this.#settings.retain);
    // A new generation, since the old one was removed when this process claimed it.
    return logOf(transport) === null ? { ...record, generation: record.generation + 1 } : record;
  }

  async #save(transport: ServerSessionTransport, record: SessionRecord): Promise<void> {
    const log = logOf(transport);
    try {
      await log?.end();
      await this.#store.save(record);
      if (log !== null) transport.onLogged(record.outgoing.sent, record.incoming.confirmed);
    } catch (error) {
      this.#onFailure(error);
    }
  }

  async #remove(log: SessionLog, machine: ServerSession, loss: SessionLoss | null): Promise<void> {
    await log.end();
    if (loss === "moved") return; // Another process has it.
    try {
      const until = this.#wallNow + this.#settings.retain;
      await this.#store.remove(machine.id, machine.generation, loss, until);
    } catch (error) {
      if (!(error instanceof SessionFencedError)) this.#onFailure(error);
    }
  }

  /** Epoch milliseconds until which the store keeps an attached session that is not renewed. */
  get #liveDeadline(): number {
    return this.#wallNow + this.#settings.retain * 1.5;
  }

  get #wallNow(): number {
    return this.#runtime.clock.wallNow();
  }
}
