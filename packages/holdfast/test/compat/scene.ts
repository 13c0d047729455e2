// A server, and the events of a WebSocket of the standard as a list.

import { serve, type Message, type ServeOptions, type Server, type ServerConnection } from "holdfast";
import { WebSocket, type StandardWebSocket } from "holdfast/websocket";

export interface Scene extends AsyncDisposable {
  readonly url: string;
  readonly server: Server;
  readonly connections: readonly ServerConnection[];
  readonly received: readonly Message[];
}

/** An echo server. */
export async function openScene(options: ServeOptions = {}): Promise<Scene> {
  const connections: ServerConnection[] = [];
  const received: Message[] = [];
  const server = await serve(
    (connection) => {
      connections.push(connection);
      return connection.forEach((message) => {
        received.push(message);
        return connection.send(message);
      });
    },
    { host: "127.0.0.1", ...options },
  );
  return {
    url: server.url,
    server,
    connections,
    received,
    async [Symbol.asyncDispose]() {
      for (const connection of connections) connection.terminate();
      await server.close({ timeout: 1 });
    },
  };
}

/** The type of each event, with its data, code or nothing. */
export function recordEvents(socket: StandardWebSocket): readonly string[] {
  const events: string[] = [];
  socket.addEventListener("open", () => events.push("open"));
  socket.addEventListener("message", ({ data }) => events.push(`message ${describeData(data)}`));
  socket.addEventListener("error", () => events.push("error"));
  socket.addEventListener("close", ({ code, reason, wasClean }) =>
    events.push(`close ${code} ${wasClean ? "clean" : "unclean"} ${reason}`.trimEnd()),
  );
  return events;
}

function describeData(data: unknown): string {
  if (typeof data === "string") return data;
  if (data instanceof Blob) return `Blob(${data.size})`;
  return data instanceof ArrayBuffer ? `ArrayBuffer(${data.byteLength})` : "something else";
}

export function once(
  socket: StandardWebSocket,
  type: "close" | "error" | "message" | "open",
): Promise<Event> {
  return new Promise((resolve) => {
    socket.addEventListener(type, resolve, { once: true });
  });
}

export async function opened(...args: ConstructorParameters<typeof WebSocket>): Promise<StandardWebSocket> {
  const socket = new WebSocket(...args);
  await once(socket, "open");
  return socket;
}
