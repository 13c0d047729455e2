// Advice after a connection could not be opened, the same for every verb.

import { Client, HandshakeError, InvalidStatusError } from "../../index.js";
import type { Arguments } from "../arguments/arguments.js";
import { peerOptions } from "./peer-options.js";

export const NO_TLS_ADVICE = "Does the server speak TLS on this port? For plain WebSockets use ws:.";

/** Time limit for the TLS handshake, in milliseconds. */
const TLS_TIMEOUT = 3000;

/** Returns null if there is nothing to add to the error. May connect to the server to find out whether it speaks TLS. */
export async function openingAdvice(error: unknown, url: string, given: Arguments): Promise<string | null> {
  if (!(error instanceof HandshakeError) || !URL.canParse(url)) return null;
  if (isAnswerWithoutTLS(error)) return NO_TLS_ADVICE;
  const { protocol, hostname, port } = new URL(url);
  const isPlain = protocol === "ws:" || protocol === "http:";
  const secure = `wss://${hostname}:${port === "" ? 80 : port}/`;
  if (isPlain && MAY_WANT_TLS.has(error.failure) && (await speaksTLS(secure, given))) {
    return `The server speaks TLS on this port: use ${secure} and so on.`;
  }
  return error instanceof InvalidStatusError ? answerText(error) : null;
}

/** OpenSSL's words for an answer that is not TLS. */
function isAnswerWithoutTLS({ failure, message }: HandshakeError): boolean {
  return failure === "tls" && /wrong version number|packet length too long|http request/i.test(message);
}

/** How TLS servers react to a plain request: no answer, an alert, or a 400 with a sentence. */
const MAY_WANT_TLS: ReadonlySet<string> = new Set(["eof", "reset", "invalid-handshake", "rejected"]);

/** Whether TLS works on the same path, through the same proxy. The server gets no credentials. */
async function speaksTLS(url: string, given: Arguments): Promise<boolean> {
  const { proxy, tls } = peerOptions(given);
  const insecure = { ...tls, rejectUnauthorized: false };
  for await (const { type } of new Client(url, { proxy, tls: insecure, openTimeout: TLS_TIMEOUT })) {
    if (type === "connected") return true;
  }
  return false;
}

/** The beginning of the page with which a server or a proxy refused; null if it is empty or no text. */
function answerText({ headers, body }: InvalidStatusError): string | null {
  if (!/text|json|xml|^$/i.test(headers.get("Content-Type") ?? "")) return null;
  const page = new TextDecoder().decode(body.subarray(0, 4096));
  const text = page.replaceAll(/(?:<(style|script|title).*?<\/\1>|<[^>]*>|\s)+/gis, " ").trim();
  if (text === "") return null;
  return `The answer: ${text.length > 300 ? `${text.slice(0, 300)}…` : text}`;
}
