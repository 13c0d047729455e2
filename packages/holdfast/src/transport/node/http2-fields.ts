// Between the header fields of HTTP/2, as node:http2 has them, and ours.

import { sensitiveHeaders, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http2";
import { defaultPort } from "../../protocol/handshake/authority.js";
import { headerList, type HeaderField } from "../../protocol/handshake/header-input.js";
import type { HeaderList } from "../../protocol/handshake/header-list.js";
import { isSameHost } from "../../protocol/handshake/request-target.js";

/** How much each stream may bring before we have read it, and all streams of a connection together (RFC 9113 section 5.2). */
export const STREAM_WINDOW = 1024 * 1024;
export const CONNECTION_WINDOW = 16 * STREAM_WINDOW;

/**
 * The fields that came. `:authority` takes the place of Host (RFC 9113 section 8.3.1); a `host` that names another one
 * stays beside it, as a second Host, which no server accepts.
 *
 * @param rawHeaders names and values as they came; without them, fields that came twice are joined
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
  // RFC 9113 section 8.2.3: its parts are joined by something else than a comma, which Node has done.
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
