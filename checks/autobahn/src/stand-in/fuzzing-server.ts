// Stands in for the testsuite's fuzzing server in the tests: it serves the same paths, built on the npm
// package `ws`, so that our driver is tested against a third-party implementation.

import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { type PerMessageDeflateOptions, type WebSocket, WebSocketServer } from "ws";

/** One case. It has a connection of its own with its own compression offer, which ends when `run` does. */
export interface FuzzingCase {
  readonly name: string;
  readonly compression: PerMessageDeflateOptions | false;
  /** Rejects if the client fails the case. */
  run(socket: WebSocket): Promise<void>;
}

export class FuzzingServer implements AsyncDisposable {
  readonly #cases: readonly FuzzingCase[];
  readonly #http: Server;
  readonly #failures = new Map<number, string>();
  /** The requested paths, without their parameters. */
  readonly asked: string[] = [];

  /** Listens on a free port. */
  static async start(cases: readonly FuzzingCase[]): Promise<FuzzingServer> {
    const server = new FuzzingServer(cases);
    server.#http.listen(0, "127.0.0.1");
    await once(server.#http, "listening");
    return server;
  }

  /** Use `start` instead, which also listens. */
  constructor(cases: readonly FuzzingCase[]) {
    this.#cases = cases;
    this.#http = createServer().on("upgrade", (request, socket, head) => {
      void this.#accept(request, socket, head);
    });
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#http.close();
    this.#http.closeAllConnections();
    await once(this.#http, "close");
  }

  async #accept(request: IncomingMessage, connection: Duplex, head: Buffer): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "", this.url);
    const number = Number(searchParams.get("case"));
    const running = pathname === "/runCase" ? this.#cases[number - 1] : undefined;
    this.asked.push(pathname);
    const server = new WebSocketServer({
      noServer: true,
      maxPayload: 0,
      perMessageDeflate: running?.compression ?? false,
    });
    const socket = await new Promise<WebSocket>((resolve) =>
      server.handleUpgrade(request, connection, head, resolve),
    );
    socket.on("error", (error) => this.#failures.set(number, error.message));
    await running?.run(socket).catch((error: unknown) => this.#failures.set(number, String(error)));
    if (pathname === "/getCaseCount") socket.send(String(this.#cases.length));
    if (pathname === "/getCaseStatus") {
      const failure = this.#failures.get(number);
      socket.send(JSON.stringify({ behavior: failure === undefined ? "OK" : `FAILED: ${failure}` }));
    }
    socket.close(1000);
  }
}
