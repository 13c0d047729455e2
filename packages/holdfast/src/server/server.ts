// A listening server: its sockets, its connections, its handler, its end.

import type { Server as Listener, Socket } from "node:net";
import { closeFor, Connection, start, type ConnectionOwner } from "../connection/connection.js";
import { ConnectionClosed } from "../connection/errors.js";
import { overFrames } from "../connection/frames/frame-wire.js";
import { checkDuration } from "../connection/options.js";
import { checkClose, isThenable } from "../connection/arguments.js";
import { nodeRuntime } from "../node/node-runtime.js";
import { SocketTransport } from "../node/socket-transport.js";
import type { RequestHead } from "../protocol/handshake/request-head.js";
import { judgeRequest, type Judgement, type Refusal } from "../protocol/handshake/server-handshake.js";
import { Acceptance, type Accepted, type AcceptanceOwner } from "./acceptance.js";
import { ServerHandshakeRecord } from "./handshake-record.js";
import type { ServeSettings } from "./options.js";

/** A connection at a server. */
export type ServerConnection = Connection;

/** Called with each new connection; its connection is closed when what it returns settles. */
export type ConnectionHandler = (connection: ServerConnection) => unknown;

/** For `Server.close()`. */
export interface ServerCloseOptions {
  /** The close code that clients get. @default 1001 */
  readonly code?: number;
  /** The reason that they get. @default "" */
  readonly reason?: string;
  /** Milliseconds after which connections that still linger are cut; null to wait for all of `closeTimeout`. @default null */
  readonly timeout?: number | null;
}

/** Made by `serve()`. */
export class Server implements AsyncDisposable {
  /** The port that it listens on; 0 on a Unix socket. */
  readonly port: number;
  /** A URL that reaches it from this machine. */
  readonly url: string;
  readonly #listener: Listener;
  readonly #handler: ConnectionHandler;
  readonly #settings: ServeSettings;
  readonly #runtime = nodeRuntime();
  readonly #connections = new Set<ServerConnection>();
  readonly #acceptances = new Set<Acceptance>();
  /** The TCP connections under TLS: in their handshake, nothing else knows of them. */
  readonly #tcpSockets = new Set<Socket>();
  /** Handlers that have not settled. */
  #runningHandlers = 0;
  #onHandlersSettled: (() => void) | null = null;
  readonly #owner: AcceptanceOwner & ConnectionOwner;
  #closing: Promise<void> | null = null;

