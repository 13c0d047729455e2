// Runs a scenario with one implementation of the interface of `ws`, and records what it shows to its user.

import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type HoldfastWebSocket from "@holdfast/ws";

export type Library = typeof HoldfastWebSocket;
export type Socket = HoldfastWebSocket;

/** Returns what the implementations are compared by. */
export type Scenario = (library: Library, stage: Stage) => Promise<unknown>;

/** Records events, and closes what a scenario opened. */
export class Stage {
  readonly events: string[] = [];
  readonly #cleanups: (() => unknown)[] = [];

  note(...parts: readonly unknown[]): void {
    this.events.push(parts.map(show).join(" "));
  }

  /** Records the events of a WebSocket. Resolves with its trace once it has closed. */
  watch(socket: Socket, name = ""): Promise<void> {
    const prefix = name === "" ? "" : `${name}: `;
    const states = ["CONNECTING", "OPEN", "CLOSING", "CLOSED"];
    const note = (...parts: readonly unknown[]): void =>
      this.note(`${prefix}${states[socket.readyState]}`, ...parts);
    socket.on("open", () => note("open", socket.protocol, socket.extensions));
    socket.on("message", (data, isBinary) => note("message", data, isBinary));
    socket.on("ping", (data) => note("ping", data));
    socket.on("pong", (data) => note("pong", data));
    socket.on("error", (error) => note("error", describe(error)));
    return new Promise((resolve) => {
      socket.on("close", (code, reason) => {
        note("close", code, reason);
        resolve();
      });
    });
  }

  /** A server of the library, which listens. */
  async serve(library: Library, options: object = {}): Promise<InstanceType<Library["Server"]>> {
    const server = new library.Server({ port: 0, ...options });
    this.#cleanups.push(() => {
      // Undefined with `clientTracking: false`.
      for (const client of (server as Partial<typeof server>).clients ?? []) client.terminate();
      server.close();
    });
    await once(server, "listening");
    return server;
  }

  /** A plain HTTP server, which listens. */
  async http(
    onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void,
    onRequest?: RequestListener,
  ): Promise<Server> {
    const server = createServer(onRequest);
    const sockets = new Set<Duplex>();
    server.on("upgrade", (request, socket, head) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      onUpgrade(request, socket, head);
    });
    this.#cleanups.push(() => {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      server.close();
    });
    server.listen(0);
    await once(server, "listening");
    return server;
  }

  cleanUp(): void {
    for (const cleanup of this.#cleanups.reverse()) cleanup();
  }
}

export function urlOf(server: { address(): unknown }, path = ""): string {
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
}

/** The class, code and message of an error, which users match. */
export function describe(error: Error): string {
  const { code } = error as { code?: string };
  return [error.name, code, error.message].filter((part) => part !== undefined).join(" | ");
}

export function thrownBy(call: () => unknown): string {
  try {
    call();
    return "nothing";
  } catch (error) {
    return describe(error as Error);
  }
}

function show(part: unknown): string {
  if (Buffer.isBuffer(part)) return `Buffer(${part.length > 40 ? part.length : part.toString("latin1")})`;
  if (part instanceof ArrayBuffer) return `ArrayBuffer(${Buffer.from(part).toString()})`;
  if (Array.isArray(part)) return `[${part.map(show).join(", ")}]`;
  return String(part);
}
