// The sessions of a server: opens and resumes them, drops them when they expire or the memory is full, and saves them
// when the server closes.

/* eslint max-lines: ["warn", { "max": 486, "skipBlankLines": true, "skipComments": true }] -- One table of sessions, with all changes of it. */

import { createHash } from "node:crypto";
import { coreOf, createConnection, type Connection } from "../../connection/connection.js";
import type { HandshakeRecord } from "../../connection/handshake-record.js";
import type { Inbox } from "../../connection/inbox.js";
import type { Listeners } from "../../connection/listeners.js";
import type { ConnectionSettings } from "../../connection/options.js";
import type { Runtime } from "../../connection/runtime.js";
import { Deadline } from "../../connection/timer-queue.js";
import {
  judgeProof,
  ServerSession,
  writeLost,
  writeOpened,
  type ServerSessionSettings,
  type SessionProof,
} from "../../session/server-session.js";
import type { Claim } from "../../session/store/session-store.js";
import {
  equalInConstantTime,
  formatSessionId,
  formatSessionSecret,
  ID_BYTES,
  SECRET_BYTES,
} from "../../session/session-id.js";
import { writeSessionMessage, type SessionMessage, type SessionTicket } from "../../session/wire.js";
import { ignore } from "../../shared/deferred.js";
import { SessionFencedError, type SessionLoss } from "../../shared/session-errors.js";
import { describe } from "../../shared/option-checks.js";
import { InvalidArgumentError } from "../../shared/errors.js";
import { errorOf } from "../../shared/thrown.js";
import type { SessionLink } from "../../transport/session/session-link.js";
import { SessionKeepalive } from "../../transport/session/session-keepalive.js";
import {
  NO_MESSAGES,
  ServerSessionTransport,
  type ServerSessionTransportOptions,
  type SessionKeeper,
} from "../../transport/session/server-session-transport.js";
import { EXCESS_TIMEOUT } from "../limits/excess-sockets.js";
import type { ServerSettings } from "../options.js";
import type { ServerRequest } from "../upgrade/server-request.js";
import { DetachedSessions } from "./detached-sessions.js";
import { SessionGreeter } from "./session-greeter.js";
import { SessionHandshake } from "./session-handshake.js";
import { SessionLog } from "./session-log.js";
import { StoreCalls } from "./store-calls.js";
import { StoreSweeper } from "./store-sweeper.js";
import { withinTime } from "./within-time.js";
import type { SessionSettings } from "./session-options.js";

/** A socket whose client speaks of a session. */
export interface SessionSocket {
  readonly connection: Connection;
  readonly link: SessionLink;
  readonly request: ServerRequest;
  readonly handshake: HandshakeRecord;
  /** The socket is above the limits of connections: see ExcessSockets. */
  readonly isExcess: boolean;
}

/** The sessions of a server. */
export interface SessionUsage {
  /** The number of sessions with a socket. */
  readonly attached: number;
  /** The number of sessions without a socket. */
  readonly detached: number;
  /** Bytes that count towards `memory`, estimated. */
  readonly memory: number;
}

export interface SessionRegistryHost {
  readonly runtime: Runtime;
  /**
   * Whether the limits let the socket carry a session.
   *
   * @param replaced the socket that carries the session so far; null for none
   */
  mayCarry(socket: Connection, replaced: Connection | null): boolean;
  /** The socket carries a session from now on, in place of the other one. */
  onCarrying(socket: Connection, replaced: Connection | null): void;
  /** A session has begun: its connection goes to the application. */
  onSession(connection: Connection, request: ServerRequest): void;
  /** The session's connection has ended. */
  onConnectionEnded(connection: Connection): void;
}

/** The limit of unconfirmed messages in each direction. */
const WINDOW = { messages: 1024, bytes: 256 * 1024 };

/** Milliseconds within which received messages are acknowledged. */
const ACK_DELAY = 100;

/** A session of this process. */
interface Held {
  readonly transport: ServerSessionTransport;
  readonly connection: Connection;
  readonly handshake: SessionHandshake;
  readonly expiry: Expiry;
  /** Null unless `durability` is `"message"`. */
  readonly log: SessionLog | null;
}

type Resume = Extract<SessionMessage, { readonly type: "resume" }>;

type ClaimedRecord = Extract<Claim, { readonly type: "claimed" }>["record"];

