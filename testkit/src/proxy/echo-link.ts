// Fixtures for the tests of the proxy: clients, the proxy, and a plain echo server.

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { RawClient } from "../../../packages/holdfast/build/testing/raw/client.js";
import type { ProxyConnection } from "../../../packages/holdfast/build/testing/proxy/connection.js";
import { FaultProxy } from "../../../packages/holdfast/build/testing/proxy/proxy.js";

/** Records how its connections end, and in which pieces the bytes arrive. */
class EchoServer {
  readonly sockets: Socket[] = [];
  readonly pieces: number[] = [];
  readonly ends: string[] = [];
  readonly #server: Server;

  static async start(): Promise<EchoServer> {
    const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
    await once(server, "listening");
    return new EchoServer(server);
  }

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket: Socket) => {
      this.sockets.push(socket);
      socket.on("data", (chunk) => {
        this.pieces.push(chunk.length);
        socket.write(chunk);
      });
      socket.on("end", () => this.ends.push("fin"));
      socket.on("error", ({ code }: NodeJS.ErrnoException) => this.ends.push(code ?? "error"));
    });
  }

  get port(): number {
    // A TCP server that listens has an address of this kind.
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}

export class EchoLink {
  readonly echo: EchoServer;
  readonly proxy: FaultProxy;
  readonly #clients: RawClient[] = [];

  static async start(): Promise<EchoLink> {
    const echo = await EchoServer.start();
    return new EchoLink(echo, await FaultProxy.start({ target: { port: echo.port } }));
  }

  private constructor(echo: EchoServer, proxy: FaultProxy) {
    this.echo = echo;
    this.proxy = proxy;
  }

  async connectClient(): Promise<RawClient> {
    const client = await RawClient.connect({ port: this.proxy.port });
    this.#clients.push(client);
    return client;
  }

  /** A client whose connection reached the server, and the proxy's side of it. */
  async connectThrough(): Promise<{ client: RawClient; connection: ProxyConnection }> {
    const client = await this.connectClient();
    client.write("hi");
    await client.read(2);
    const connection = this.proxy.connections.at(-1);
    assert.ok(connection);
    return { client, connection };
  }

  async close(): Promise<void> {
    for (const client of this.#clients) await client.close();
    await this.proxy.close();
    await this.echo.close();
  }
}

/** Sends the text and waits for its echo; returns how many milliseconds that took. */
export async function measureEcho(client: RawClient, text = "ping"): Promise<number> {
  const start = performance.now();
  client.write(text);
  assert.equal(Buffer.from(await client.read(text.length)).toString("latin1"), text);
  return performance.now() - start;
}
