// The sessions of a server: opens and resumes them, drops them when they expire or the memory is full, and saves them
// when the server closes.

import { createHash } from "node:crypto";
import { coreOf, createConnection, type Connection } from "../../connection/connection.js";
import type { HandshakeRecord } from "../../connection/handshake-record.js";
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
import type { SessionRecord } from "../../session/store/session-record.js";
import { formatSessionId, formatSessionSecret, ID_BYTES, SECRET_BYTES } from "../../session/session-id.js";
import { writeSessionMessage, type SessionMessage, type SessionTicket } from "../../session/wire.js";
import type { SessionLoss } from "../../shared/session-errors.js";
import { errorOf } from "../../shared/thrown.js";
import type { SessionLink } from "../../transport/session/session-link.js";
import { SessionKeepalive } from "../../transport/session/session-keepalive.js";
import {
  ServerSessionTransport,
  type SessionKeeper,
} from "../../transport/session/server-session-transport.js";
import type { ServerRequest } from "../upgrade/server-request.js";
import { SessionGreeter } from "./session-greeter.js";
import type { SessionSettings } from "./session-options.js";

/** A socket whose client speaks of a session. */
export interface SessionSocket {
  readonly connection: Connection;
  readonly link: SessionLink;
  readonly request: ServerRequest;
  readonly handshake: HandshakeRecord;
}

export interface SessionRegistryHost {
  readonly runtime: Runtime;
  /** A session has begun: its connection goes to the application. */
  onSession(connection: Connection, request: ServerRequest): void;
  /** The session's connection has ended. */
  onConnectionEnded(connection: Connection): void;
}

/** What may be unconfirmed in each direction. */
const WINDOW = { messages: 1024, bytes: 256 * 1024 };

/** Milliseconds within which received messages are acknowledged. */
const ACK_DELAY = 100;

/** A session of this process. */
interface Held {
  readonly transport: ServerSessionTransport;
  readonly connection: Connection;
  readonly expiry: Expiry;
}

type Resume = Extract<SessionMessage, { readonly type: "resume" }>;

export class SessionRegistry implements SessionKeeper {
  readonly #host: SessionRegistryHost;
  readonly #settings: SessionSettings;
  readonly #connectionSettings: ConnectionSettings;
  readonly #machineSettings: ServerSessionSettings;
  readonly #meter = { used: 0 };
  readonly #held = new Map<string, Held>();
  /** Those without a socket, the longest-detached first. */
  readonly #detached = new Set<ServerSessionTransport>();
  /** Why the sessions ended that clients may still ask for; the oldest first. */
  readonly #losses = new Map<string, { readonly secretHash: string; readonly loss: SessionLoss }>();

  constructor(host: SessionRegistryHost, settings: SessionSettings, connectionSettings: ConnectionSettings) {
    this.#host = host;
    this.#settings = settings;
    this.#connectionSettings = connectionSettings;
    const { retain, maxLifetime, acknowledge } = settings;
    this.#machineSettings = { window: WINDOW, retain, maxLifetime, acknowledge, meter: this.#meter };
  }

  /** The number of sessions, with a socket or without. */
  get size(): number {
    return this.#held.size;
  }

  /** Waits for the client's first word on a new socket. Call it before the socket's connection starts. */
  greet(socket: SessionSocket): void {
    socket.link.bind(
      new SessionGreeter(socket, {
        ownerOf: (request) => this.#ownerOf(request),
        onOpen: (owner) => this.#open(socket, owner, null),
        onResume: (message, owner) => this.#resume(socket, message, owner),
        onFailure: (error) => this.#onFailure(error),
      }),
    );
  }

