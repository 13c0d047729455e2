// The server for the testsuite's fuzzing client: it echoes text as text and binary as binary.

import { serve, type Connection, type Server } from "holdfast";
import type { ServerCommand } from "./arguments.js";

/** Listens until the returned server is closed. */
export function startEchoServer(command: Omit<ServerCommand, "name">): Promise<Server> {
  const { host, port, maxMessageSize, isCompressing } = command;
  return serve(echo, {
    host,
    port,
    maxMessageSize,
    // Our own pings belong to no case, and the testsuite lists every frame in its reports.
    pingInterval: null,
    ...(isCompressing ? { compression: true } : {}),
  });
}

/** Echoes until the connection has ended, for any reason. */
export async function echo(connection: Connection): Promise<void> {
  await connection.forEach((message) => connection.send(message));
}
