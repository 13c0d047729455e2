// Checks an upgrade request (RFC 6455 section 4.2.1), with the answers of `ws`.

import type { IncomingMessage } from "node:http";
import { PROTOCOL_VERSIONS } from "./constants.js";
import type { Refusal } from "./refusals.js";
import { parseProtocols } from "./subprotocols.js";

/** 16 bytes in Base64. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;

/** The reason to refuse the request; null if it is valid. */
export function checkRequest({ method, headers }: IncomingMessage): Refusal | null {
  if (method !== "GET") return { status: 405, message: "Invalid HTTP method" };
  if (headers.upgrade?.toLowerCase() !== "websocket") return invalid("Invalid Upgrade header");
  if (!KEY.test(headers["sec-websocket-key"] ?? ""))
    return invalid("Missing or invalid Sec-WebSocket-Key header");
  if (!PROTOCOL_VERSIONS.includes(Number(headers["sec-websocket-version"]))) {
    const message = "Missing or invalid Sec-WebSocket-Version header";
    return { ...invalid(message), headers: { "Sec-WebSocket-Version": "13, 8" } };
  }
  const protocols = headers["sec-websocket-protocol"];
  if (protocols !== undefined && parseProtocols(protocols) === null)
    return invalid("Invalid Sec-WebSocket-Protocol header");
  return null;
}

function invalid(message: string): Refusal {
  return { status: 400, message };
}

/**
 * Any true value, as in `ws`, but no error, such as one that was caught and returned, and no promise, which may come to
 * nothing: `ws` lets every client in then.
 */
export function isConsent(verdict: unknown): boolean {
  if (!verdict) return false;
  const kind = Object.prototype.toString.call(verdict);
  const isPromise = typeof (verdict as { then?: unknown }).then === "function";
  if (!isPromise && kind !== "[object Error]" && !(verdict instanceof Error)) return true;
  if (isPromise) void Promise.resolve(verdict).catch(() => undefined);
  if (!hasWarned) warn(isPromise ? "a promise" : "an error");
  return false;
}

let hasWarned = false;

function warn(got: string): void {
  hasWarned = true; // Once: clients could fill the log.
  process.emitWarning(
    `Expected \`verifyClient\` to answer true or false, got ${got}: the client is refused. Call its second argument, the callback, to answer later.`,
    "HoldfastWarning",
  );
}