  /** Saves all sessions, so that another process can resume them. Nothing is taken from their sockets any more. */
  async park(): Promise<void> {
    const { durability, store } = this.#settings;
    if (durability === "process") return;
    const saves = Array.from(this.#held.values(), async ({ transport, connection }) => {
      try {
        await store.save(transport.park(coreOf(connection).inbox.peek()));
      } catch (error) {
        this.#onFailure(error);
      }
    });
    await Promise.all(saves);
  }

  // SessionKeeper

  listenersOf(transport: ServerSessionTransport): Listeners | null {
    const held = this.#held.get(transport.id);
    return held === undefined ? null : coreOf(held.connection).listeners;
  }

  onDetached(transport: ServerSessionTransport): void {
    this.#detached.add(transport);
    const held = this.#held.get(transport.id);
    const deadline = transport.machine.deadline;
    if (held === undefined || deadline === null || deadline === Infinity) return;
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
  }

  onKept(): void {
    if (this.#meter.used <= this.#settings.memory) return;
    for (const transport of this.#detached) {
      transport.lose("evicted");
      if (this.#meter.used <= this.#settings.memory) return;
    }
  }

  onExpired(transport: ServerSessionTransport): void {
    if (transport.machine.hasExpired(this.#host.runtime.clock.wallNow())) transport.lose("expired");
  }

  // Opening and resuming.

  #open(
    { connection, link, request, handshake }: SessionSocket,
    owner: string | null,
    loss: SessionLoss | null,
  ): void {
    const { runtime } = this.#host;
    const id = formatSessionId(runtime.randomBytes(ID_BYTES));
    const secret = formatSessionSecret(runtime.randomBytes(SECRET_BYTES));
    const machine = new ServerSession(
      {
        id,
        secretHash: hashOf(secret),
        owner,
        subprotocol: handshake.subprotocol,
        created: runtime.clock.wallNow(),
      },
      this.#machineSettings,
    );
    const ticket: SessionTicket = { id, secret, ttl: this.#settings.retain, window: WINDOW };
    link.sendWord(loss === null ? writeOpened(ticket) : writeLost(loss, ticket));
    const held = this.#hold(machine, connection, handshake, []);
    held.transport.attach(connection, link, machine.open(runtime.clock.now()), null);
    coreOf(held.connection).start();
    this.#host.onSession(held.connection, request);
  }

  async #resume(socket: SessionSocket, message: Resume, owner: string | null): Promise<void> {
    const proof: SessionProof = { secretHash: hashOf(message.secret), owner };
    const held = this.#held.get(message.id);
    if (held === undefined) {
      await this.#resumeFromStore(socket, message, proof);
      return;
    }
    const refusal = judgeProof(held.transport.machine.identity, proof);
    if (refusal === null) this.#continue(socket, message, held);
    else this.#open(socket, owner, refusal);
  }

  #continue(socket: SessionSocket, message: Resume, { transport }: Held): void {
    const { clock } = this.#host.runtime;
    const answer = transport.machine.resume(message, clock.now(), clock.wallNow());
    if (answer.type === "stale") {
      socket.link.sendWord(MOVED);
      coreOf(socket.connection).closeWithCause("local-close", { code: 1008, reason: "moved" });
      return;
    }
    if (answer.fenced !== null) transport.fence();
    if (answer.type === "lost") {
      transport.lose(answer.reason, answer.report);
      this.#open(socket, transport.machine.identity.owner, answer.reason);
      return;
    }
    this.#detached.delete(transport);
    socket.link.sendWord(answer.text);
    transport.attach(socket.connection, socket.link, answer.attachment, answer);
  }

  async #resumeFromStore(socket: SessionSocket, message: Resume, proof: SessionProof): Promise<void> {
    const known = this.#losses.get(message.id);
    if (known !== undefined) {
      const isTheirs = known.secretHash === proof.secretHash;
      this.#open(socket, proof.owner, isTheirs ? known.loss : "unknown");
      return;
    }
    const { store } = this.#settings;
    let record: SessionRecord;
    try {
      const claim = await store.claim(message.id, proof, this.#host.runtime.clock.wallNow());
      if (coreOf(socket.connection).hasEnded) return;
      if (claim.type === "lost") {
        if (claim.error !== null) this.#onFailure(claim.error);
        this.#open(socket, proof.owner, claim.reason);
        return;
      }
      record = claim.record;
    } catch (error) {
      this.#onFailure(error);
      if (!coreOf(socket.connection).hasEnded) this.#open(socket, proof.owner, "store");
      return;
    }
    const machine = new ServerSession(record, this.#machineSettings, record);
    const unread = record.inbox.map((entry) => entry.message);
    const held = this.#hold(machine, socket.connection, socket.handshake, unread);
    this.#continue(socket, message, held);
    if (machine.state === "ended") return;
    coreOf(held.connection).start();
    this.#host.onSession(held.connection, socket.request);
  }

  #hold(
    session: ServerSession,
    first: Connection,
    handshake: HandshakeRecord,
    unread: ServerSessionTransportUnread,
  ): Held {
    const { runtime } = this.#host;
    const transports: ServerSessionTransport[] = [];
    const connection = createConnection({
      runtime,
      transport: (handler) => {
        const { writeLimit } = this.#connectionSettings;
        const options = { runtime, session, keeper: this, ackDelay: ACK_DELAY, writeLimit, unread, first };
        const made = new ServerSessionTransport(options, handler);
        transports.push(made);
        return made;
      },
      keepalive: () => new SessionKeepalive(transports[0]),
      settings: this.#connectionSettings,
      handshake,
      owner: this.#host,
    });
    const [transport] = transports;
    const held = { transport, connection, expiry: new Expiry(this, transport) };
    this.#held.set(session.identity.id, held);
    return held;
  }

  async #ownerOf(request: ServerRequest): Promise<string | null> {
    return (await this.#settings.owner?.(request)) ?? null;
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

  #onFailure(error: unknown): void {
    this.#connectionSettings.faultLogger?.error("sessions failed", { error: errorOf(error) });
  }
}

type ServerSessionTransportUnread = ConstructorParameters<typeof ServerSessionTransport>[0]["unread"];

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
    this.#registry.onExpired(this.#transport);
  }
}

/** Only the hash of a secret is kept. */
function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
