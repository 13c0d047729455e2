// Whether it makes sense to try again. In doubt it does: a client that has stopped for good and nobody knows is worse
// than one that asks in vain every half minute.

import {
  HandshakeError,
  InvalidArgumentError,
  InvalidHeaderError,
  InvalidStatusError,
  InvalidUpgradeError,
  InvalidURLError,
  NegotiationError,
  ProxyError,
} from "../../shared/errors.js";

/**
 * False for what will be the same the next time: an argument, URL or header that cannot be used; a status from 400 to
 * 499, but for 408 (Request Timeout), 425 (Too Early) and 429 (Too Many Requests); a proxy that wants other
 * credentials; and, as long as no connection has been open, an answer to the upgrade that breaks RFC 6455, and a
 * certificate that is not accepted, on either side. A certificate that is out of date resolves itself, by its renewal
 * or by a clock that is set right.
 *
 * True for all else, and for any end of a connection that was open: whatever the peer's Close says, it was possible to
 * connect.
 *
 * @param hasBeenOpen a connection to the same target was open before: a certificate or an answer that is wrong now is
 *   a fault of the server's deployment, and passes
 */
export function isRetryable(error: Error, hasBeenOpen: boolean): boolean {
  if (error instanceof InvalidStatusError) return isRetryableStatus(error.status);
  if (error instanceof ProxyError) return error.status !== PROXY_AUTHENTICATION_REQUIRED;
  if (LOCAL.some((kind) => error instanceof kind)) return false;
  if (hasBeenOpen) return true;
  if (BREACHES.some((kind) => error instanceof kind)) return false;
  return !(error instanceof HandshakeError && error.failure === "tls" && isUntrusted(error.cause));
}

/** This side's own configuration. */
const LOCAL = [InvalidArgumentError, InvalidURLError, InvalidHeaderError];
/** The server's answer. */
const BREACHES = [InvalidUpgradeError, NegotiationError];

/** Of a proxy: asking again with the same password would only get the account locked. */
const PROXY_AUTHENTICATION_REQUIRED = 407;

function isRetryableStatus(status: number): boolean {
  return status < 400 || status >= 500 || status === 408 || status === 425 || status === 429;
}

/** Whether a certificate is refused for good. Other failures of TLS pass: a restart, a balancer that is reconfigured. */
function isUntrusted(cause: unknown): boolean {
  // Of several addresses, each has a failure of its own.
  if (cause instanceof AggregateError && cause.errors.length > 0) return cause.errors.every(isUntrusted);
  const code = (cause as { readonly code?: unknown } | null | undefined)?.code;
  return typeof code === "string" && (VERIFICATION_FAILURES.has(code) || CERTIFICATE_CODE.test(code));
}

/**
 * OpenSSL's reasons to refuse a peer's certificate (X509_V_ERR_*), as Node names them; not CERT_HAS_EXPIRED and
 * CERT_NOT_YET_VALID, which pass.
 */
const VERIFICATION_FAILURES: ReadonlySet<string> = new Set([
  "CERT_CHAIN_TOO_LONG",
  "CERT_REJECTED",
  "CERT_REVOKED",
  "CERT_SIGNATURE_FAILURE",
  "CERT_UNTRUSTED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERROR_IN_CERT_NOT_AFTER_FIELD",
  "ERROR_IN_CERT_NOT_BEFORE_FIELD",
  "HOSTNAME_MISMATCH",
  "INVALID_CA",
  "INVALID_PURPOSE",
  "PATH_LENGTH_EXCEEDED",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY",
  "UNABLE_TO_DECRYPT_CERT_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/**
 * Node's own check of the name, and the alerts by which a server refuses the client's certificate
 * (RFC 8446 section 6.2), such as ERR_SSL_TLSV1_ALERT_UNKNOWN_CA.
 */
const CERTIFICATE_CODE = /^ERR_TLS_CERT_ALTNAME|^ERR_SSL_.*ALERT_.*(?:CERTIFICATE|UNKNOWN_CA)/;
