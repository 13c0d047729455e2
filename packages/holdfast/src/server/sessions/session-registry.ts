// The sessions of a server: drops them when they expire or the memory is full, and saves them when the server closes.

import { createConnection, type Connection } from "../../connection/connection.js";
import type { HandshakeRecord } from "../../connection/handshake-record.js";
import type { ConnectionSettings } from "../../connection/options.js";
import type { Message } from "../../connection/reading/inbox.js";
import type { ServerSession, ServerSessionSettings } from "../../session/server-session.js";
import type { SessionRecord } from "../../session/store/session-record.js";
import { ignore } from "../../shared/deferred.js";
import type { SessionLoss } from "../../shared/session-errors.js";
import { errorOf } from "../../shared/thrown.js";
import { NO_MESSAGES } from "../../transport/session/session-extras.js";
import type {
  ServerSessionTransportOptions,
  SessionKeeper,
} from "../../transport/session/server-session-options.js";
import { ServerSessionTransport } from "../../transport/session/server-session-transport.js";
import type { ServerSettings } from "../options.js";
import { DetachedSessions } from "./detached-sessions.js";
import { LostSessions } from "./lost-sessions.js";
import { SessionOpenings, WINDOW, type SessionHost, type SessionSocket } from "./session-openings.js";
import type { SessionSettings } from "./session-options.js";
import { SessionsById } from "./sessions-by-id.js";
import { logOf, StoredSessions } from "./stored-sessions.js";

/** The sessions of a server. */
export interface SessionUsage {
  /** The number of sessions with a socket. */
  readonly attached: number;
  /** The number of sessions without a socket. */
  readonly detached: number;
  /** Bytes that count towards `memory`, estimated. */
  readonly memory: number;
}

/** Milliseconds within which received messages are acknowledged. */
const ACK_DELAY = 100;

/**
 * Milliseconds after which the store is asked for the first time whether another process has claimed a detached session;
 * then each time after twice as long.
 */
const FIRST_QUESTION = 2_000;

/** Milliseconds by which the time of day may differ from an exact sum. */
const ROUNDING = 1;

export class SessionRegistry implements SessionKeeper {
  readonly #host: SessionHost;
  readonly #settings: SessionSettings;
  readonly #connectionSettings: ConnectionSettings;
  readonly #transportOptions: ServerSessionTransportOptions;
  readonly #stored: StoredSessions;
  readonly #openings: SessionOpenings;
  readonly #meter = { used: 0 };
  readonly #held = new SessionsById<ServerSessionTransport>();
  readonly #detached = new DetachedSessions(this.#meter);
  readonly lost = new LostSessions();
  #isClosing = false;

