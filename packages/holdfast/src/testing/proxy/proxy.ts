// A TCP proxy that makes faults on request.

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { InvalidStateError } from "../../shared/errors.js";
import { requireOptions, type OptionNames } from "../../shared/option-names.js";
import { checkHost, checkPort } from "../check-address.js";
import { checkCut, checkFaults, checkMode } from "./check-faults.js";
import { ProxyConnection } from "./connection.js";
import {
  type AcceptMode,
  type CutOptions,
  type Direction,
  FaultControls,
  type Faults,
  NO_FAULTS,
} from "./faults.js";

/** Options of `FaultProxy.start()`. */
export interface FaultProxyOptions {
  /** The server to forward to; `host` is 127.0.0.1 by default. */
  readonly target: { readonly port: number; readonly host?: string | undefined };
  /** The port to listen on. @default 0: any free port */
  readonly port?: number | undefined;
  /** The address to listen on. @default "127.0.0.1" */
  readonly host?: string | undefined;
}

const OPTIONS: OptionNames<FaultProxyOptions> = { target: true, port: true, host: true };
const TARGET: OptionNames<FaultProxyOptions["target"]> = { port: true, host: true };

/** A TCP proxy that breaks connections as networks do. A fault applies to current and later connections. */
export class FaultProxy extends FaultControls implements AsyncDisposable {
  /** The port that it listens on. */
  readonly port: number;
  readonly #host: string;
  readonly #target: { readonly port: number; readonly host: string };
  #server: Server;
  #mode: AcceptMode = "forward";
  #faults: Readonly<Record<Direction, Faults>> = { toServer: NO_FAULTS, toClient: NO_FAULTS };
  #cutLater: CutOptions | null = null;
  readonly #connections = new Set<ProxyConnection>();
  /** Connections that are not forwarded. */
  readonly #strays = new Set<Socket>();
  #accepted = 0;
  readonly #forwardedBefore = { toServer: 0, toClient: 0 };
  #isRefusing = false;
  /** While `accept()` begins to listen again. */
  #listening: Promise<void> | null = null;
  #closing: Promise<void> | null = null;

  /**
   * Listens, and forwards each connection to the target.
   *
   * @throws InvalidArgumentError
   * @throws the error of Node.js if it cannot listen, such as EADDRINUSE
   */
  static async start(options: FaultProxyOptions): Promise<FaultProxy> {
    requireOptions("FaultProxy.start()", options, OPTIONS);
    const { target, port = 0, host = "127.0.0.1" } = options;
    requireOptions("`target` of FaultProxy.start()", target, TARGET);
    checkPort("target.port", target.port, 1);
    checkHost("target.host", target.host);
    checkPort("port", port, 0);
    checkHost("host", host);
    const server = await listen(port, host);
    return new FaultProxy(server, host, { port: target.port, host: target.host ?? "127.0.0.1" });
  }

  private constructor(
    server: Server,
    host: string,
    target: { readonly port: number; readonly host: string },
  ) {
    super();
    this.#host = host;
    this.#target = target;
    // The address of a TCP server has this type.
    this.port = (server.address() as AddressInfo).port;
    this.#server = this.#serving(server);
  }

  /** The proxy's address with that scheme, for example "ws" or "wss". */
  url(scheme: string, path = "/"): string {
    const host = this.#host.includes(":") ? `[${this.#host}]` : this.#host;
    return `${scheme}://${host}:${this.port}${path}`;
  }

  /** The forwarded connections that are still open, the oldest first. */
  get connections(): readonly ProxyConnection[] {
    return [...this.#connections];
  }

  /** Connections accepted so far, in any mode. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Bytes forwarded so far, over all connections. */
  get forwarded(): Readonly<Record<Direction, number>> {
    const total = { ...this.#forwardedBefore };
    for (const { forwarded } of this.#connections) addTo(total, forwarded);
    return total;
  }

  /** Stops listening, so that new connections are refused; current ones continue. */
  refuse(): void {
    this.#isRefusing = true;
    this.#server.close();
  }

  /**
   * Sets what happens to new connections. Listens on the same port again after `refuse`.
   *
   * @throws InvalidArgumentError, InvalidStateError after `close()`
   * @throws the error of Node.js if it cannot listen, such as EADDRINUSE
   */
  async accept(mode: AcceptMode = "forward"): Promise<void> {
    checkMode(mode);
    if (this.#closing !== null)
      throw new InvalidStateError("Expected an open FaultProxy, got a closed one. Start another.");
    this.#mode = mode;
    this.#isRefusing = false;
    if (!this.#server.listening) await (this.#listening ??= this.#listenAgain());
  }

  async #listenAgain(): Promise<void> {
    try {
      const server = await listen(this.port, this.#host);
      // Both may have been called meanwhile.
      if (this.#isRefusing || this.#closing !== null) server.close();
      else this.#server = this.#serving(server);
    } finally {
      this.#listening = null;
    }
  }

  override cut(options: CutOptions): void {
    checkCut(options);
    if (options.after !== undefined) this.#cutLater = options;
    for (const connection of this.#connections) connection.cut(options);
  }

  override callOffCut(): void {
    this.#cutLater = null;
    for (const connection of this.#connections) connection.callOffCut();
  }

  override set(faults: Partial<Faults>, direction?: Direction): void {
    checkFaults(faults, direction);
    const { toServer, toClient } = this.#faults;
    this.#faults = {
      toServer: direction === "toClient" ? toServer : { ...toServer, ...faults },
      toClient: direction === "toServer" ? toClient : { ...toClient, ...faults },
    };
    for (const connection of this.#connections) connection.set(faults, direction);
  }

  /** Stops listening and closes every connection; resolves once all are closed. Idempotent. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #serving(server: Server): Server {
    return server.on("connection", (client: Socket) => {
      this.#accepted++;
      if (this.#mode === "forward") this.#forward(client);
      else this.#strand(client, this.#mode);
    });
  }

  #forward(client: Socket): void {
    const server = connect({ ...this.#target, allowHalfOpen: true });
    const connection = new ProxyConnection(client, server, this.#faults);
    this.#connections.add(connection);
    void connection.closed.then(() => {
      this.#connections.delete(connection);
      addTo(this.#forwardedBefore, connection.forwarded);
    });
    if (this.#cutLater !== null) connection.cut(this.#cutLater);
  }

  #strand(client: Socket, mode: Exclude<AcceptMode, "forward">): void {
    this.#strays.add(client);
    client.on("close", () => this.#strays.delete(client));
    client.on("error", () => undefined);
    if (mode === "reset") client.resetAndDestroy();
    if (mode === "close") client.resume().end();
  }

  async #close(): Promise<void> {
    this.#server.close();
    await this.#listening?.catch(() => undefined); // The call of `accept()` reports the error.
    for (const stray of this.#strays) stray.destroy();
    const straysClosed = [...this.#strays].map((stray) => once(stray, "close"));
    await Promise.all([...this.connections.map((connection) => connection.close()), ...straysClosed]);
  }
}

async function listen(port: number, host: string): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }).listen(port, host);
  await once(server, "listening");
  return server;
}

function addTo(
  total: Record<Direction, number>,
  { toServer, toClient }: Readonly<Record<Direction, number>>,
): void {
  total.toServer += toServer;
  total.toClient += toClient;
}
