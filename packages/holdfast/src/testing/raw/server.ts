// A scripted server: accepts connections, and does nothing on its own.

import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { TLSSocket, type TLSSocketOptions } from "node:tls";
import { InvalidStateError } from "../../shared/errors.js";
import { checkFunction, requireDuration } from "../../shared/option-checks.js";
import { checkOptionNames, type OptionNames } from "../../shared/option-names.js";
import { checkHost, checkPort } from "../check-address.js";
import { withTimeout } from "../with-timeout.js";
import type { WaitOptions } from "./peer.js";
import { RawServerPeer } from "./server-peer.js";

/** Options of `RawServer.start()`. */
export interface RawServerOptions {
  /** Uses TLS with these options of Node's `TLSSocket`, such as `key` and `cert`. @default no TLS */
  readonly tls?: TLSSocketOptions | undefined;
  /** The address to listen on. @default "127.0.0.1" */
  readonly host?: string | undefined;
  /** The port to listen on. @default 0: any free port */
  readonly port?: number | undefined;
  /** The path of a Unix socket to listen on instead. @default a TCP port */
  readonly path?: string | undefined;
  /** Milliseconds: bounds every wait of the peers, unless a call says otherwise. @default 20_000 */
  readonly timeout?: number | undefined;
}

const OPTIONS: OptionNames<RawServerOptions> = {
  tls: true,
  host: true,
  port: true,
  path: true,
  timeout: true,
};

/** Called for each connection. When the script ends, the connection stays open until the server closes. */
export type RawScript = (peer: RawServerPeer) => Promise<void> | void;

/** A scripted server: each connection runs the script. */
export class RawServer implements AsyncDisposable {
  /** The port that it listens on; 0 on a Unix socket. */
  readonly port: number;
  readonly #options: RawServerOptions;
  readonly #script: RawScript;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #peers: RawServerPeer[] = [];
  readonly #scripts: Promise<void>[] = [];
  readonly #failures: unknown[] = [];
  readonly #waiters = new Set<(peer: RawServerPeer | Promise<never>) => void>();
  #nextPeerIndex = 0;
  #closing: Promise<void> | null = null;

  /**
   * Listens. Without a script, `nextPeer` returns the peers.
   *
   * @throws InvalidArgumentError
   * @throws the error of Node.js if it cannot listen, such as EADDRINUSE
   */
  static async start(
    options: RawServerOptions = {},
    script: RawScript = () => undefined,
  ): Promise<RawServer> {
    checkOptionNames("RawServer.start()", options, OPTIONS);
    checkPort("port", options.port ?? 0, 0);
    checkHost("host", options.host);
    requireDuration("timeout", options.timeout ?? 20_000);
    checkFunction("script", script);
    const server = createServer({ allowHalfOpen: true });
    if (options.path === undefined) server.listen(options.port ?? 0, options.host ?? "127.0.0.1");
    else server.listen(options.path);
    await once(server, "listening");
    return new RawServer(server, options, script);
  }

  private constructor(server: Server, options: RawServerOptions, script: RawScript) {
    this.#server = server;
    this.#options = options;
    this.#script = script;
    // The address has this type unless the server listens on a Unix socket.
    this.port = options.path === undefined ? (server.address() as AddressInfo).port : 0;
    server.on("connection", (tcp: Socket) => {
      this.#accept(tcp);
    });
  }

  /** The address to connect to, such as `ws://127.0.0.1:8080/`; `path` begins with a slash. */
  url(path = "/"): string {
    return `${this.#options.tls === undefined ? "ws" : "wss"}://127.0.0.1:${this.port}${path}`;
  }

  /** Every peer so far, including ended ones. */
  get peers(): readonly RawServerPeer[] {
    return this.#peers;
  }

  /**
   * Resolves with the next peer that this method has not returned yet; waits for one to connect if necessary.
   *
   * @throws Error if none connects within the timeout, or before the server closes
   */
  async nextPeer({ timeout = this.#options.timeout ?? 20_000 }: WaitOptions = {}): Promise<RawServerPeer> {
    const peer = this.#peers.at(this.#nextPeerIndex);
    if (peer !== undefined) {
      this.#nextPeerIndex++;
      return peer;
    }
    if (this.#closing !== null) return closedWhileWaiting();
    let waiter: (peer: RawServerPeer | Promise<never>) => void = () => undefined;
    const next = new Promise<RawServerPeer>((resolve) => {
      waiter = resolve;
      this.#waiters.add(waiter);
    });
    try {
      return await withTimeout(next, timeout, "a connection");
    } finally {
      this.#waiters.delete(waiter); // A call that timed out takes no peer from a later call.
    }
  }

  /**
   * Stops listening, closes the connections and waits for the scripts. Idempotent.
   * Rejects with the error of a failed script, so that no failure goes unnoticed.
   */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    // Ignore scripts that are still waiting: closing makes them fail.
    const failures = [...this.#failures];
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const waiter of this.#waiters) waiter(closedWhileWaiting());
    // The newest first: a TLS connection before the TCP connection below it.
    for (const socket of [...this.#sockets].reverse()) socket.destroy();
    await closed;
    await Promise.all(this.#scripts);
    if (failures.length > 0) throw failures[0];
  }

  #accept(tcp: Socket): void {
    this.#track(tcp);
    if (this.#options.tls === undefined) {
      this.#run(tcp, tcp);
      return;
    }
    const stream = new TLSSocket(tcp, { ...this.#options.tls, isServer: true });
    this.#track(stream);
    // A client that rejects the certificate never becomes a peer; the test sees the failure on the client's
    // side.
    stream.on("error", () => tcp.destroy());
    stream.once("secure", () => {
      this.#run(stream, tcp);
    });
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    // The peer reports the errors of its stream; errors of a TCP connection below TLS are the same ones.
    socket.on("error", () => undefined);
  }

  #run(stream: Socket, tcp: Socket): void {
    const peer = new RawServerPeer({
      stream,
      tcp,
      isMasking: false,
      timeout: this.#options.timeout ?? 20_000,
    });
    this.#peers.push(peer);
    const { value: waiter } = this.#waiters.values().next();
    if (waiter !== undefined) {
      this.#waiters.delete(waiter);
      this.#nextPeerIndex++;
      waiter(peer);
    }
    this.#scripts.push(this.#runScript(peer));
  }

  async #runScript(peer: RawServerPeer): Promise<void> {
    try {
      await this.#script(peer);
    } catch (error) {
      this.#failures.push(error);
      // Otherwise the test would wait for the failed script.
      peer.reset();
    }
  }
}

function closedWhileWaiting(): Promise<never> {
  return Promise.reject(new InvalidStateError("Expected a connection, got the close() of the server."));
}