  constructor(
    host: SessionHost,
    settings: SessionSettings,
    { connection, openTimeout }: Pick<ServerSettings, "connection" | "openTimeout">,
  ) {
    this.#host = host;
    this.#settings = settings;
    this.#connectionSettings = connection;
    const { retain, maxLifetime, acknowledge, durability } = settings;
    const machineSettings: ServerSessionSettings = {
      window: WINDOW,
      retain,
      maxLifetime,
      acknowledge: durability === "message" ? "logged" : acknowledge,
      meter: this.#meter,
      epoch: host.runtime.clock.wallNow(),
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
    const onFailure = (error: unknown): void => this.#onFailure(error);
    this.#stored = new StoredSessions({
      runtime: host.runtime,
      settings,
      held: this.#held,
      onFailure,
      onInterrupted: (error) => {
        const { faultLogger } = connection;
        if (error === null) faultLogger?.warn("session store works again");
        else faultLogger?.error("session store failed, sessions wait", { error: errorOf(error) });
      },
    });
    this.#openings = new SessionOpenings({
      host,
      settings,
      machineSettings,
      openTimeout: openTimeout ?? Infinity,
      registry: this,
      stored: this.#stored,
      onFailure,
    });
  }

  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** Waits for the client's first word on a new socket. Call it before the socket's connection starts. */
  greet(socket: SessionSocket): void {
    this.#openings.greet(socket);
  }

  /** The session with this id; undefined if this process does not have it. */
  find(id: string): ServerSessionTransport | undefined {
    return this.#held.find(id);
  }

  /** The number of sessions without a socket. */
  get detached(): number {
    return this.#detached.size;
  }

  /** Ends the sockets that sessions use. */
  destroySockets(): void {
    for (const transport of this.#held) transport.destroySocket();
  }

  /** Ended sessions that are being removed from the store, which may be closed after that. */
  get removals(): ReadonlySet<Promise<void>> {
    return this.#stored.removals;
  }

  /** As in `Server.sessions`. */
  get usage(): SessionUsage {
    const detached = this.#detached.size;
    return { attached: this.#held.size - detached, detached, memory: this.#meter.used };
  }

  /**
   * Saves all sessions, so that another process can resume them. The application gets no more messages, and has `grace`
   * milliseconds to finish with those that it has: until then, it may answer them.
   */
  async park(grace: number): Promise<void> {
    this.#isClosing = true;
    this.#stored.close();
    if (this.#settings.durability === "process") return;
    const held = [...this.#held];
    const finished = Promise.all(held.map((transport) => transport.freeze()));
    let cancel: () => void = ignore;
    const timeout = new Promise<void>((resolve) => {
      cancel = this.#host.runtime.clock.setTimer(grace, resolve);
    });
    await Promise.race([finished, timeout]);
    cancel();
    await this.#stored.save(this.#held);
  }

  // SessionKeeper

  onDetached(transport: ServerSessionTransport): void {
    this.#detached.add(transport);
    this.onKept();
    this.#awaitResume(transport);
  }

  #awaitResume(transport: ServerSessionTransport): void {
    const { attempt, deadline } = transport.machine;
    if (!this.#holds(transport) || deadline === null) return;
    logOf(transport)?.onDeadline(deadline, attempt);
    this.#setAlarm(transport);
  }

  #setAlarm(transport: ServerSessionTransport): void {
    const now = this.#host.runtime.clock.now();
    const expiry = this.#untilExpiry(transport);
    const question =
      logOf(transport) === null ? Infinity : Math.max(FIRST_QUESTION, now - transport.detachedAt);
    const wait = Math.min(expiry, question);
    if (wait < Infinity) transport.setAlarm(now + Math.max(0, wait));
  }

  /** Milliseconds until a detached session expires. */
  #untilExpiry({ machine }: ServerSessionTransport): number {
    const { clock } = this.#host.runtime;
    const wallNow = clock.wallNow();
    return (machine.expiryAt(clock.now(), wallNow) ?? wallNow) - wallNow;
  }

  onEnded(transport: ServerSessionTransport, loss: SessionLoss | null): void {
    if (!this.#holds(transport)) return;
    this.#held.delete(transport);
    this.#detached.delete(transport);
    transport.cancelAlarm();
    // One that has moved may return.
    if (loss !== null && loss !== "moved") this.lost.add(transport.machine, loss);
    this.#stored.remove(transport, loss);
  }

  onSocket(socket: Connection, isUsed: boolean): void {
    this.#host.onSessionSocket(socket, isUsed);
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

  /** A detached session has expired, or the store is asked for it, or an attached one must be renewed there. */
  onAlarm(transport: ServerSessionTransport): void {
    const { machine } = transport;
    const { clock } = this.#host.runtime;
    const isLogged = logOf(transport) !== null;
    if (machine.state === "attached") this.#stored.renew(transport);
    else if (isLogged && this.#untilExpiry(transport) > ROUNDING) {
      void this.#stored.ask(transport);
      this.#setAlarm(transport);
    } else if (machine.prolong(clock.now(), clock.wallNow())) this.#awaitResume(transport);
    // The alarm decides, not the time of day, which may have been set back.
    else if (machine.state !== "detached") return;
    else if (isLogged) void this.#stored.expire(transport);
    else transport.lose("expired");
  }

  /** The session has a socket. */
  onAttached(transport: ServerSessionTransport): void {
    this.#detached.delete(transport);
  }

  /** `record` is what the store has of a session that was claimed; null for a new one. */
  hold(
    session: ServerSession,
    first: Connection,
    handshake: HandshakeRecord,
    record: SessionRecord | null,
  ): ServerSessionTransport {
    const { runtime } = this.#host;
    const transports: ServerSessionTransport[] = [];
    const log = this.#stored.newLog(session, () => transports[0]);
    const unread = record === null ? NO_MESSAGES : record.inbox.map(({ message }) => message as Message); // As received.
    createConnection({
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
      keepalive: () => transports[0],
      settings: this.#connectionSettings,
      handshake,
      owner: this.#host,
    });
    const [transport] = transports;
    this.#held.add(transport);
    runtime.monitor?.onSessionOpen(session.id, "server", record === null);
    this.#stored.onHeld();
    return transport;
  }

  #holds(transport: ServerSessionTransport): boolean {
    return this.#held.find(transport.id) === transport;
  }

  #onFailure(error: unknown): void {
    this.#connectionSettings.faultLogger?.error("sessions failed", { error: errorOf(error) });
  }
}
