// Responses to upgrade requests that are not accepted.

import { STATUS_CODES, type OutgoingHttpHeaders } from "node:http";
import type { Duplex } from "node:stream";

export interface Refusal {
  readonly status: number;
  readonly message?: string | undefined;
  readonly headers?: OutgoingHttpHeaders | undefined;
}

/** Writes the response and ends the socket. */
export function refuse(socket: Duplex, { status, message, headers }: Refusal): void {
  const body = message === undefined || message === "" ? (STATUS_CODES[status] ?? "") : message;
  const fields = {
    Connection: "close",
    "Content-Type": "text/html",
    "Content-Length": Buffer.byteLength(body),
    ...headers,
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${String(value)}`);
  socket.once("finish", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${lines.join("\r\n")}\r\n\r\n${body}`);
}

/** The listener for errors of a socket that is not a connection yet. */
export function destroySocket(this: Duplex): void {
  this.destroy();
}
