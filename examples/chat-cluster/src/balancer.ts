// Passes each WebSocket on to a chat server: the one with the fewest sockets, or the next one if it does not answer. It
// stands for the load balancer of a real deployment, and knows nothing of sessions or rooms.

import type { IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Backend, Backends } from "./backends.js";

export class Balancer {
  readonly #backends: Backends;
  readonly #sockets = new Map<Backend, number>();
  readonly #open = new Set<Duplex>();

  constructor(backends: Backends) {
    this.#backends = backends;
  }

  /** For the event "upgrade" of an HTTP server. */
  async pass(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on("error", () => socket.destroy());
    const found = await this.#connect();
    if (found === null) {
      socket.end("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n\r\n");
      return;
    }
    const { backend, upstream } = found;
    this.#count(backend, 1);
    for (const each of [socket, upstream]) {
      this.#open.add(each);
      each.once("close", () => this.#open.delete(each));
    }
    upstream.once("close", () => {
      this.#count(backend, -1);
      socket.destroy();
    });
    upstream.on("error", () => socket.destroy());
    socket.once("close", () => upstream.destroy());
    upstream.write(headOf(request));
    upstream.write(head);
    socket.pipe(upstream).pipe(socket);
  }

  close(): void {
    for (const socket of this.#open) socket.destroy();
  }

  async #connect(): Promise<{ readonly backend: Backend; readonly upstream: Socket } | null> {
    const candidates = this.#backends.all
      .filter(({ status }) => status.state === "up")
      .sort((one, other) => this.#countOf(one) - this.#countOf(other));
    for (const backend of candidates) {
      const upstream = await dial(backend);
      if (upstream !== null) return { backend, upstream };
    }
    return null;
  }

  #countOf(backend: Backend): number {
    return this.#sockets.get(backend) ?? 0;
  }

  #count(backend: Backend, change: number): void {
    this.#sockets.set(backend, this.#countOf(backend) + change);
  }
}

/** Null if it does not answer within a second. */
function dial({ address }: Backend): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect({ ...address, noDelay: true, timeout: 1_000 });
    const fail = (): void => {
      socket.destroy();
      resolve(null);
    };
    socket.once("error", fail);
    socket.once("timeout", fail);
    socket.once("connect", () => {
      socket.off("error", fail);
      socket.off("timeout", fail);
      socket.setTimeout(0);
      resolve(socket);
    });
  });
}

function headOf({ method, url, rawHeaders }: IncomingMessage): string {
  const lines = [`${method ?? "GET"} ${url ?? "/"} HTTP/1.1`];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    lines.push(`${rawHeaders[index] ?? ""}: ${rawHeaders[index + 1] ?? ""}`);
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
}
