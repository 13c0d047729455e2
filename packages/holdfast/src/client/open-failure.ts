// What an error of the operating system, of name lookup or of TLS means for whoever opens a connection.

import { escapeControls } from "../protocol/control-characters.js";
import { HandshakeError, type OpenFailure, type OpenPhase } from "../protocol/errors.js";

export type SystemError = Error & { readonly code?: string };

/** The error of a failed attempt: `failure` is what to switch on, `cause` is what the system said. */
export function openError(error: SystemError, phase: OpenPhase, where: string): HandshakeError {
  const failure = failureOf(error.code, phase);
  const code = CODES[failure];
  // OpenSSL and Node repeat what stands in the server's certificate.
  const detail = escapeControls(error.message === "" ? (error.code ?? error.name) : error.message);
  return new HandshakeError(`${SENTENCES[failure]} ${where}: ${detail}`, {
    failure,
    cause: error,
    ...(code === undefined ? {} : { code }),
  });
}

/** The peer ended the stream before the handshake was over. */
export function endedEarly(phase: OpenPhase, where: string): HandshakeError {
  const message = `${where} ended the connection during ${phase === "upgrade" ? "the upgrade" : phase}, without an answer: it may not be a WebSocket server, or be shutting down`;
  return new HandshakeError(message, { failure: "eof", code: "ERR_HOLDFAST_HANDSHAKE_EOF" });
}

function failureOf(code: string | undefined, phase: OpenPhase): OpenFailure {
  switch (code) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EAI_FAIL":
    case "EAI_NODATA":
    case "EAI_NONAME":
      return "dns";
    case "ECONNREFUSED":
      return "refused";
    case "EHOSTUNREACH":
    case "EHOSTDOWN":
    case "ENETUNREACH":
    case "ENETDOWN":
    case "ETIMEDOUT":
    case "EADDRNOTAVAIL":
      return "unreachable";
    case "ECONNRESET":
    case "EPIPE":
      return "reset";
    default:
      return phase === "dns" ? "dns" : phase === "tls" ? "tls" : "unreachable";
  }
}

const SENTENCES: Readonly<Record<OpenFailure, string>> = {
  aborted: "Opening was given up to",
  dns: "No address was found for",
  eof: "The stream ended from",
  "invalid-handshake": "The handshake failed with",
  "open-timeout": "No connection in time to",
  proxy: "The proxy failed on the way to",
  refused: "Nothing listens at",
  rejected: "The upgrade was refused by",
  reset: "The connection was reset by",
  tls: "The TLS handshake failed with",
  unreachable: "There is no way to",
};

const CODES: Partial<Readonly<Record<OpenFailure, `ERR_HOLDFAST_${string}`>>> = {
  dns: "ERR_HOLDFAST_DNS",
  refused: "ERR_HOLDFAST_REFUSED",
  reset: "ERR_HOLDFAST_RESET",
  tls: "ERR_HOLDFAST_TLS",
  unreachable: "ERR_HOLDFAST_UNREACHABLE",
};
