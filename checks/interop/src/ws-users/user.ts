// Libraries that take the server of `ws`, or load the package themselves, run on `@holdfast/ws`.

import { once } from "node:events";
import { createRequire } from "node:module";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "@holdfast/ws";
import type { Row } from "../matrix/tables.js";

/** A library, and what is tested of it. Each function closes what it opens. */
export interface WsUser {
  readonly row: Row;
  readonly packageName: string;
  /** The change that its user makes. */
  readonly change: string;
  /** Messages in both directions. */
  messages(): Promise<void>;
  /** The library learns that a client has gone. */
  endings(): Promise<void>;
}

export const require = createRequire(import.meta.url);

/** Loads CommonJS packages with `@holdfast/ws` in place of `ws`, as `overrides` in package.json does. */
export function overrideWs(): void {
  const path = require.resolve("ws");
  require(path);
  const module = require.cache[path];
  if (module !== undefined) module.exports = WebSocket;
}

export async function listening(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port; // It listens on TCP.
}

/** A server of `@holdfast/ws` that listens. Its keepalive is quick, so that tests see it. */
export async function serveWs(options: object = {}): Promise<{ server: WebSocketServer; url: string }> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", ...options });
  await once(server, "listening");
  return { server, url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

export async function closeWs(server: WebSocketServer): Promise<void> {
  for (const client of server.clients) client.terminate();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

/** Whether this WebSocket is one of Holdfast, with its keepalive. */
export function isOnHoldfast(socket: unknown): boolean {
  return socket instanceof WebSocket && socket.holdfast !== null;
}
