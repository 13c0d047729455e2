// What to do where a connection could not be opened: the same words from every verb.

import { once } from "node:events";
import { isIP } from "node:net";
import { connect as connectTLS } from "node:tls";
import { HandshakeError } from "../../index.js";
import type { Arguments } from "../arguments/arguments.js";

export const NO_TLS_ADVICE = "Does the server speak TLS on this port? For plain WebSockets use ws:.";

/** How long the server may take to show that it speaks TLS, in milliseconds. */
const TLS_TIMEOUT = 3000;

/** Null where the error says all that is known. May ask the server whether it speaks TLS. */
export async function openingAdvice(error: unknown, url: string, given: Arguments): Promise<string | null> {
  if (!(error instanceof HandshakeError) || !URL.canParse(url)) return null;
  if (isAnswerWithoutTLS(error)) return NO_TLS_ADVICE;
  const { protocol, host, hostname, port } = new URL(url);
  const isPlain = protocol === "ws:" || protocol === "http:";
  if (!isPlain || !MAY_WANT_TLS.has(error.failure) || !isDirect(url, given)) return null;
  if (!(await speaksTLS(hostname, port === "" ? 80 : Number(port)))) return null;
  return `The server speaks TLS on this port: use wss://${port === "" ? `${host}:80` : host}/ and so on.`;
}

/** OpenSSL's words for an answer that is no TLS at all. */
function isAnswerWithoutTLS({ failure, message }: HandshakeError): boolean {
  return failure === "tls" && /wrong version number|packet length too long|http request/i.test(message);
}

/** How servers of TLS answer a plain request: not at all, with an alert, or with 400 and a sentence. */
const MAY_WANT_TLS: ReadonlySet<string> = new Set(["eof", "reset", "invalid-handshake", "rejected"]);

/** Whether this machine connects to the server itself. In a Unix socket there is nothing to ask, either. */
export function isDirect(url: string, given: Arguments): boolean {
  return (given.text("proxy") ?? "none") === "none" && !url.startsWith("ws+unix:");
}

async function speaksTLS(hostname: string, port: number): Promise<boolean> {
  const host = hostname.replace(/^\[|\]$/g, "");
  const name = isIP(host) > 0 ? {} : { servername: host };
  const socket = connectTLS({ host, port, ...name, rejectUnauthorized: false });
  try {
    await once(socket, "secureConnect", { signal: AbortSignal.timeout(TLS_TIMEOUT) });
    return true;
  } catch {
    return false;
  } finally {
    socket.on("error", () => undefined).destroy();
  }
}
