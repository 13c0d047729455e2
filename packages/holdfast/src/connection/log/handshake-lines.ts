// Formats the opening handshake as lines of a log, without secrets.

import { escapeControls } from "../../shared/control-characters.js";
import { showURL } from "../../shared/show-url.js";
import type { HandshakeRequest, HandshakeResponse } from "../handshake-record.js";

/** Fields whose values are credentials. */
const SECRET_FIELDS: ReadonlySet<string> = new Set([
  "authorization",
  "cookie",
  "proxy-authorization",
  "set-cookie",
]);

/** `GET /chat HTTP/1.1`, and a line for each field. */
export function requestLines({ method, target, headers }: HandshakeRequest): readonly string[] {
  return [escapeControls(`${method} ${showURL(target)} HTTP/1.1`), ...fieldLines(headers)];
}

/** `HTTP/1.1 101 Switching Protocols`, and a line for each field. */
export function responseLines({ status, headers }: HandshakeResponse): readonly string[] {
  return [`HTTP/1.1 ${status}${status === 101 ? " Switching Protocols" : ""}`, ...fieldLines(headers)];
}

function fieldLines(headers: Headers): readonly string[] {
  return [...headers].map(([name, value]) => escapeControls(`${name}: ${shownValue(name, value)}`));
}

function shownValue(name: string, value: string): string {
  if (SECRET_FIELDS.has(name)) return "[hidden]";
  return URL_FIELDS.has(name) ? showURL(value) : value;
}

/** Fields whose values are URLs. */
const URL_FIELDS: ReadonlySet<string> = new Set(["content-location", "location", "referer"]);
