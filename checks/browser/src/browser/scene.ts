// A server of this library, a network with faults, and a page that connects through it.

import { serve, type Connection, type Message, type ServeOptions, type Server } from "holdfast";
import { FaultProxy } from "holdfast-testkit";

export interface Scene extends AsyncDisposable {
  readonly server: Server;
  readonly proxy: FaultProxy;
  /** The URL of the proxy. */
  readonly url: string;
  /** The server's connections, the oldest first. */
  readonly connections: readonly Connection[];
  /** All messages that the server received. */
  readonly received: readonly Message[];
}

/** The server echoes, and accepts every page. */
export async function openScene(options: ServeOptions = {}): Promise<Scene> {
  const connections: Connection[] = [];
  const received: Message[] = [];
  const server = await serve(
    (connection) => {
      connections.push(connection);
      void connection.forEach(async (message) => {
        received.push(message);
        await connection.send(message);
      });
    },
    { host: "127.0.0.1", origins: "any", ...options },
  );
  const proxy = await FaultProxy.start({ target: { port: server.port } });
  return {
    server,
    proxy,
    url: proxy.url("ws"),
    connections,
    received,
    async [Symbol.asyncDispose]() {
      for (const connection of connections) connection.terminate();
      await proxy.close();
      await server.close();
    },
  };
}
