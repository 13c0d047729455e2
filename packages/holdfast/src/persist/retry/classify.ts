// Whether it makes sense to try again. In doubt it does: a client that has stopped for good and nobody knows is worse
// than one that asks in vain every half minute.

import {
  HandshakeError,
  InvalidArgument,
  InvalidHeader,
  InvalidStatus,
  InvalidUpgrade,
  InvalidURL,
  NegotiationError,
  ProxyError,
} from "../../protocol/errors.js";

/**
 * False for what will be the same the next time: an argument, URL or header that cannot be used; an answer to the
 * upgrade that breaks RFC 6455; a certificate that is not accepted, on either side; a status from 400 to 499, but for
 * 408 (Request Timeout), 425 (Too Early) and 429 (Too Many Requests); a proxy that wants other credentials. True for
 * all else, and for any end of a connection that was open: whatever the peer's Close says, it was possible to connect.
 */
export function isRetryable(error: Error): boolean {
  if (error instanceof InvalidStatus) return isRetryableStatus(error.status);
  if (error instanceof ProxyError) return error.status !== PROXY_AUTHENTICATION_REQUIRED;
  if (FATAL.some((kind) => error instanceof kind)) return false;
  if (error instanceof HandshakeError && error.failure === "tls") return !isAboutCertificates(error.cause);
  return true;
}

const FATAL = [InvalidArgument, InvalidURL, InvalidHeader, InvalidUpgrade, NegotiationError];

/** Of a proxy: asking again with the same password would only get the account locked. */
const PROXY_AUTHENTICATION_REQUIRED = 407;

function isRetryableStatus(status: number): boolean {
  return status < 400 || status >= 500 || status === 408 || status === 425 || status === 429;
}

/** Other failures of TLS come and go: a server that restarts, a balancer that is being reconfigured. */
function isAboutCertificates(cause: unknown): boolean {
  const code = (cause as { readonly code?: unknown } | null | undefined)?.code;
  return typeof code === "string" && (VERIFICATION_FAILURES.has(code) || CERTIFICATE_CODE.test(code));
}

/** OpenSSL's reasons to refuse a peer's certificate (X509_V_ERR_*), as Node names them. */
const VERIFICATION_FAILURES: ReadonlySet<string> = new Set([
  "CERT_CHAIN_TOO_LONG",
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
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
