import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { ProxyConnection } from "./connection.js";
import { type CutOptions, type Direction, FaultControls, type Faults, NO_FAULTS } from "./faults.js";

/** Options of `FaultProxy.start()`. */
export interface FaultProxyOptions {
  /** The server to forward to; `host` is 127.0.0.1 by default. */
  readonly target: { readonly port: number; readonly host?: string };
  /** The port to listen on. @default 0: any free port */
  readonly port?: number;
  /** The address to listen on. @default "127.0.0.1" */
  readonly host?: string;
}

/**
 * The treatment of a new connection: it is forwarded, ended by FIN or RST after it was accepted, or accepted and left
 * without an answer.
 */
export type AcceptMode = "forward" | "close" | "reset" | "mute";

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
  #closing: Promise<void> | null = null;

  /**
   * Listens, and forwards each connection to the target.
   *
   * @throws the error of Node.js if it cannot listen, such as EADDRINUSE
   */
  static async start({ target, port = 0, host = "127.0.0.1" }: FaultProxyOptions): Promise<FaultProxy> {
    const server = await listen(port, host);
    return new FaultProxy(server, host, { host: "127.0.0.1", ...target });
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
    this.#server.close();
  }

  /** Sets what happens to new connections. Listens on the same port again after `refuse`. */
  async accept(mode: AcceptMode = "forward"): Promise<void> {
    this.#mode = mode;
    if (!this.#server.listening) this.#server = this.#serving(await listen(this.port, this.#host));
  }

  override cut(options: CutOptions): void {
    if (options.after !== undefined) this.#cutLater = options;
    for (const connection of this.#connections) connection.cut(options);
  }

  override callOffCut(): void {
    this.#cutLater = null;
    for (const connection of this.#connections) connection.callOffCut();
  }

  override set(faults: Partial<Faults>, direction?: Direction): void {
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
