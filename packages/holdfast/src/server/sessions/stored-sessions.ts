// The store of a server's sessions: creates, takes, renews, saves and removes them there, as `durability` says.

import type { Connection } from "../../connection/connection.js";
import { coreOf } from "../../connection/core-of.js";
import type { Runtime } from "../../connection/runtime.js";
import type { ServerSession, SessionProof } from "../../session/server-session.js";
import type { SessionRecord } from "../../session/store/session-record.js";
import type { Claim } from "../../session/store/session-store.js";
import { EngineUnavailableError } from "../../shared/engine-unavailable-error.js";
import { ignore } from "../../shared/deferred.js";
import { SessionFencedError, type SessionLoss } from "../../shared/session-errors.js";
import type { ServerSessionTransport } from "../../transport/session/server-session-transport.js";
import { SessionLog } from "./session-log.js";
import type { SessionSettings } from "./session-options.js";
import { StoreCalls, storeError } from "./store-calls.js";
import { StoreSweeper } from "./store-sweeper.js";
import { withinTime } from "./within-time.js";

/** The log of a session; null unless `durability` is `"message"`. */
export function logOf(transport: ServerSessionTransport): SessionLog | null {
  const { log } = transport;
  return log instanceof SessionLog ? log : null;
}

/** The longest time in milliseconds between two renewals of a session. */
const MAX_LEASE = 60 * 60 * 1000;

export interface StoredSessionsContext {
  readonly runtime: Runtime;
  readonly settings: SessionSettings;
  /** The sessions of this process. */
  readonly held: Iterable<ServerSessionTransport>;
  readonly onFailure: (error: unknown) => void;
  /** The store fails, and sessions wait for it; null once it works again. */
  readonly onInterrupted: (error: unknown) => void;
}

export class StoredSessions {
  /** Ended sessions that are being removed. The application may close the store after that. */
  readonly removals = new Set<Promise<void>>();
  readonly #runtime: Runtime;
  readonly #settings: SessionSettings;
  readonly #onFailure: (error: unknown) => void;
  readonly #onInterrupted: (error: unknown) => void;
  readonly #store: StoreCalls;
  readonly #sweeper: StoreSweeper;
  #isInterrupted = false;
  #isClosing = false;

  constructor({ runtime, settings, held, onFailure, onInterrupted }: StoredSessionsContext) {
    this.#runtime = runtime;
    this.#settings = settings;
    this.#onFailure = onFailure;
    this.#onInterrupted = onInterrupted;
    this.#store = new StoreCalls(settings.store, runtime.clock, runtime.platform);
    const renewHeld = (): void => {
      for (const transport of held) this.#logDeadline(transport);
    };
    this.#sweeper = new StoreSweeper(this.#store, runtime, renewHeld, onFailure);
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
      await this.#store.save(machine.save([], undefined, this.#liveDeadline(machine)));
    } catch (error) {
      this.#onFailure(error);
      return false;
    }
    this.#noteState(null);
    if (this.#mayContinue(connection)) return true;
    await this.#store.remove(machine.id, 1, null, this.#wallNow);
    return false;
  }

  /**
   * Takes a session over for its client, which `connection` reaches. Null if the session cannot be continued now, but later:
   * the store is down, the server closes, or the client has gone.
   */
  async claim(id: string, proof: SessionProof, connection: Connection): Promise<Claim | null> {
    try {
      const claim = await this.#store.claim(id, proof);
      this.#noteState(null);
      if (claim.type === "lost") return claim;
      return this.#mayContinue(connection) && (await this.#take(claim.record, connection)) ? claim : null;
    } catch (error) {
      if (error instanceof EngineUnavailableError) {
        this.#noteState(error);
        return null;
      }
      return { type: "lost", reason: "store", error: storeError(error) };
    }
  }

  /**
   * With `"shutdown"`, what the store has is out of date from now on: it must not be resumed again if this process is
   * killed. Returns false if the session cannot be continued now.
   */
  async #take(record: SessionRecord, connection: Connection): Promise<boolean> {
    const { durability, retain } = this.#settings;
    if (durability === "message") return true;
    await this.#store.remove(record.id, record.generation, "unknown", this.#wallNow + retain);
    if (this.#mayContinue(connection)) return true;
    await this.#store.save({ ...record, generation: record.generation + 1 });
    return false;
  }

