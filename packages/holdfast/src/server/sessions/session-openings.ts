// Opens and resumes the sessions of a server, as the first word of each socket asks.

import { nodeModule } from "../../protocol/node-module.js";
import { handshakeOf, type Connection } from "../../connection/connection.js";
import { coreOf } from "../../connection/core-of.js";
import type { HandshakeRecord } from "../../connection/handshake-record.js";
import type { Runtime } from "../../connection/runtime.js";
import { judgeProof } from "../../session/judge-proof.js";
import {
  ServerSession,
  writeLost,
  writeOpened,
  type ServerSessionSettings,
  type SessionProof,
} from "../../session/server-session.js";
import type { SessionRecord } from "../../session/store/session-record.js";
import { formatSessionId, formatSessionSecret, ID_BYTES, SECRET_BYTES } from "../../session/session-id.js";
import { writeSessionMessage, type SessionMessage, type SessionTicket } from "../../session/wire.js";
import { ignore } from "../../shared/deferred.js";
import type { SessionLoss } from "../../shared/session-errors.js";
import type { SessionLink } from "../../transport/session/session-link.js";
import { EXCESS_TIMEOUT } from "../limits/excess-sockets.js";
import type { ServerRequest } from "../upgrade/server-request.js";
import type { ServerSessionTransport } from "../../transport/session/server-session-transport.js";
import type { LostSessions } from "./lost-sessions.js";
import { SessionGreeter } from "./session-greeter.js";
import type { SessionSettings } from "./session-options.js";
import { ownerOf } from "./session-owner.js";
import type { StoredSessions } from "./stored-sessions.js";

/** A socket whose client speaks of a session. */
export interface SessionSocket {
  readonly connection: Connection;
  readonly link: SessionLink;
  readonly request: ServerRequest;
  readonly handshake: HandshakeRecord;
  /** The socket is above the limits of connections: see ExcessSockets. */
  readonly isExcess: boolean;
}

export interface SessionHost {
  readonly runtime: Runtime;
  /**
   * Whether the limits let the socket carry a session.
   *
   * @param replaced the socket that carries the session so far; null for none
   */
  mayCarry(socket: Connection, replaced: Connection | null): boolean;
  /** The socket carries a session from now on, in place of the other one. */
  onCarrying(socket: Connection, replaced: Connection | null): void;
  /** A session uses this socket from now on, or leaves it open. */
  onSessionSocket(socket: Connection, isUsed: boolean): void;
  /** A session has begun: its connection goes to the application. */
  onSession(connection: Connection, request: ServerRequest): void;
  /** The session's connection has ended. */
  onConnectionEnded(connection: Connection): void;
}

/** The sessions that this process holds. */
export interface SessionTable {
  readonly isClosing: boolean;
  readonly lost: LostSessions;
  find(id: string): ServerSessionTransport | undefined;
  /** `record` is what the store has of a session that was claimed; null for a new one. */
  hold(
    session: ServerSession,
    first: Connection,
    handshake: HandshakeRecord,
    record: SessionRecord | null,
  ): ServerSessionTransport;
  /** The session has a socket. */
  onAttached(transport: ServerSessionTransport): void;
}

export interface SessionOpeningsContext {
  readonly host: SessionHost;
  readonly settings: SessionSettings;
  readonly machineSettings: ServerSessionSettings;
  /** Milliseconds until the first word; Infinity for no limit. */
  readonly openTimeout: number;
  readonly registry: SessionTable;
  readonly stored: StoredSessions;
  readonly onFailure: (error: unknown) => void;
}

/** The limit of unconfirmed messages in each direction. */
export const WINDOW = { messages: 1024, bytes: 256 * 1024 };

type Resume = Extract<SessionMessage, { readonly type: "resume" }>;

export class SessionOpenings {
  readonly #context: SessionOpeningsContext;
  /** Sessions that a socket is about to resume, by id. */
  readonly #resuming = new Map<string, Promise<void>>();

  constructor(context: SessionOpeningsContext) {
    this.#context = context;
  }

  /** Waits for the client's first word on a new socket. Call it before the socket's connection starts. */
  greet(socket: SessionSocket): void {
    const { host, openTimeout, settings, onFailure } = this.#context;
    const { clock, timers } = host.runtime;
    const greeter = new SessionGreeter(socket, {
      timers,
      ownerOf: (request) => ownerOf(request, settings.owner, clock),
      onOpen: (owner) => this.#open(socket, owner, null),
      onResume: (message, owner) => this.#resume(socket, message, owner),
      onFailure,
    });
    socket.link.bind(greeter);
    const limit = socket.isExcess ? Math.min(openTimeout, EXCESS_TIMEOUT) : openTimeout;
    if (limit < Infinity) timers.set(greeter, clock.now() + limit);
  }

