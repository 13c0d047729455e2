// Events of a client as JSON, in the same form for every verb.

import { explain, type ClientEvent, type DisconnectedEvent } from "../../index.js";
import { jsonLine } from "../terminal/json.js";
import type { SessionEvent } from "./session-client.js";

/** `receivedAt` is in milliseconds since 1970; bytes are in base64. */
export function eventJSON(event: ClientEvent | SessionEvent): string {
  return jsonLine(plain(event));
}

function plain(event: ClientEvent | SessionEvent): object {
  const { at: _at, ...shown } = event;
  switch (event.type) {
    case "ready": {
      const { connection, response, ...rest } = event;
      const { status, headers } = response;
      const { id, url } = connection;
      return { ...without(rest), id, url, status, headers: Object.fromEntries(headers) };
    }
    case "rejected": {
      const { error, headers, body, ...rest } = event;
      const text = Buffer.from(body).toString("utf8");
      return { ...without(rest), error: plainError(error), headers: Object.fromEntries(headers), body: text };
    }
    case "text":
      return { type: event.type, receivedAt: event.receivedAt, text: event.text };
    case "binary":
      return { type: event.type, receivedAt: event.receivedAt, base64: base64(event.data) };
    case "ping":
      return { type: event.type, receivedAt: event.receivedAt, payload: base64(event.payload) };
    case "pong": {
      const { type, receivedAt, roundTrip, payload } = event;
      return { type, receivedAt, roundTrip, payload: base64(payload) };
    }
    case "connectFail":
    case "protocolError":
      return { type: event.type, receivedAt: event.receivedAt, error: plainError(event.error) };
    case "disconnected": {
      const { error, ...ending } = event;
      return { ...plainEnding(ending), error: plainError(error) };
    }
    case "detached":
      return plainEnding(event);
    default:
      return shown;
  }
}

function plainEnding({
  type,
  receivedAt,
  info,
}: Pick<DisconnectedEvent, "info" | "receivedAt"> & {
  readonly type: "detached" | "disconnected";
}): object {
  const { error: _cause, ...plainInfo } = info;
  const { code, reason, cause } = info;
  return { type, receivedAt, code, reason, cause, info: plainInfo, explanation: explain(info) };
}

function without<Event extends { readonly at: number }>({ at: _at, ...rest }: Event): Omit<Event, "at"> {
  return rest;
}

function plainError(error: (Error & { readonly code?: string }) | null): object | null {
  return error && { name: error.name, code: error.code, message: error.message };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
