// A server whose sessions send numbered messages and check those that arrive, behind a proxy that cuts.

import {
  serve,
  type ServeOptions,
  type Server,
  type ServerConnection,
  type SessionLostEvent,
} from "holdfast";
import { FaultProxy, withTimeout } from "holdfast-testkit";
import { messageOf, PAUSE, Tally } from "./counted.js";

const BURST = 8;

/** The messages that a server sends while its session has no socket. More than the window would end the session (`overflow`). */
const SENT_WHILE_DETACHED = 100;

/** At most so many batches of messages are unconfirmed when the session loses its socket. */
const MAX_BATCHES = 4;
const BATCH = 100;

/** Milliseconds for which a scene waits until its sockets are closed. */
const CLOSE_TIMEOUT = 30_000;

/** The server's end of one session. */
export class ServerStream {
  readonly connection: ServerConnection;
  readonly tally = new Tally();
  readonly lost: SessionLostEvent[] = [];
  sent = 0;
  #detachedAt: number | null = null;
  #isStopping = false;
  #stopped: Promise<void> = Promise.resolve();

  constructor(connection: ServerConnection) {
    this.connection = connection;
    connection.on("detached", () => (this.#detachedAt = this.sent));
    connection.on("resumed", () => (this.#detachedAt = null));
    connection.on("lost", (event) => this.lost.push(event));
  }

  start(): void {
    this.#stopped = this.#send();
    this.#stopped.catch(() => undefined); // `stop()` reports it. A test that fails before that has its own error.
  }

  /** Stops sending. Resolves with the number of messages sent, once the page has confirmed them. */
  async stop(): Promise<number> {
    this.#isStopping = true;
    await this.#stopped;
    await this.connection.send(messageOf(++this.sent), { until: "delivered" });
    return this.sent;
  }

  /** For failures. */
  describe(): string {
    const { sent, tally, lost, connection } = this;
    const { session, state, bufferedAmount } = connection;
    return JSON.stringify({ sent, received: tally.count, lost, session, state, bufferedAmount });
  }

  async #send(): Promise<void> {
    const unconfirmed: Promise<void>[] = [];
    while (!this.#isStopping) {
      if (this.#detachedAt === null || this.sent - this.#detachedAt < SENT_WHILE_DETACHED) {
        const isLast = ++this.sent % BATCH === 0;
        const sent = this.connection.send(messageOf(this.sent), { until: isLast ? "delivered" : "sent" });
        if (isLast) unconfirmed.push(sent);
        else await sent;
      }
      if (unconfirmed.length === MAX_BATCHES) await unconfirmed.shift();
      if (this.sent % BURST === 0 || this.#detachedAt !== null)
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
    await Promise.all(unconfirmed);
  }
}

export interface SessionScene extends AsyncDisposable {
  readonly server: Server;
  readonly proxy: FaultProxy;
  readonly url: string;
  /** The sessions, the oldest first. */
  readonly streams: readonly ServerStream[];
}

export async function openSessionScene(options: ServeOptions = {}): Promise<SessionScene> {
  const streams: ServerStream[] = [];
  const server = await serve(
    async (connection) => {
      const stream = new ServerStream(connection);
      streams.push(stream);
      await connection.forEach((message) => stream.tally.take(message));
    },
    { host: "127.0.0.1", origins: "any", sessions: true, ...options },
  );
  const proxy = await FaultProxy.start({ target: { port: server.port } });
  return {
    server,
    proxy,
    url: proxy.url("ws"),
    streams,
    async [Symbol.asyncDispose]() {
      for (const { connection } of streams) connection.terminate();
      await Promise.all([
        withTimeout(proxy.close(), CLOSE_TIMEOUT, "the proxy to close"),
        withTimeout(server.close(), CLOSE_TIMEOUT, "the server to close"),
      ]);
    },
  };
}