export class SessionRegistry implements SessionKeeper {
  readonly #host: SessionRegistryHost;
  readonly #settings: SessionSettings;
  readonly #connectionSettings: ConnectionSettings;
  readonly #openTimeout: number;
  readonly #machineSettings: ServerSessionSettings;
  readonly #transportOptions: ServerSessionTransportOptions;
  readonly #store: StoreCalls;
  readonly #sweeper: StoreSweeper;
  readonly #meter = { used: 0 };
  readonly #held = new Map<string, Held>();
  /** Ended sessions that are being removed from the store, which may be closed after that. */
  readonly removals = new Set<Promise<void>>();
  readonly #detached = new DetachedSessions(this.#meter);
  /** Sessions that are being claimed from the store. */
  readonly #claims = new Map<string, Promise<void>>();
  /** Why the sessions ended that clients may still ask for; the oldest first. */
  readonly #losses = new Map<string, { readonly secretHash: string; readonly loss: SessionLoss }>();
  #isClosing = false;

  constructor(
    host: SessionRegistryHost,
    settings: SessionSettings,
    { connection, openTimeout }: Pick<ServerSettings, "connection" | "openTimeout">,
  ) {
    this.#host = host;
    this.#settings = settings;
    this.#connectionSettings = connection;
    this.#openTimeout = openTimeout ?? Infinity;
    const { retain, maxLifetime, acknowledge, durability, store } = settings;
    this.#machineSettings = {
      window: WINDOW,
      retain,
      maxLifetime,
      acknowledge: durability === "message" ? "logged" : acknowledge,
      meter: this.#meter,
    };
    this.#transportOptions = {
      runtime: host.runtime,
      keeper: this,
      isAdaptive: (connection.detection ?? null) !== null,
      ackDelay: ACK_DELAY,
      writeLimit: connection.writeLimit,
      keepsWithoutLink: true,
      acknowledge,
      log: null,
    };
    this.#store = new StoreCalls(store, host.runtime.clock);
    this.#sweeper = new StoreSweeper(this.#store, host.runtime, (error) => this.#onFailure(error));
  }

  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** The number of sessions, with a socket or without. */
  get size(): number {
    return this.#held.size;
  }

  /** As in `Server.sessions`. */
  get usage(): SessionUsage {
    const detached = this.#detached.size;
    return { attached: this.#held.size - detached, detached, memory: this.#meter.used };
  }

  /** Waits for the client's first word on a new socket. Call it before the socket's connection starts. */
  greet(socket: SessionSocket): void {
    const { clock, timers } = this.#host.runtime;
    const greeter = new SessionGreeter(socket, {
      timers,
      ownerOf: (request) => this.#ownerOf(request),
      onOpen: (owner) => this.#open(socket, owner, null),
      onResume: (message, owner) => this.#resume(socket, message, owner),
      onFailure: (error) => this.#onFailure(error),
    });
    socket.link.bind(greeter);
    const limit = socket.isExcess ? Math.min(this.#openTimeout, EXCESS_TIMEOUT) : this.#openTimeout;
    if (limit < Infinity) timers.set(greeter, clock.now() + limit);
  }

  /**
   * Saves all sessions, so that another process can resume them. The application gets no more messages, and has `grace`
   * milliseconds to finish with those that it has: until then, it may answer them.
   */
  async park(grace: number): Promise<void> {
    this.#isClosing = true;
    this.#sweeper.stop();
    if (this.#settings.durability === "process") return;
    const held = Array.from(this.#held.values());
    const finished = Promise.all(held.map(({ transport }) => transport.freeze()));
    let cancel: () => void = ignore;
    const timeout = new Promise<void>((resolve) => {
      cancel = this.#host.runtime.clock.setTimer(grace, resolve);
    });
    await Promise.race([finished, timeout]);
    cancel();
    // All in one turn.
    const records = Array.from(this.#held.values(), (each) => ({ each, record: this.#park(each) }));
    await Promise.all(records.map(({ each, record }) => this.#save(each, record)));
  }

  #park({ transport, log }: Held): ClaimedRecord {
    const record = transport.park(this.#wallNow + this.#settings.retain);
    // A new generation, since the old one was removed when this process claimed it.
    return log === null ? { ...record, generation: record.generation + 1 } : record;
  }

  async #save({ log, transport }: Held, record: ClaimedRecord): Promise<void> {
    try {
      await log?.end();
      await this.#store.save(record);
      if (log !== null) transport.onLogged(record.outgoing.sent, record.incoming.confirmed);
    } catch (error) {
      this.#onFailure(error);
    }
  }

  // SessionKeeper

  listenersOf(transport: ServerSessionTransport): Listeners | null {
    const held = this.#held.get(transport.id);
    return held === undefined ? null : coreOf(held.connection).listeners;
  }

  inboxOf(transport: ServerSessionTransport): Inbox | null {
    const held = this.#held.get(transport.id);
    return held?.transport === transport ? coreOf(held.connection).inbox : null;
  }

  onDetached(transport: ServerSessionTransport): void {
    this.#detached.add(transport);
    this.onKept();
    const held = this.#held.get(transport.id);
    const deadline = transport.machine.deadline;
    if (held === undefined || deadline === null) return;
    const isEndless = deadline === Infinity;
    held.log?.onDeadline(isEndless ? null : deadline, transport.machine.attempt);
    if (isEndless) return;
    const { clock, timers } = this.#host.runtime;
    timers.set(held.expiry, clock.now() + Math.max(0, deadline - clock.wallNow()));
  }

  onEnded(transport: ServerSessionTransport, loss: SessionLoss | null): void {
    const { id } = transport;
    const held = this.#held.get(id);
    if (held?.transport !== transport) return;
    this.#held.delete(id);
    this.#detached.delete(transport);
    this.#host.runtime.timers.cancel(held.expiry);
    if (loss !== null) this.#remember(transport, loss);
    if (held.log === null || transport.isParked) return;
    const removal = this.#remove(held.log, transport, loss).finally(() => this.removals.delete(removal));
    this.removals.add(removal);
  }

  /** The session has ended here: no process must continue it. */
  async #remove(
    log: SessionLog,
    { machine }: ServerSessionTransport,
    loss: SessionLoss | null,
  ): Promise<void> {
    await log.end();
    if (loss === "moved") return; // Another process has it.
    try {
      const until = this.#wallNow + this.#settings.retain;
      await this.#store.remove(machine.identity.id, machine.generation, loss, until);
    } catch (error) {
      if (!(error instanceof SessionFencedError)) this.#onFailure(error);
    }
  }

  onKept(): void {
    const { memory } = this.#settings;
    while (this.#meter.used > memory) {
      const transport = this.#detached.next();
      if (transport === null) return;
      this.#detached.delete(transport);
      transport.lose("evicted");
    }
  }

  /** A detached session has expired, or an attached one must be renewed in the store. */
  onAlarm(transport: ServerSessionTransport): void {
    const held = this.#held.get(transport.id);
    // The alarm decides, not the time of day, which may have been set back.
    if (transport.machine.state === "detached") transport.lose("expired");
    else if (held !== undefined && transport.machine.state === "attached") this.#renew(held);
  }

  /** Says in the store that this process still holds the session: it expires soon after the process was killed. */
  #renew({ transport, log, expiry }: Held): void {
    const { retain } = this.#settings;
    const { clock, timers } = this.#host.runtime;
    timers.cancel(expiry);
    if (log === null || retain === Infinity) return;
    const { lifetimeEnd, attempt } = transport.machine;
    log.onDeadline(Math.min(this.#liveDeadline, lifetimeEnd), attempt);
    timers.set(expiry, clock.now() + retain / 2);
  }

  /** Epoch milliseconds until which the store keeps an attached session that is not renewed. */
  get #liveDeadline(): number {
    return this.#wallNow + this.#settings.retain * 1.5;
  }

  // Opening and resuming.

  async #open(socket: SessionSocket, owner: string | null, loss: SessionLoss | null): Promise<void> {
    const { connection, link, request, handshake } = socket;
    if (this.#isClosing) {
      turnAway(connection);
      return;
    }
    if (!this.#mayCarry(socket, null)) return;
    this.#host.onCarrying(connection, null);
    const { runtime } = this.#host;
    const id = formatSessionId(runtime.randomBytes(ID_BYTES));
    const secret = formatSessionSecret(runtime.randomBytes(SECRET_BYTES));
    const { subprotocol } = handshake;
    const machine = new ServerSession(
      { id, secretHash: hashOf(secret), owner, subprotocol, created: runtime.clock.wallNow() },
      this.#machineSettings,
    );
    if (this.#settings.durability === "message" && !(await this.#create(machine, connection))) return;
    const { retain } = this.#settings;
    const ttl = Math.min(Math.ceil(retain), Number.MAX_SAFE_INTEGER);
    const ticket: SessionTicket = { id, secret, ttl, window: WINDOW };
    link.sendWord(loss === null ? writeOpened(ticket) : writeLost(loss, ticket));
    const held = this.#hold(machine, connection, handshake, null);
    held.transport.attach(connection, link, machine.open(runtime.clock.now()), null);
    this.#renew(held);
    coreOf(held.connection).start();
    this.#host.onSession(held.connection, request);
  }

  /** The client learns of a session only once the store has it. Returns false if that failed, or took too long. */
  async #create(machine: ServerSession, connection: Connection): Promise<boolean> {
    try {
      await this.#store.save(machine.save([], undefined, this.#liveDeadline));
    } catch (error) {
      this.#onFailure(error);
      turnAway(connection);
      return false;
    }
    if (!coreOf(connection).hasEnded && !this.#isClosing) return true;
    turnAway(connection);
    await this.#store.remove(machine.identity.id, 1, null, this.#wallNow);
    return false;
  }

  async #resume(socket: SessionSocket, message: Resume, owner: string | null): Promise<void> {
    await this.#claims.get(message.id);
    if (this.#isClosing) {
      turnAway(socket.connection);
      return;
    }
    if (coreOf(socket.connection).hasEnded) return;
    const proof: SessionProof = { secretHash: hashOf(message.secret), owner };
    const held = this.#held.get(message.id);
    if (held === undefined) {
      await this.#resumeFromStore(socket, message, proof);
      return;
    }
    const refusal = judgeProof(held.transport.machine.identity, proof);
    if (refusal !== null) await this.#open(socket, owner, refusal);
    else if (this.#mayCarry(socket, held.transport.socket)) await this.#continue(socket, message, held);
  }

  /** A socket above the limits may only take the place of another one. */
  #mayCarry({ connection }: SessionSocket, replaced: Connection | null): boolean {
    const mayCarry = this.#host.mayCarry(connection, replaced);
    if (!mayCarry)
      coreOf(connection).closeWithCause("local-close", { code: 1013, reason: "too many connections" });
    return mayCarry;
  }

  async #continue(socket: SessionSocket, message: Resume, held: Held): Promise<void> {
    const { transport } = held;
    const { clock } = this.#host.runtime;
    const answer = transport.machine.resume(message, clock.now(), clock.wallNow());
    if (answer.type === "stale") {
      socket.link.sendWord(MOVED);
      coreOf(socket.connection).closeWithCause("local-close", { code: 1008, reason: "moved" });
      return;
    }
    const replaced = transport.socket;
    if (answer.fenced !== null) transport.fence(socket.isExcess);
    this.#host.onCarrying(socket.connection, replaced);
    if (answer.type === "lost") {
      transport.lose(answer.reason, answer.report);
      await this.#open(socket, transport.machine.identity.owner, answer.reason);
      return;
    }
    this.#detached.delete(transport);
    held.handshake.renew(socket.handshake);
    socket.link.sendWord(answer.text);
    transport.attach(socket.connection, socket.link, answer.attachment, answer);
    this.#renew(held);
  }

  async #resumeFromStore(socket: SessionSocket, message: Resume, proof: SessionProof): Promise<void> {
    const known = this.#losses.get(message.id);
    if (known !== undefined) {
      const isTheirs = equalInConstantTime(known.secretHash, proof.secretHash);
      await this.#open(socket, proof.owner, isTheirs ? known.loss : "unknown");
      return;
    }
    if (!this.#mayCarry(socket, null)) return;
    this.#host.onCarrying(socket.connection, null);
    // One claim at a time: another socket that resumes the session waits for this claim, and then finds the session
    // here.
    let endClaim: () => void = ignore;
    this.#claims.set(message.id, new Promise((resolve) => (endClaim = resolve)));
    try {
      await this.#claim(socket, message, proof);
    } finally {
      this.#claims.delete(message.id);
      endClaim();
    }
  }

  async #claim(socket: SessionSocket, message: Resume, proof: SessionProof): Promise<void> {
    const claim = await this.#store.claim(message.id, proof);
    if (coreOf(socket.connection).hasEnded) return; // The next socket claims it again.
    if (claim.type === "claimed" && !this.#isClosing && (await this.#take(socket, claim.record))) {
      const { record } = claim;
      const machine = new ServerSession(record, this.#machineSettings, record);
      const held = this.#hold(machine, socket.connection, socket.handshake, record);
      const { clock } = this.#host.runtime;
      const since = (record.deadline ?? Infinity) - this.#settings.retain;
      held.transport.detachedAt = clock.now() - Math.max(0, this.#wallNow - since);
      await this.#continue(socket, message, held);
      if (machine.state === "ended") return;
      coreOf(held.connection).start();
      this.#host.onSession(held.connection, socket.request);
      return;
    }
    if (coreOf(socket.connection).hasEnded) return;
    if (claim.type === "lost" && claim.error !== null) this.#onFailure(claim.error);
    await this.#open(socket, proof.owner, claim.type === "lost" ? claim.reason : "store");
  }

  /**
   * With `"shutdown"`, what the store has is out of date from now on: it must not be resumed again if this process is
   * killed. Returns false if the session cannot be continued now.
   */
  async #take({ connection }: SessionSocket, record: ClaimedRecord): Promise<boolean> {
    if (this.#settings.durability === "message") return true;
    try {
      await this.#store.remove(
        record.id,
        record.generation,
        "unknown",
        this.#wallNow + this.#settings.retain,
      );
      if (!coreOf(connection).hasEnded && !this.#isClosing) return true;
      await this.#store.save({ ...record, generation: record.generation + 1 });
    } catch (error) {
      this.#onFailure(error);
    }
    return false;
  }

  /** `record` is what the store has of a session that was claimed; null for a new one. */
  #hold(
    session: ServerSession,
    first: Connection,
    firstHandshake: HandshakeRecord,
    record: ClaimedRecord | null,
  ): Held {
    const { runtime } = this.#host;
    const { durability } = this.#settings;
    const transports: ServerSessionTransport[] = [];
    const log = durability === "message" ? this.#newLog(session, () => transports[0]) : null;
    const unread = record === null ? NO_MESSAGES : record.inbox.map(({ message }) => message);
    const handshake = new SessionHandshake(firstHandshake);
    const connection = createConnection({
      runtime,
      transport: (handler) => {
        const made = new ServerSessionTransport(
          log === null ? this.#transportOptions : { ...this.#transportOptions, log },
          { session, first, unread },
          handler,
        );
        transports.push(made);
        return made;
      },
      keepalive: () => new SessionKeepalive(transports[0]),
      settings: this.#connectionSettings,
      handshake,
      owner: this.#host,
    });
    const [transport] = transports;
    const held = { transport, connection, handshake, expiry: new Expiry(this, transport), log };
    this.#held.set(session.identity.id, held);
    runtime.monitor?.onSessionOpen(session.identity.id, "server", record === null);
    if (durability !== "process") this.#sweeper.begin();
    return held;
  }

  #newLog(session: ServerSession, transport: () => ServerSessionTransport): SessionLog {
    const { clock } = this.#host.runtime;
    return new SessionLog(session.save([]), this.#settings.acknowledge, this.#store, clock, {
      record: () => transport().record(this.#liveDeadline),
      onLogged: (sent, settled) => transport().onLogged(sent, settled),
      onFull: (isFull) => {
        if (isFull) transport().newest.pauseReading("session");
        else transport().newest.resumeReading("session");
      },
      onFailure: (error) => {
        const isFenced = error instanceof SessionFencedError;
        if (!isFenced) this.#onFailure(error);
        else transport().fence(); // Sends `moved` on the socket.
        transport().lose(isFenced ? "moved" : "store");
      },
    });
  }

  async #ownerOf(request: ServerRequest): Promise<string | null> {
    const { owner: ownerOf } = this.#settings;
    if (ownerOf === undefined) return null;
    const owner: unknown = await withinTime(
      () => ownerOf(request),
      this.#host.runtime.clock,
      "`sessions.owner`",
    );
    if (owner === null || owner === undefined) return null;
    if (typeof owner === "string") return owner;
    throw new InvalidArgumentError(
      `Expected \`sessions.owner\` to return a string or null, got ${describe(owner)}.`,
    );
  }

  /** Clients that ask for a lost session get its reason, for as long as they might have resumed it. */
  #remember(transport: ServerSessionTransport, loss: SessionLoss): void {
    const { id, secretHash } = transport.machine.identity;
    this.#losses.set(id, { secretHash, loss });
    if (this.#losses.size <= MAX_LOSSES) return;
    for (const oldest of this.#losses.keys()) {
      this.#losses.delete(oldest);
      return;
    }
  }

  get #wallNow(): number {
    return this.#host.runtime.clock.wallNow();
  }

  #onFailure(error: unknown): void {
    this.#connectionSettings.faultLogger?.error("sessions failed", { error: errorOf(error) });
  }
}

/** The number of lost sessions whose reason is remembered. */
const MAX_LOSSES = 10_000;

const MOVED = writeSessionMessage({ type: "moved" });

class Expiry extends Deadline {
  readonly #registry: SessionRegistry;
  readonly #transport: ServerSessionTransport;

  constructor(registry: SessionRegistry, transport: ServerSessionTransport) {
    super();
    this.#registry = registry;
    this.#transport = transport;
  }

  onAlarm(): void {
    this.#registry.onAlarm(this.#transport);
  }
}

/** The server closes, or cannot begin a session now: the client tries again. */
function turnAway(connection: Connection): void {
  coreOf(connection).closeWithCause("server-shutdown", { code: 1013, reason: "no session now" });
}

/** Only the hash of a secret is kept. */
function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