  /** The log of a session; null unless `durability` is `"message"`. */
  newLog(session: ServerSession, transport: () => ServerSessionTransport): SessionLog | null {
    const { acknowledge, durability } = this.#settings;
    if (durability !== "message") return null;
    return new SessionLog(session.save([]), acknowledge, this.#store, this.#runtime.clock, this.#lease, {
      record: () => transport().record(this.#deadlineOf(transport().machine)),
      onLogging: (sent) => transport().machine.ledger.outgoing.handOver(sent),
      onLogged: (sent, settled) => transport().onLogged(sent, settled),
      onFull: (isFull) => {
        if (isFull) transport().newest.pauseReading("session");
        else transport().newest.resumeReading("session");
      },
      onInterrupted: (error) => this.#noteState(error),
      onFailure: (error) => {
        const isFenced = error instanceof SessionFencedError;
        if (isFenced)
          transport().fence(); // Sends `moved` on the socket.
        else this.#onFailure(error);
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
    transport.cancelAlarm();
    if (logOf(transport) === null || this.#liveDeadline(transport.machine) === Infinity) return;
    if (writtenAt === null) this.#logDeadline(transport);
    transport.setAlarm((writtenAt ?? this.#runtime.clock.now()) + this.#lease / 2);
  }

  /**
   * The client resumes the session with this attempt. Asks the store, by renewing it there, whether another process has
   * claimed the session meanwhile: then it ends here, as `moved`.
   */
  async check(transport: ServerSessionTransport, attempt: number): Promise<void> {
    const log = logOf(transport);
    if (log === null) return;
    const { machine } = transport;
    log.onDeadline(this.#liveDeadline(machine), Math.max(attempt, machine.attempt));
    await log.write();
  }

  /** Asks whether another process has claimed a detached session: then it ends here, as `moved`. */
  async ask(transport: ServerSessionTransport): Promise<void> {
    const { machine } = transport;
    await logOf(transport)?.ask(this.#deadlineOf(machine), machine.attempt);
  }

  /** A detached session has expired, unless it has moved. */
  async expire(transport: ServerSessionTransport): Promise<void> {
    await withinTime(() => this.ask(transport), this.#runtime.clock, "the session store").catch(ignore);
    if (transport.machine.state === "detached" && !transport.isParked) transport.lose("expired");
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

  #logDeadline(transport: ServerSessionTransport): void {
    const { machine } = transport;
    logOf(transport)?.onDeadline(this.#deadlineOf(machine), machine.attempt);
  }

  /** Reports each change once, however many sessions wait. */
  #noteState(error: unknown): void {
    const isInterrupted = error !== null;
    if (isInterrupted === this.#isInterrupted) return;
    this.#isInterrupted = isInterrupted;
    this.#onInterrupted(error);
  }

  /** Neither the socket has ended nor the server closed meanwhile. */
  #mayContinue(connection: Connection): boolean {
    return !coreOf(connection).hasEnded && !this.#isClosing;
  }

  #park(transport: ServerSessionTransport): SessionRecord {
    const { machine } = transport;
    const deadline = this.#expiryOf(machine) ?? this.#wallNow + this.#settings.retain;
    const record = transport.park(Math.min(deadline, machine.lifetimeEnd));
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
      if (log === null) transport.lose("store"); // Otherwise the store has what was logged.
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

  /** Epoch milliseconds until which the store keeps a session unless its process renews that. */
  #deadlineOf(machine: ServerSession): number {
    return this.#expiryOf(machine) ?? this.#liveDeadline(machine);
  }

  /** The same while attached: also beyond the end of the lifetime. A resume judges that by the time of the creation. */
  #liveDeadline(machine: ServerSession): number {
    const unclaimed = Math.min(this.#wallNow + this.#settings.retain * 1.5, machine.lifetimeEnd);
    return Math.max(this.#wallNow + this.#lease * 1.5, unclaimed);
  }

  #expiryOf(machine: ServerSession): number | null {
    return machine.expiryAt(this.#runtime.clock.now(), this.#wallNow);
  }

  /**
   * Milliseconds: an attached session is renewed after half of it. It waits as long for a store that fails: until then,
   * no other process forgets it.
   */
  get #lease(): number {
    return Math.min(this.#settings.retain, MAX_LEASE);
  }

  get #wallNow(): number {
    return this.#runtime.clock.wallNow();
  }
}
