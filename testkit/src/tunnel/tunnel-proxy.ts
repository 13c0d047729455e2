import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { ProxyServer } from "proxy";
import type { KeyAndCertificate } from "../certificates.js";

export interface TunnelProxyOptions {
  /** Makes the proxy use TLS itself: `https:`. */
  readonly tls?: KeyAndCertificate;
  /** Requires Basic authentication: `user:password`. */
  readonly userInfo?: string;
  /** @default "127.0.0.1" */
  readonly host?: string;
}

/** A client's CONNECT request. */
export interface TunnelRequest {
  readonly authority: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/**
 * A well-behaved HTTP proxy that opens tunnels (RFC 9110 section 9.3.6), built on the package `proxy`. For a
 * misbehaving proxy, write a script of `RawServer`.
 */
export class TunnelProxy implements AsyncDisposable {
  readonly port: number;
  /** The requested tunnels, including refused ones. */
  readonly requests: TunnelRequest[] = [];
  readonly #server: ProxyServer;
  readonly #options: TunnelProxyOptions;
  readonly #sockets = new Set<Socket>();

  static async start(options: TunnelProxyOptions = {}): Promise<TunnelProxy> {
    const { tls, host = "127.0.0.1" } = options;
    // Import on demand, because the demo loads this kit at startup.
    const { createProxy } = await import("proxy");
    // The package's types require the server of node:http; that of node:https has the same methods.
    const server = createProxy(tls === undefined ? createServer() : createTlsServer(tls));
    server.listen(0, host);
    await once(server, "listening");
    return new TunnelProxy(server, options);
  }

  private constructor(server: ProxyServer, options: TunnelProxyOptions) {
    this.#server = server;
    this.#options = options;
    // The address of a TCP server has this type.
    this.port = (server.address() as AddressInfo).port;
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket)).on("error", () => undefined);
    });
    server.on("tlsClientError", () => undefined);
    server.authenticate = (request) => this.#admit(request);
  }

  /** Its URL, with user info if it requires authentication. */
  url(userInfo = this.#options.userInfo): string {
    const scheme = this.#options.tls === undefined ? "http" : "https";
    return `${scheme}://${userInfo === undefined ? "" : `${userInfo}@`}127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.close();
  }

  #admit({ url = "", headers }: IncomingMessage): boolean {
    this.requests.push({ authority: url, headers: { ...headers } });
    const { userInfo } = this.#options;
    if (userInfo === undefined) return true;
    return headers["proxy-authorization"] === `Basic ${Buffer.from(userInfo).toString("base64")}`;
  }
}
