// The messages that clients and a peer exchange: plain ones, or those of Socket.IO (Engine.IO 4).

import type { Connection } from "holdfast";

export type Dialect = "plain" | "socket.io";

/** The path and query to connect to. */
export function targetOf(dialect: Dialect): string {
  return dialect === "plain" ? "/" : "/socket.io/?EIO=4&transport=websocket";
}

export function sendCommand(connection: Connection, dialect: Dialect, command: string): void {
  void connection.send(dialect === "plain" ? command : `42["command","${command}"]`);
}

/** The message of the application; null for one of the protocol, which this answers. */
export function payloadOf(connection: Connection, dialect: Dialect, text: string): string | null {
  if (dialect === "plain") return text;
  if (text.startsWith('42["m","')) return text.slice('42["m","'.length);
  if (text.startsWith("0{"))
    void connection.send("40"); // To the default namespace.
  else if (text === "2") void connection.send("3"); // A ping.
  return null;
}
