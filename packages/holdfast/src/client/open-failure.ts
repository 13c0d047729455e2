// Converts errors of the operating system, of name lookup and of TLS to HandshakeErrors.

import { escapeControls } from "../shared/control-characters.js";
import { HandshakeError, type OpenFailure, type OpenPhase } from "../shared/errors.js";
import { withFullStop } from "../shared/full-stop.js";
import { NO_ROUTE } from "../shared/no-route.js";

export type SystemError = Error & { readonly code?: string | undefined };

/** The error of a failed attempt. `failure` classifies it, `cause` is the error of the system. */
export function openError(error: SystemError, phase: OpenPhase, where: string): HandshakeError {
  if (isEndDuringTls(error)) return endedEarly(phase, where, error);
  const failure = failureOf(error, phase);
  const code = CODES[failure];
  const sentence = failure === "unreachable" && !hasNoRoute(error) ? NO_CONNECTION : SENTENCES[failure];
  return new HandshakeError(withFullStop(`${sentence} ${where}: ${detailOf(error)}`), {
    failure,
    cause: error,
    ...(code === undefined ? {} : { code }),
  });
}

/** The error for an application callback that failed during the TLS handshake. */
export function tlsError(where: string, detail: string, cause?: unknown): HandshakeError {
  return new HandshakeError(withFullStop(`${SENTENCES.tls} ${where}: ${escapeControls(detail)}`), {
    failure: "tls",
    code: "ERR_HOLDFAST_TLS",
    ...(cause === undefined ? {} : { cause }),
  });
}

/**
 * The error for a stream that the peer closed before the handshake was complete.
 *
 * @param hasAnswered whether a part of an answer had arrived
 */
export function endedEarly(
  phase: OpenPhase,
  where: string,
  cause?: unknown,
  hasAnswered = false,
): HandshakeError {
  const answer = hasAnswered ? "with an incomplete answer" : "without an answer";
  const message = `${where} ended the connection during ${STEPS[phase]}, ${answer}: it may not be a WebSocket server, or be shutting down.`;
  return new HandshakeError(message, {
    failure: "eof",
    code: "ERR_HOLDFAST_HANDSHAKE_EOF",
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Node reports a FIN during the TLS handshake as ECONNRESET without a `syscall`. */
function isEndDuringTls(error: SystemError): boolean {
  return error.code === "ECONNRESET" && !("syscall" in error) && error.message.includes("secure TLS");
}

/** The error of each address, if the name has several. */
function errorsOf(error: SystemError): readonly SystemError[] {
  const errors: readonly unknown[] = error instanceof AggregateError ? error.errors : [];
  const systemErrors = errors.filter((each): each is SystemError => each instanceof Error);
  return systemErrors.length === 0 ? [error] : systemErrors;
}

/** The messages of the system, escaped because OpenSSL and Node quote the server's certificate. */
function detailOf(error: SystemError): string {
  const details = errorsOf(error).map(({ message, code, name }) =>
    message.trim() === "" ? (code ?? name) : message.trim(),
  );
  return escapeControls([...new Set(details)].join("; "));
}

/** Whether the system says that the network does not lead there. Any other error has reasons of its own. */
function hasNoRoute(error: SystemError): boolean {
  return errorsOf(error).every(({ code }) => code !== undefined && NO_ROUTE.has(code));
}

/** With several addresses, classifies the error of the address that made the most progress: it got a response. */
function failureOf(error: SystemError, phase: OpenPhase): OpenFailure {
  const failures = errorsOf(error).map(({ code }) => failureOfCode(code, phase));
  return MOST_PROGRESS_FIRST.find((failure) => failures.includes(failure)) ?? failures[0];
}

const MOST_PROGRESS_FIRST = ["tls", "reset", "refused"] as const;

function failureOfCode(code: string | undefined, phase: OpenPhase): OpenFailure {
  // A name server can be unreachable, and an application's `lookup` can fail in any way.
  if (phase === "dns") return "dns";
  if (code !== undefined && NO_ROUTE.has(code)) return "unreachable";
  switch (code) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EAI_FAIL":
    case "EAI_NODATA":
    case "EAI_NONAME":
    case "ERR_INVALID_IP_ADDRESS": // The application's `lookup` found none.
      return "dns";
    case "ECONNREFUSED":
    case "ENOENT": // A Unix socket that does not exist.
    case "ENOTDIR":
      return "refused";
    case "ECONNRESET":
    case "EPIPE":
      return "reset";
    case "ERR_HTTP2_ERROR": // The server broke the rules of HTTP/2.
      return "invalid-handshake";
    default:
      // In TLS 1.3 the client completes its handshake before the server verifies the client certificate.
      return phase === "tls" || /^ERR_(?:SSL|TLS)_/.test(String(code)) ? "tls" : "unreachable";
  }
}

const STEPS: Readonly<Record<OpenPhase, string>> = {
  dns: "the name lookup",
  connect: "the TCP handshake",
  proxy: "the request to the proxy",
  tls: "the TLS handshake",
  upgrade: "the upgrade",
};

/** For the errors of this machine, and of a stream of the application. */
const NO_CONNECTION = "No connection could be made to";

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