  async #open(socket: SessionSocket, owner: string | null, loss: SessionLoss | null): Promise<void> {
    const { connection, link, request, handshake } = socket;
    if (this.#context.registry.isClosing) {
      turnAway(connection);
      return;
    }
    if (!this.#mayCarry(socket, null)) return;
    this.#context.host.onCarrying(connection, null);
    const { runtime } = this.#context.host;
    const id = formatSessionId(runtime.randomBytes(ID_BYTES));
    const secret = formatSessionSecret(runtime.randomBytes(SECRET_BYTES));
    const { subprotocol } = handshake;
    const machine = new ServerSession(
      { id, secretHash: hashOf(secret), owner, subprotocol, created: runtime.clock.wallNow() },
      this.#context.machineSettings,
    );
    const savedAt = runtime.clock.now();
    if (!(await this.#context.stored.create(machine, connection))) {
      turnAway(connection);
      return;
    }
    const { retain } = this.#context.settings;
    const ttl = Math.min(Math.ceil(retain), Number.MAX_SAFE_INTEGER);
    const ticket: SessionTicket = { id, secret, ttl, window: WINDOW };
    link.sendWord(loss === null ? writeOpened(ticket) : writeLost(loss, ticket));
    const transport = this.#context.registry.hold(machine, connection, handshake, null);
    machine.open(runtime.clock.now());
    transport.attach(link, null);
    this.#context.stored.renew(transport, savedAt);
    this.#start(transport, request);
  }

  async #resume(socket: SessionSocket, message: Resume, owner: string | null): Promise<void> {
    const { id } = message;
    // One at a time: the next one finds what this one has made.
    while (this.#resuming.has(id)) await this.#resuming.get(id);
    let end: () => void = ignore;
    this.#resuming.set(id, new Promise((resolve) => (end = resolve)));
    try {
      await this.#resumeAlone(socket, message, { secretHash: hashOf(message.secret), owner });
    } finally {
      this.#resuming.delete(id);
      end();
    }
  }

  async #resumeAlone(socket: SessionSocket, message: Resume, proof: SessionProof): Promise<void> {
    const { registry, stored } = this.#context;
    const held = registry.find(message.id);
    const refusal = held === undefined ? null : judgeProof(held.machine, proof);
    const checkedAt = this.#context.host.runtime.clock.now();
    // The client may have been at another process since.
    if (held !== undefined && refusal === null) await stored.check(held, message.attempt);
    if (registry.isClosing) {
      turnAway(socket.connection);
      return;
    }
    if (coreOf(socket.connection).hasEnded) return;
    const transport = registry.find(message.id);
    const loss = transport?.isEnding === true ? "unknown" : refusal;
    if (loss !== null) await this.#open(socket, proof.owner, loss);
    else if (transport === undefined) await this.#resumeFromStore(socket, message, proof);
    else if (this.#mayCarry(socket, transport.socket))
      await this.#continue(socket, message, transport, checkedAt);
  }

  /** The application gets the session. */
  #start({ connection }: ServerSessionTransport, request: ServerRequest): void {
    coreOf(connection).start();
    this.#context.host.onSession(connection, request);
  }

  /** A socket above the limits may only take the place of another one. */
  #mayCarry({ connection }: SessionSocket, replaced: Connection | null): boolean {
    const mayCarry = this.#context.host.mayCarry(connection, replaced);
    if (!mayCarry)
      coreOf(connection).closeWithCause("local-close", { code: 1013, reason: "too many connections" });
    return mayCarry;
  }

  /** `renewedAt` is as in `StoredSessions.renew`. */
  async #continue(
    socket: SessionSocket,
    message: Resume,
    transport: ServerSessionTransport,
    renewedAt: number | null,
  ): Promise<void> {
    const { clock } = this.#context.host.runtime;
    const answer = transport.machine.resume(message, clock.now(), clock.wallNow());
    if (answer.type === "stale") {
      socket.link.sendWord(MOVED);
      coreOf(socket.connection).closeWithCause("local-close", { code: 1008, reason: "moved" });
      return;
    }
    const replaced = transport.socket;
    if (answer.fenced !== null) transport.fence(socket.isExcess);
    this.#context.host.onCarrying(socket.connection, replaced);
    if (answer.type === "lost") {
      transport.lose(answer.reason, answer.report);
      await this.#open(socket, transport.machine.owner, answer.reason);
      return;
    }
    this.#context.registry.onAttached(transport);
    handshakeOf(transport.connection).renew?.(socket.handshake);
    socket.link.sendWord(answer.text);
    transport.attach(socket.link, answer);
    this.#context.stored.renew(transport, renewedAt);
  }

  async #resumeFromStore(socket: SessionSocket, message: Resume, proof: SessionProof): Promise<void> {
    const loss = this.#context.registry.lost.reasonFor(message.id, proof);
    if (loss !== null) {
      await this.#open(socket, proof.owner, loss);
      return;
    }
    if (!this.#mayCarry(socket, null)) return;
    this.#context.host.onCarrying(socket.connection, null);
    await this.#claim(socket, message, proof);
  }

  async #claim(socket: SessionSocket, message: Resume, proof: SessionProof): Promise<void> {
    const claim = await this.#context.stored.claim(message.id, proof, socket.connection);
    if (coreOf(socket.connection).hasEnded) return; // The next socket claims it again.
    if (claim === null) {
      turnAway(socket.connection);
      return;
    }
    if (claim.type === "lost") {
      if (claim.error !== null) this.#context.onFailure(claim.error);
      await this.#open(socket, proof.owner, claim.reason);
      return;
    }
    const { record } = claim;
    const machine = new ServerSession(record, this.#context.machineSettings, record);
    const transport = this.#context.registry.hold(machine, socket.connection, socket.handshake, record);
    const { clock } = this.#context.host.runtime;
    const since = (record.deadline ?? Infinity) - this.#context.settings.retain;
    transport.detachedAt = clock.now() - Math.max(0, clock.wallNow() - since);
    await this.#continue(socket, message, transport, null);
    if (machine.state !== "ended") this.#start(transport, socket.request);
  }
}

const MOVED = writeSessionMessage({ type: "moved" });

/** The server closes, or cannot begin a session now: the client tries again. */
function turnAway(connection: Connection): void {
  coreOf(connection).closeWithCause("server-shutdown", { code: 1013, reason: "no session now" });
}

/** Only the hash of a secret is kept. */
function hashOf(secret: string): string {
  return nodeModule("node:crypto").createHash("sha256").update(secret).digest("hex");
}
