// Decides whether an error is worth a retry. In doubt it is: a client that silently stops for good does more harm than
// one that tries in vain every half minute.

import {
  HandshakeError,
  InvalidStatusError,
  InvalidUpgradeError,
  NegotiationError,
  ProxyError,
} from "../../shared/errors.js";
import { isLocalError } from "../../shared/is-local-error.js";

/**
 * Returns false for errors that a retry cannot change: an invalid argument, URL or header; a status from 400 to 499,
 * except 408 (Request Timeout), 425 (Too Early) and 429 (Too Many Requests); and a proxy that rejects the credentials.
 * Before the first connection has opened it also returns false for an answer to the upgrade that breaks RFC 6455, and
 * for a certificate that either side rejects. An expired or not yet valid certificate is retried: a renewal, or a
 * corrected clock, fixes it.
 *
 * Returns true for all other errors, and for any end of an open connection: whatever the peer's Close says, the
 * client was able to connect.
 *
 * @param hasBeenOpen whether an earlier connection to the same target opened. In that case a bad certificate or answer
 *   is a temporary fault of the server's deployment.
 */
export function isRetryable(error: Error, hasBeenOpen: boolean): boolean {
  if (error instanceof InvalidStatusError) return isRetryableStatus(error.status);
  // Retries with the same password may get the account locked.
  if (error instanceof ProxyError) return !error.needsCredentials;
  if (isLocalError(error)) return false;
  if (hasBeenOpen) return true;
  if (BREACHES.some((kind) => error instanceof kind)) return false;
  return !(error instanceof HandshakeError && error.failure === "tls" && isUntrusted(error.cause));
}

/** Invalid answers of the server. */
const BREACHES = [InvalidUpgradeError, NegotiationError];

function isRetryableStatus(status: number): boolean {
  return status < 400 || status >= 500 || status === 408 || status === 425 || status === 429;
}

/** Whether a certificate was rejected for good. Other TLS failures are temporary: a restart, a load balancer being reconfigured. */
function isUntrusted(cause: unknown): boolean {
  // With several addresses, each one has its own error.
  if (cause instanceof AggregateError && cause.errors.length > 0) return cause.errors.every(isUntrusted);
  const code = (cause as { readonly code?: unknown } | null | undefined)?.code;
  return typeof code === "string" && (VERIFICATION_FAILURES.has(code) || CERTIFICATE_CODE.test(code));
}

/**
 * OpenSSL's reasons to reject a peer's certificate (X509_V_ERR_*), as Node names them. CERT_HAS_EXPIRED and
 * CERT_NOT_YET_VALID are missing because they are temporary.
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
 * Node's check of the host name, and the alerts with which a server rejects the client's certificate
 * (RFC 8446 section 6.2), such as ERR_SSL_TLSV1_ALERT_UNKNOWN_CA.
 */
const CERTIFICATE_CODE = /^ERR_TLS_CERT_ALTNAME|^ERR_SSL_.*ALERT_.*(?:CERTIFICATE|UNKNOWN_CA)/;
