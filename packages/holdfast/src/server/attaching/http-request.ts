// Between the requests of node:http and ours.

import type { IncomingMessage } from "node:http";
import type { Server as NetServer } from "node:net";
import type { Duplex } from "node:stream";
import { headerList, readHeaders } from "../../protocol/handshake/header-input.js";
import type { RequestHead } from "../../protocol/handshake/request-head.js";
import { parseTokenList } from "../../protocol/handshake/token.js";

/**
 * The head as our own parser would have read it.
 *
 * @throws InvalidHeader where the HTTP server was told to be lenient, and was
 */
export function headOf(request: IncomingMessage): RequestHead {
  return {
    method: request.method ?? "",
    target: request.url ?? "",
    minorVersion: request.httpVersionMinor,
    headers: headerList(readHeaders(fieldsOf(request))),
  };
}

/** Whether it came over TLS. */
export function isEncrypted(socket: Duplex): boolean {
  return "encrypted" in socket && socket.encrypted === true;
}

/**
 * Gives a request back to its HTTP server, as one that asks for no upgrade: what the server does with an Upgrade that
 * nobody listens for. Other routes answer it then, with its body and with all that the connection brings later.
 */
export function giveBack(
  httpServer: NetServer,
  request: IncomingMessage,
  socket: Duplex,
  rest: Uint8Array,
): void {
  const lines = fieldsOf(request)
    .map(([name, value]) => [name, withoutUpgrade(name, value)])
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `${request.method} ${request.url} HTTP/${request.httpVersion}\r\n${lines.join("")}\r\n`;
  socket.unshift(Buffer.concat([Buffer.from(head, "latin1"), rest]));
  httpServer.emit(isEncrypted(socket) ? "secureConnection" : "connection", socket);
}

/** The value of a field where there is no upgrade; empty where the field goes away with it. */
function withoutUpgrade(name: string, value: string): string {
  const lowerCase = name.toLowerCase();
  if (lowerCase === "upgrade") return "";
  if (lowerCase !== "connection") return value;
  const options = parseTokenList(value);
  if (typeof options === "string") return value;
  return options.filter((option) => option.toLowerCase() !== "upgrade").join(", ");
}

function fieldsOf({ rawHeaders }: IncomingMessage): readonly (readonly [name: string, value: string])[] {
  const fields: [string, string][] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    fields.push([rawHeaders[index], rawHeaders[index + 1]]);
  }
  return fields;
}
