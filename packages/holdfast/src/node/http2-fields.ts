// Between the header fields of HTTP/2, as node:http2 has them, and ours.

import { sensitiveHeaders, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http2";
import { headerList, type HeaderField } from "../protocol/handshake/header-input.js";
import type { HeaderList } from "../protocol/handshake/header-list.js";

/** How much each stream may bring before we have read it, and all streams of a connection together (RFC 9113 section 5.2). */
export const STREAM_WINDOW = 1024 * 1024;
export const CONNECTION_WINDOW = 16 * STREAM_WINDOW;

/** The fields that came; `:authority` takes the place of Host, as RFC 9113 section 8.3.1 says. */
export function receivedFields(headers: IncomingHttpHeaders): HeaderList {
  const fields: HeaderField[] = [];
  const authority = headers[":authority"];
  if (authority !== undefined) fields.push(["Host", authority]);
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(":") || value === undefined || (name === "host" && authority !== undefined)) continue;
    for (const line of Array.isArray(value) ? value : [value]) fields.push([name, line]);
  }
  return headerList(fields);
}

/** Fields to send, without those that are the business of a connection of HTTP/1.1 (RFC 9113 section 8.2.2). */
export function fieldsToSend(
  pseudo: OutgoingHttpHeaders,
  fields: Iterable<HeaderField>,
): OutgoingHttpHeaders {
  // Without a prototype, where a field may be named `__proto__`.
  const sent = Object.assign(Object.create(null) as OutgoingHttpHeaders, pseudo);
  for (const [name, value] of fields) {
    const lowerCase = name.toLowerCase();
    if (NOT_IN_HTTP_2.has(lowerCase)) continue;
    const before = sent[lowerCase];
    if (before === undefined) sent[lowerCase] = value;
    else sent[lowerCase] = [...(Array.isArray(before) ? before : [String(before)]), value];
  }
  // RFC 7541 section 7.1.3: proxies on the way must not put these into their tables.
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
