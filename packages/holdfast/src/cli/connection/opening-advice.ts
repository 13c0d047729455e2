// Advice after a connection could not be opened, the same for every verb.

import { once } from "node:events";
import { isIP } from "node:net";
import { connect as connectTLS } from "node:tls";
import { HandshakeError } from "../../index.js";
import type { Arguments } from "../arguments/arguments.js";

export const NO_TLS_ADVICE = "Does the server speak TLS on this port? For plain WebSockets use ws:.";

/** Time limit for the TLS handshake, in milliseconds. */
const TLS_TIMEOUT = 3000;

/** Returns null if there is nothing to add to the error. May connect to the server to find out whether it speaks TLS. */
export async function openingAdvice(error: unknown, url: string, given: Arguments): Promise<string | null> {
  if (!(error instanceof HandshakeError) || !URL.canParse(url)) return null;
  if (isAnswerWithoutTLS(error)) return NO_TLS_ADVICE;
  const { protocol, host, hostname, port } = new URL(url);
  const isPlain = protocol === "ws:" || protocol === "http:";
  if (!isPlain || !MAY_WANT_TLS.has(error.failure) || !isDirect(url, given)) return null;
  if (!(await speaksTLS(hostname, port === "" ? 80 : Number(port)))) return null;
  return `The server speaks TLS on this port: use wss://${port === "" ? `${host}:80` : host}/ and so on.`;
}

/** OpenSSL's words for an answer that is not TLS. */
function isAnswerWithoutTLS({ failure, message }: HandshakeError): boolean {
  return failure === "tls" && /wrong version number|packet length too long|http request/i.test(message);
}

/** How TLS servers react to a plain request: no answer, an alert, or a 400 with a sentence. */
const MAY_WANT_TLS: ReadonlySet<string> = new Set(["eof", "reset", "invalid-handshake", "rejected"]);

/** Whether this machine connects to the server itself, over TCP: not through a proxy or a Unix socket. */
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