  /** Applications get servers from `serve()`. */
  constructor(
    listener: Listener,
    url: string,
    port: number,
    handler: ConnectionHandler,
    settings: ServeSettings,
  ) {
    this.#listener = listener;
    this.url = url;
    this.port = port;
    this.#handler = handler;
    this.#settings = settings;
    this.#owner = {
      judge: (head) => this.#judge(head),
      onAccepted: (accepted) => this.#open(accepted),
      onRefused: ({ status, body }, transport) => {
        const { logger } = settings.connection;
        logger?.info("connection refused", { status, reason: body, remoteAddress: transport.remoteAddress });
      },
      onOver: (acceptance) => this.#acceptances.delete(acceptance),
      onConnectionEnded: (connection) => this.#connections.delete(connection),
    };
    listener.on(settings.isSecure ? "secureConnection" : "connection", (socket: Socket) =>
      this.#accept(socket),
    );
    if (settings.isSecure) this.#watchHandshakes();
  }

  /** The connections that are open or closing; live. */
  get connections(): ReadonlySet<ServerConnection> {
    return this.#connections;
  }

  /**
   * Stops listening, closes every connection, waits for them and for their handlers. Calling it again changes
   * nothing.
   *
   * @throws InvalidArgument for a code or a reason that cannot be sent; nothing is closed then
   */
  async close(options: ServerCloseOptions = {}): Promise<void> {
    const { code, reason } = checkClose(options.code ?? 1001, options.reason ?? "");
    const timeout = checkDuration("timeout", options.timeout, null);
    this.#closing ??= this.#shutDown(code, reason, timeout);
    return this.#closing;
  }

  /** `await using server = …` closes with 1001 at the end of the block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Node leaves open what fails its TLS handshake, or takes too long for it. */
  #watchHandshakes(): void {
    this.#listener.on("connection", (socket: Socket) => {
      this.#tcpSockets.add(socket);
      socket.once("close", () => this.#tcpSockets.delete(socket));
    });
    this.#listener.on("tlsClientError", (error: Error, socket: Socket) => {
      const { remoteAddress } = socket;
      this.#settings.connection.logger?.info("TLS handshake failed", {
        reason: error.message,
        remoteAddress,
      });
      socket.destroy();
    });
  }

  #accept(socket: Socket): void {
    const acceptance = new Acceptance(
      this.#runtime,
      new SocketTransport(socket),
      this.#settings,
      this.#owner,
    );
    this.#acceptances.add(acceptance);
    acceptance.begin();
  }

  #judge(head: RequestHead): Judgement {
    if (this.#closing !== null) return SHUTTING_DOWN;
    try {
      return judgeRequest(head, this.#settings);
    } catch (error) {
      this.#settings.connection.logger?.error("selectSubprotocol failed", { error });
      return FAILED;
    }
  }

  #open({ transport, head, upgrade, deflate, response, rest }: Accepted): void {
    const connection = new Connection({
      runtime: this.#runtime,
      wire: overFrames({
        runtime: this.#runtime,
        transport,
        role: "server",
        settings: this.#settings.connection,
        extension: deflate?.extension ?? null,
        preface: response,
        rest,
      }),
      settings: this.#settings.connection,
      handshake: new ServerHandshakeRecord(head.headers, {
        target: upgrade.target,
        subprotocol: upgrade.subprotocol,
        extensions: deflate === null ? NO_EXTENSIONS : [deflate.header],
        isSecure: this.#settings.isSecure,
      }),
      owner: this.#owner,
    });
    this.#connections.add(connection);
    connection[start]();
    this.#handle(connection);
  }

  /**
   * A handler that returns a promise ends its connection when that settles; one that does not leaves it open. A
   * failure is its own connection's only.
   */
  #handle(connection: ServerConnection): void {
    try {
      const result = this.#handler(connection);
      if (!isThenable(result)) return;
      this.#runningHandlers++;
      result.then(
        () => {
          void connection.close();
          this.#onHandlerSettled();
        },
        (error: unknown) => {
          this.#onHandlerFailure(connection, error);
          this.#onHandlerSettled();
        },
      );
    } catch (error) {
      this.#onHandlerFailure(connection, error);
    }
  }

  #onHandlerSettled(): void {
    this.#runningHandlers--;
    if (this.#runningHandlers === 0) this.#onHandlersSettled?.();
  }

  #onHandlerFailure(connection: ServerConnection, error: unknown): void {
    // The connection's own end, thrown by an iteration or a recv, is no failure of the handler.
    if (error instanceof ConnectionClosed && connection.state === "closed") return;
    this.#settings.connection.logger?.error("connection handler failed", { id: connection.id, error });
    const cause = error instanceof Error ? error : new Error(String(error));
    connection[closeFor]("handler-failed", 1011, "", cause);
  }

  async #shutDown(code: number, reason: string, timeout: number | null): Promise<void> {
    const stopped = new Promise<void>((resolve) => this.#listener.close(() => resolve()));
    for (const acceptance of this.#acceptances) acceptance.destroy();
    const closed = Promise.all([...this.#connections].map((connection) => connection.closed));
    for (const connection of this.#connections) connection[closeFor]("server-shutdown", code, reason, null);
    const cancel =
      timeout === null ? undefined : this.#runtime.clock.setTimer(timeout, () => this.#cutStragglers());
    await closed;
    cancel?.();
    for (const socket of this.#tcpSockets) socket.destroy();
    if (this.#runningHandlers > 0) await new Promise<void>((resolve) => (this.#onHandlersSettled = resolve));
    await stopped;
  }

  #cutStragglers(): void {
    for (const connection of this.#connections) connection.terminate();
  }
}

const NO_EXTENSIONS: readonly string[] = [];

const SHUTTING_DOWN: Refusal = {
  outcome: "refuse",
  status: 503,
  headers: { "Retry-After": "5" },
  body: "The server is shutting down.",
};

const FAILED: Refusal = { outcome: "refuse", status: 500, headers: {}, body: "The server failed." };
