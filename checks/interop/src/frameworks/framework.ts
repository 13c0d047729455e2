// A web framework with the routes that the tests ask for:
//
//   GET /page     200, "a page"
//   POST /sum     200, the sum of the numbers in a JSON body, as JSON
//   all others    the framework's own 404

import { once } from "node:events";
import type { Server } from "node:net";

export interface Framework {
  readonly row: "Express" | "Fastify" | "Hono";
  /** The npm package whose version the table shows. */
  readonly packageName: string;
  /** Starts an application on a free port of 127.0.0.1. */
  start(): Promise<Application>;
}

export interface Application {
  readonly httpServer: Server;
  /** Stops it as the framework's documentation says. */
  close(): Promise<void>;
}

export const PAGE = "a page";

export function sum(body: unknown): { readonly sum: number } {
  const { numbers } = body as { numbers: readonly number[] };
  return { sum: numbers.reduce((total, number) => total + number, 0) };
}

/** For frameworks that expose the server of Node.js and leave closing to it. */
export async function closeServer(httpServer: Server): Promise<void> {
  const closed = once(httpServer, "close");
  httpServer.close();
  await closed;
}
