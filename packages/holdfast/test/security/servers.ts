// Servers under attack, and a check that they still serve others.

import assert from "node:assert/strict";
import { connect, serve, type Connection, type ServeOptions, type Server } from "../../build/index.js";
import { RawClient } from "holdfast-testkit";

/** A server that echoes. */
export async function echoServer(options: ServeOptions = {}): Promise<Server> {
  return await serve(echo, { host: "127.0.0.1", pingInterval: null, ...options });
}

export function echo(connection: Connection): Promise<unknown> {
  return connection.forEach((message) => connection.send(message));
}

/** Connects as an honest client, and receives the echo of a message. */
export async function assertServes(server: Server): Promise<void> {
  const connection = await connect(server.url, { pingInterval: null });
  await connection.send("still there?");
  assert.equal(await connection.recv({ timeout: 30_000 }), "still there?");
  assert.equal((await connection.close()).ok, true);
}

/** A client that sends the raw requests of the test. */
export function attacker(server: Server): Promise<RawClient> {
  return RawClient.connect({ port: server.port });
}

/** The head and the body of a refusal, after which the server has to close the connection. */
export async function readRefusal(client: RawClient): Promise<{ status: string; body: string }> {
  const head = await client.readHead();
  const body = Buffer.from(await client.readToEnd()).toString("utf8");
  assert.equal(head.header("Connection"), head.header("Upgrade") === null ? "close" : "close, Upgrade");
  assert.equal(head.header("Content-Length"), String(Buffer.byteLength(body)));
  return { status: head.startLine, body };
}
