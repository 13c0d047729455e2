import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo, Socket } from "node:net";

/** A node:http2 server that follows a script. */
export class ScriptedServer implements AsyncDisposable {
  readonly sessions: ServerHttp2Session[] = [];
  /** The sockets of the sessions: destroying one ends its session without GOAWAY. */
  readonly sockets: Socket[] = [];
  readonly requests: IncomingHttpHeaders[] = [];
  readonly #server: Http2Server;

  static async start(
    onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, index: number) => void,
    settings = {},
  ): Promise<ScriptedServer> {
    const server = createServer({ settings: { enableConnectProtocol: true, ...settings } });
    const scripted = new ScriptedServer(server);
    server.on("connection", (socket: Socket) => scripted.sockets.push(socket));
    server.on("session", (session) => scripted.sessions.push(session));
    server.on("stream", (stream, headers) => {
      stream.on("error", () => undefined).resume();
      onStream(stream, headers, scripted.requests.push(headers) - 1);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return scripted;
  }

  private constructor(server: Http2Server) {
    this.#server = server;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.sessions) session.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
