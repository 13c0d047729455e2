// A client with a session, for verbs with --session: the events of `persist()`, and those of the session.

import {
  connectPersistent,
  HoldfastError,
  type BackOffEvent,
  type ClientEvent,
  type CloseInfo,
  type ConnectOptions,
  type Connection,
  type DetachedEvent,
  type Message,
  type PersistentStatus,
  type PersistOptions,
  type SessionLostEvent,
  type SessionResumedEvent,
} from "../../index.js";
import type { Console } from "../terminal/console.js";

/** The events of a session. */
export type SessionEvent =
  /** It has begun; `id` is null if the server has no sessions. */
  | ({ readonly type: "session"; readonly id: string | null } & Times)
  | ({ readonly type: "detached"; readonly info: CloseInfo } & Times)
  | ({ readonly type: "resumed"; readonly id: string | null } & SessionResumedEvent & Times)
  | ({ readonly type: "lost" } & SessionLostEvent & Times);

type Times = Pick<ClientEvent, "at" | "receivedAt">;

/** Takes the place of `Client` with `persist()`. */
export class SessionClient implements AsyncIterable<ClientEvent | SessionEvent> {
  readonly #link: ReturnType<typeof connectPersistent>;
  readonly #url: string;
  readonly #events: (ClientEvent | SessionEvent)[] = [];
  #isOver = false;
  /** The id that was reported last; undefined before the first report. */
  #reported: string | null | undefined;
  #wake: () => void = () => undefined;
  #onTaken: () => void = () => undefined;

  constructor(url: string, options: ConnectOptions & PersistOptions) {
    this.#url = url;
    this.#link = connectPersistent(url, { ...options, session: true });
    const link = this.#link;
    this.#onStatus(link.status);
    link.on("status", (status) => this.#onStatus(status));
    link.on("open", ({ connection }) => this.#onOpen(connection));
    link.on("disconnected", ({ info, error }) => {
      const known = error instanceof HoldfastError && !info.ok ? error : null;
      this.#put({ type: "disconnected", info, error: known, ...times() });
    });
    link.on("detached", ({ info }: DetachedEvent) => this.#put({ type: "detached", info, ...times() }));
    link.on("resumed", ({ gap, replayedIn, replayedOut }) => {
      const id = link.session?.id ?? null;
      this.#put({ type: "resumed", id, gap, replayedIn, replayedOut, ...times() });
    });
    link.on("lost", (event) => this.#put({ type: "lost", ...event, ...times() }));
    const read = link.forEach((message) => this.#onMessage(message));
    void read.finally(() => this.#end());
  }

  /** Resolves when the message is counted: it survives cuts from then on. */
  send(data: string | Uint8Array): Promise<void> {
    return this.#link.send(data);
  }

  async close(code?: number, reason?: string): Promise<CloseInfo | null> {
    return this.#link.close(code, reason);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ClientEvent | SessionEvent> {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) yield event;
      else if (this.#isOver) return;
      else {
        this.#onTaken();
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    }
  }

  #put(event: ClientEvent | SessionEvent): void {
    this.#events.push(event);
    this.#wake();
  }

  #end(): void {
    this.#isOver = true;
    this.#wake();
  }

  #onStatus(status: PersistentStatus): void {
    if (status.state === "connecting") {
      this.#put({ type: "connecting", url: this.#url, attempt: status.attempt, ...times() });
    }
    if (status.state === "waiting") this.#put(backOff(status));
  }

  #onOpen(connection: Connection): void {
    const { subprotocol, extensions, response } = connection;
    this.#put({ type: "ready", connection, subprotocol, extensions, response, ...times() });
    const id = this.#link.session?.id ?? null;
    if (id !== this.#reported) this.#put({ type: "session", id, ...times() });
    this.#reported = id;
    connection.on("pong", (pong) => this.#put({ type: "pong", ...pong, ...times() }));
  }

  /** Resolves when the consumer has taken the message, so that an unread stream pauses the server. */
  #onMessage(message: Message): Promise<void> {
    const taken = new Promise<void>((resolve) => (this.#onTaken = resolve));
    if (typeof message === "string") {
      const json = (): unknown => JSON.parse(message);
      this.#put({ type: "text", text: message, bytes: null, json, ...times() });
    } else if (message instanceof Uint8Array) {
      this.#put({ type: "binary", data: message, ...times() });
    }
    return taken;
  }
}

/** Reports an event of the session in one line on stderr. */
export function saySession(event: ClientEvent | SessionEvent, console: Pick<Console, "say">): void {
  const text = sessionText(event);
  if (text !== null) console.say(`holdfast: ${text}`);
}

/** An event of the session in words; null for any other event. */
export function sessionText(event: ClientEvent | SessionEvent): string | null {
  switch (event.type) {
    case "session":
      return event.id === null
        ? "the server has no sessions: messages can be lost when the connection is"
        : `session ${event.id}`;
    case "resumed": {
      const { gap, replayedIn, replayedOut } = event;
      return `session resumed after ${(gap / 1000).toFixed(1)} s: ${replayedIn} received again, ${replayedOut} sent again`;
    }
    case "lost":
      return `session lost: ${event.reason} (${event.unsent} messages unsent, ${event.unknown} unknown)`;
    default:
      return null;
  }
}

export function isSessionEvent(event: ClientEvent | SessionEvent): event is SessionEvent {
  return ["session", "detached", "resumed", "lost"].includes(event.type);
}

function backOff(status: Extract<PersistentStatus, { readonly state: "waiting" }>): BackOffEvent {
  const { delay, attempt, retryAt, requestedByServer, info } = status;
  return { type: "backOff", delay, attempt, reason: info.cause, retryAt, requestedByServer, ...times() };
}

function times(): Times {
  return { at: performance.now(), receivedAt: Date.now() };
}
