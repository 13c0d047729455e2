// The one address that a browser knows: the page's files, the WebSockets, the states of the processes, and `POST /kill`.

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Backends } from "./backends.js";
import { Balancer } from "./balancer.js";
import { fileOf } from "./files.js";

/** The page sends no longer request body. */
const MAX_BODY = 256;

export interface FrontOptions {
  readonly host: string;
  readonly port: number;
  readonly backends: () => Backends;
}

export class Front {
  readonly #http = createServer((request, response) => {
    this.#answer(request, response).catch((error: unknown) => {
      console.error(error);
      response.destroy();
    });
  });
  readonly #balancer: Balancer;
  readonly #backends: () => Backends;
  readonly #watchers = new Set<ServerResponse>();

  private constructor({ backends }: FrontOptions) {
    this.#backends = backends;
    this.#balancer = new Balancer(backends());
    this.#http.on("upgrade", (request, socket, head) => void this.#balancer.pass(request, socket, head));
  }

  /** @throws Error if the port is taken */
  static async start(options: FrontOptions): Promise<Front> {
    const front = new Front(options);
    front.#http.listen(options.port, options.host);
    await once(front.#http, "listening");
    return front;
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port; // It listens on TCP.
  }

  /** Pages learn of changed processes. */
  report(): void {
    for (const response of this.#watchers) response.write(this.#states());
  }

  async close(): Promise<void> {
    this.#balancer.close();
    this.#http.close();
    this.#http.closeAllConnections();
    await once(this.#http, "close");
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? "/", "http://page").pathname;
    response.setHeader("X-Content-Type-Options", "nosniff");
    response.setHeader("Cache-Control", "no-store");
    if (request.method === "POST" && path === "/kill") await this.#kill(request, response);
    else if (request.method !== "GET") refuse(response, 405, "Expected GET, or POST to /kill");
    else if (path === "/servers") this.#watch(response);
    else {
      const file = await fileOf(path);
      if (file === null) refuse(response, 404, "There is no such file");
      else response.setHeader("Content-Type", file.type).end(file.bytes);
    }
  }

  /** `POST /kill` with the name of a server. */
  async #kill(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { kill } = this.#backends();
    const { origin, host } = request.headers;
    let name = "";
    for await (const chunk of request.setEncoding("utf8")) name = (name + String(chunk)).slice(0, MAX_BODY);
    if (origin !== undefined && origin !== `http://${host ?? ""}`)
      refuse(response, 403, "Expected this site's page");
    else if (kill === null) refuse(response, 404, "The servers run elsewhere: kill them there");
    else if (!kill(name)) refuse(response, 409, "There is no such server, or it is down");
    else response.writeHead(204).end();
  }

  #watch(response: ServerResponse): void {
    this.#watchers.add(response);
    response.on("close", () => this.#watchers.delete(response));
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.write(this.#states());
  }

  #states(): string {
    const { all, kill } = this.#backends();
    return `data: ${JSON.stringify({ canKill: kill !== null, servers: all.map(({ status }) => status) })}\n\n`;
  }
}

function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" }).end(`${why}\n`);
}
