// The server's responses in HTTP/1.1: the upgrade (RFC 6455 section 4.2.2), and refusals in plain text.

import { Buffer } from "node:buffer";
import { acceptKey } from "./accept-key.js";
import {
  headerList,
  readHeaders,
  refuseReserved,
  type HeaderField,
  type HeadersInput,
} from "./header-input.js";
import { statusText } from "./status-text.js";

/** The negotiated values for the response. */
export interface UpgradeResponse {
  readonly key: string;
  readonly subprotocol: string | null;
  /** The value of Sec-WebSocket-Extensions. */
  readonly extensions: string | null;
  /** Additional headers, such as Set-Cookie. */
  readonly headers?: HeadersInput | undefined;
}

/**
 * The response that opens the connection (RFC 6455 section 4.2.2 point 5).
 *
 * @throws {InvalidHeaderError} for a header that cannot be sent.
 */
export function buildUpgradeResponse({ key, subprotocol, extensions, headers }: UpgradeResponse): Uint8Array {
  const protocolLine = subprotocol === null ? "" : `Sec-WebSocket-Protocol: ${subprotocol}\r\n`;
  const extensionsLine = extensions === null ? "" : `Sec-WebSocket-Extensions: ${extensions}\r\n`;
  return Buffer.from(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptKey(key)}\r\n${protocolLine}${extensionsLine}${headers === undefined ? "" : extraLines(headers)}\r\n`,
    "latin1",
  );
}

function extraLines(headers: HeadersInput): string {
  const fields = readHeaders(headers);
  refuseReserved(fields);
  return headerList(fields).toString();
}

/**
 * A complete plain-text response, after which the connection ends. The response to HEAD has no body (RFC 9110 section
 * 9.3.2).
 *
 * @throws {InvalidHeaderError} for a header that cannot be sent.
 */
export function buildRefusal(
  refusal: { status: number; headers: HeadersInput; body: string },
  method = "GET",
): Uint8Array {
  const { status, body } = refusal;
  const fields = readHeaders(refusal.headers).filter(([name]) => !SET_BY_REFUSAL.has(name.toLowerCase()));
  const lines = headerList([
    ...fields,
    ["Content-Type", "text/plain; charset=utf-8"],
    ["Content-Length", String(Buffer.byteLength(body))],
    closing(fields),
  ]);
  const head = `HTTP/1.1 ${status} ${statusText(status)}\r\n${lines.toString()}\r\n`;
  return Buffer.from(method === "HEAD" ? head : head + body);
}

/** The header of a response that ends the connection. With Upgrade, it has that option too (RFC 9110 section 7.8). */
export function closing(fields: readonly HeaderField[]): HeaderField {
  const hasUpgrade = fields.some(([name]) => name.toLowerCase() === "upgrade");
  return ["Connection", hasUpgrade ? "close, Upgrade" : "close"];
}

const SET_BY_REFUSAL: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "content-type",
  "transfer-encoding",
]);
