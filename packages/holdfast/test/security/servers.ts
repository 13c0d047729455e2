// Servers under attack, and the proof that they still serve others.

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

/** Connects and has a message echoed, as an honest client. */
export async function assertServes(server: Server): Promise<void> {
  const connection = await connect(server.url, { pingInterval: null });
  await connection.send("still there?");
  assert.equal(await connection.recv({ timeout: 2_000 }), "still there?");
  assert.equal((await connection.close()).ok, true);
}

/** A client whose requests the test writes itself. */
export function attacker(server: Server): Promise<RawClient> {
  return RawClient.connect({ port: server.port });
}

/** The head of a refusal and its body, after which the server has to end the connection. */
export async function readRefusal(client: RawClient): Promise<{ status: string; body: string }> {
  const head = await client.readHead();
  const body = Buffer.from(await client.readToEnd()).toString("utf8");
  assert.equal(head.header("Connection"), "close");
  assert.equal(head.header("Content-Length"), String(Buffer.byteLength(body)));
  return { status: head.startLine, body };
}
