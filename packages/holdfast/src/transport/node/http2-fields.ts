// Converts header fields between the form of node:http2 and the library's own.

import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import { nodeModule } from "../../protocol/node-module.js";
import { defaultPort } from "../../protocol/handshake/authority.js";
import { headerList, type HeaderField } from "../../protocol/handshake/header-input.js";
import type { HeaderList } from "../../protocol/handshake/header-list.js";
import { isSameHost } from "../../protocol/handshake/request-target.js";

/** Bytes that the peer may send before we read them, per stream and per connection (RFC 9113 section 5.2). */
export const STREAM_WINDOW = 1024 * 1024;
export const CONNECTION_WINDOW = 16 * STREAM_WINDOW;

/**
 * Converts received fields. `:authority` becomes Host (RFC 9113 section 8.3.1). A `host` field with a
 * different value is kept as a second Host, which no server accepts.
 *
 * @param rawHeaders names and values as received; without them, Node has joined repeated fields
 */
export function receivedFields(headers: IncomingHttpHeaders, rawHeaders?: readonly string[]): HeaderList {
  const { ":authority": authority, ":scheme": scheme = "" } = headers;
  const fields: HeaderField[] = [];
  if (authority !== undefined) fields.push(["Host", authority]);
  const port = defaultPort(typeof scheme === "string" ? scheme : "");
  for (const [name, value] of rawHeaders === undefined ? fieldsOf(headers) : pairsOf(rawHeaders)) {
    if (name.startsWith(":") || name === "cookie") continue;
    if (name === "host" && authority !== undefined && isSameHost(authority, value, port)) continue;
    fields.push([name, value]);
  }
  // RFC 9113 section 8.2.3: Node has joined the parts with "; " rather than a comma.
  if (headers.cookie !== undefined) fields.push(["cookie", headers.cookie]);
  return headerList(fields);
}

function fieldsOf(headers: IncomingHttpHeaders): readonly HeaderField[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    [value ?? []].flat().map((line): HeaderField => [name, line]),
  );
}

function* pairsOf(rawHeaders: readonly string[]): Iterable<HeaderField> {
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    yield [rawHeaders[index], rawHeaders[index + 1]];
  }
}

/**
 * Returns the fields to send, without those that are specific to HTTP/1.1 connections (RFC 9113 section
 * 8.2.2).
 */
export function fieldsToSend(
  pseudo: OutgoingHttpHeaders,
  fields: Iterable<HeaderField>,
): OutgoingHttpHeaders {
  // No prototype, because a field may be named `__proto__`.
  const sent = Object.assign(Object.create(null) as OutgoingHttpHeaders, pseudo);
  for (const [name, value] of fields) {
    const lowerCase = name.toLowerCase();
    if (NOT_IN_HTTP_2.has(lowerCase)) continue;
    const before = sent[lowerCase];
    if (before === undefined) sent[lowerCase] = value;
    else sent[lowerCase] = [...(Array.isArray(before) ? before : [String(before)]), value];
  }
  // RFC 7541 section 7.1.3: proxies must not store these in their compression tables.
  const { sensitiveHeaders } = nodeModule("node:http2");
  return Object.assign(sent, { [sensitiveHeaders]: SECRETS.filter((name) => name in sent) });
}

const NOT_IN_HTTP_2: ReadonlySet<string> = new Set([
  "connection",
  "host",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

const SECRETS = ["authorization", "proxy-authorization", "cookie", "set-cookie"];
