import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isRetryable } from "../../build/reconnect/retry/classify.js";
import {
  HandshakeError,
  HoldfastError,
  InvalidArgumentError,
  InvalidHeaderError,
  InvalidStatusError,
  InvalidUpgradeError,
  InvalidURLError,
  NegotiationError,
  OpenTimeoutError,
  ProxyError,
  type OpenFailure,
} from "../../build/shared/errors.js";

const status = (code: number) =>
  new InvalidStatusError("", {
    status: code,
    headers: new Headers(),
    body: new Uint8Array(),
    retryAfter: null,
  });
const tls = (code: string) =>
  new HandshakeError("", { failure: "tls", cause: Object.assign(new Error(), { code }) });
const failure = (word: OpenFailure) => new HandshakeError("", { failure: word });

const proxyStatus = (code: number) =>
  new ProxyError("", { answer: { status: code, headers: new Headers(), body: new Uint8Array() } });

const FATAL: readonly (readonly [string, Error])[] = [
  ...[400, 401, 402, 403, 404, 405, 406, 407, 409, 410, 411, 413, 418, 421, 426, 428, 431, 451, 499].map(
    (code) => [`status ${code}`, status(code)] as const,
  ),
  ["a proxy's status 407", proxyStatus(407)],
  ["an invalid URL", new InvalidURLError("")],
  ["an invalid header", new InvalidHeaderError("", "X")],
  ["an invalid argument", new InvalidArgumentError("")],
  ["a bad accept key", new InvalidUpgradeError("")],
  ["a subprotocol that was not offered", new NegotiationError("")],
  ...[
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    "SELF_SIGNED_CERT_IN_CHAIN",
    "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    "CERT_REVOKED",
    "HOSTNAME_MISMATCH",
    "ERR_TLS_CERT_ALTNAME_INVALID",
    "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA",
    "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
    "ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE",
    "ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED",
  ].map((code) => [code, tls(code)] as const),
];

const TRANSIENT: readonly (readonly [string, Error])[] = [
  ...[200, 204, 301, 302, 408, 425, 429, 500, 501, 502, 503, 504, 520, 599].map(
    (code) => [`status ${code}`, status(code)] as const,
  ),
  ...(["aborted", "dns", "eof", "open-timeout", "proxy", "refused", "reset", "unreachable"] as const).map(
    (word) => [word, failure(word)] as const,
  ),
  ["a timeout", new OpenTimeoutError("", "tls")],
  ["a proxy", new ProxyError("")],
  ["a proxy's status 502", proxyStatus(502)],
  ["TLS without a code", failure("tls")],
  ...[
    "CERT_HAS_EXPIRED",
    "CERT_NOT_YET_VALID",
    "ERR_SSL_WRONG_VERSION_NUMBER",
    "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE",
    "ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR",
  ].map((code) => [code, tls(code)] as const),
  ["an unknown error", new HoldfastError("")],
  ["one that is not ours", new TypeError("")],
];

/** Errors that stay fatal after an earlier connection: those of this side's configuration, and of a status. */
const ALWAYS_FATAL = /^(?:status|a proxy's status|an invalid)/;

describe("isRetryable()", () => {
  for (const [what, error] of FATAL) {
    test(`F5: ${what} is permanent`, () => assert.equal(isRetryable(error, false), false));
  }
  for (const [what, error] of TRANSIENT) {
    test(`F5: ${what} is temporary`, () => {
      assert.equal(isRetryable(error, false), true);
      assert.equal(isRetryable(error, true), true);
    });
  }
  test("F5: once a connection has been open, a wrong certificate or response is temporary", () => {
    for (const [what, error] of FATAL) assert.equal(isRetryable(error, true), !ALWAYS_FATAL.test(what), what);
  });
  test("F5: of several addresses, one temporary failure is enough", () => {
    const refused = (...codes: readonly string[]) =>
      new HandshakeError("", {
        failure: "tls",
        cause: new AggregateError(codes.map((code) => Object.assign(new Error(), { code }))),
      });
    assert.equal(isRetryable(refused("CERT_REVOKED", "CERT_UNTRUSTED"), false), false);
    assert.equal(isRetryable(refused("CERT_REVOKED", "CERT_HAS_EXPIRED"), false), true);
  });
});
