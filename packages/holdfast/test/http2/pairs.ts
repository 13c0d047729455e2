import {
  connect,
  serve,
  type Connection,
  type ConnectOptions,
  type ServeOptions,
  type Server,
} from "holdfast";
import { testCertificates, type TestCertificates } from "holdfast-testkit";

/** A server that queues its connections for the test, and the options to reach it over HTTP/2. */
export class Http2Pair implements AsyncDisposable {
  readonly server: Server;
  readonly accepted: Connection[];
  readonly #certificates: TestCertificates;

  static async start(scheme: "ws" | "wss", options: ServeOptions = {}): Promise<Http2Pair> {
    const certificates = await testCertificates();
    const accepted: Connection[] = [];
    const tls = scheme === "wss" ? { tls: certificates.server } : {};
    const server = await serve((connection) => void accepted.push(connection), {
      host: "127.0.0.1",
      http2: true,
      pingInterval: null,
      ...tls,
      ...options,
    });
    return new Http2Pair(server, accepted, certificates);
  }

  private constructor(server: Server, accepted: Connection[], certificates: TestCertificates) {
    this.server = server;
    this.accepted = accepted;
    this.#certificates = certificates;
  }

  /** A connection to `server`, or to a proxy in front of it. */
  connect(options: ConnectOptions = {}, url = this.server.url): Promise<Connection> {
    const tls = { ca: this.#certificates.ca };
    return connect(url, { http2: true, tls, pingInterval: null, ...options });
  }

  /** A client's connection and the matching connection of the server. */
  async pair(options: ConnectOptions = {}, url?: string): Promise<[client: Connection, server: Connection]> {
    const before = this.accepted.length;
    const client = await this.connect(options, url);
    return [client, this.accepted[before]];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
  }
}
