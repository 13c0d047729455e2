// What an error of the operating system, of name lookup or of TLS means for whoever opens a connection.

import { escapeControls } from "../shared/control-characters.js";
import { HandshakeError, type OpenFailure, type OpenPhase } from "../shared/errors.js";

export type SystemError = Error & { readonly code?: string | undefined };

/** The error of a failed attempt: `failure` is what to switch on, `cause` is what the system said. */
export function openError(error: SystemError, phase: OpenPhase, where: string): HandshakeError {
  if (isEndDuringTls(error)) return endedEarly(phase, where, error);
  const failure = failureOf(error, phase);
  const code = CODES[failure];
  return new HandshakeError(`${SENTENCES[failure]} ${where}: ${detailOf(error)}`, {
    failure,
    cause: error,
    ...(code === undefined ? {} : { code }),
  });
}

/** A function of the application failed within the TLS handshake. */
export function tlsError(where: string, detail: string, cause?: unknown): HandshakeError {
  return new HandshakeError(`${SENTENCES.tls} ${where}: ${escapeControls(detail)}`, {
    failure: "tls",
    code: "ERR_HOLDFAST_TLS",
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The peer ended the stream before the handshake was over. */
export function endedEarly(phase: OpenPhase, where: string, cause?: unknown): HandshakeError {
  const message = `${where} ended the connection during ${phase === "upgrade" ? "the upgrade" : phase}, without an answer: it may not be a WebSocket server, or be shutting down`;
  return new HandshakeError(message, {
    failure: "eof",
    code: "ERR_HOLDFAST_HANDSHAKE_EOF",
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Node reports a FIN within the TLS handshake as a reset that no system call failed with. */
function isEndDuringTls(error: SystemError): boolean {
  return error.code === "ECONNRESET" && !("syscall" in error) && error.message.includes("secure TLS");
}

/** Where a name has several addresses, each has an error of its own. */
function attemptsOf(error: SystemError): readonly SystemError[] {
  const errors: readonly unknown[] = error instanceof AggregateError ? error.errors : [];
  const attempts = errors.filter((attempt): attempt is SystemError => attempt instanceof Error);
  return attempts.length === 0 ? [error] : attempts;
}

/** What the system said. OpenSSL and Node repeat what stands in the server's certificate. */
function detailOf(error: SystemError): string {
  const details = attemptsOf(error).map(({ message, code, name }) =>
    message.trim() === "" ? (code ?? name) : message.trim(),
  );
  return escapeControls([...new Set(details)].join("; "));
}

/** Of several addresses, the failure of the attempt that came farthest: the others got no answer at all. */
function failureOf(error: SystemError, phase: OpenPhase): OpenFailure {
  const failures = attemptsOf(error).map(({ code }) => failureOfCode(code, phase));
  return FARTHEST_FIRST.find((failure) => failures.includes(failure)) ?? failures[0];
}

const FARTHEST_FIRST = ["tls", "reset", "refused"] as const;

function failureOfCode(code: string | undefined, phase: OpenPhase): OpenFailure {
  switch (code) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EAI_FAIL":
    case "EAI_NODATA":
    case "EAI_NONAME":
    case "ERR_INVALID_IP_ADDRESS": // A lookup of the caller's that found none.
      return "dns";
    case "ECONNREFUSED":
      return phase === "dns" ? "dns" : "refused"; // Name servers refuse, too.
    case "ENOENT": // No file of that name, where a Unix socket was to be.
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
      if (phase === "dns") return "dns";
      // In TLS 1.3 a client is through with the handshake before the server judges its certificate.
      return phase === "tls" || /^ERR_(?:SSL|TLS)_/.test(code ?? "") ? "tls" : "unreachable";
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
