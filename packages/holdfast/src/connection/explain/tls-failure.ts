// TLS handshakes that failed: what the code of OpenSSL or Node says about the cause.

import { codeOf } from "../../shared/code-of.js";
import type { Finding } from "./explanation.js";
import { codesOf } from "./system-failure.js";

/** @param error an error of this library whose `cause` is that of Node or OpenSSL, or the latter itself */
export function explainTls(error: Error | null): Finding {
  const text = [...codesOf(error), codeOf(error), error?.message].join("\n");
  return FINDINGS.find(([pattern]) => pattern.test(text))?.[1] ?? ANY;
}

const ANY: Finding = {
  likely: "The certificate is not valid here, or both sides have no version or cipher of TLS in common.",
  advice:
    "Check the certificate; if it is from an authority of your own, set `tls.ca`. See the server's log.",
};

/** The first that matches counts: the codes of Node and OpenSSL, or the message. */
const FINDINGS: readonly (readonly [RegExp, Finding])[] = [
  [
    /`(?:proxy\.)?tls\.(?:checkServerIdentity|pskCallback)`/,
    { likely: "This is the application's own function.", advice: "Correct it." },
  ],
  [
    /wrong version number|packet length too long|WRONG_VERSION_NUMBER|HTTP_REQUEST/,
    {
      likely: "The server at that port does not speak TLS.",
      advice: "Check the port, and whether the scheme should be `ws:`.",
    },
  ],
  [
    /^CERT_HAS_EXPIRED$/m,
    {
      likely:
        "The certificate of the server, or of its issuer, has expired, or the clock of this machine is wrong.",
      advice: "Renew it at the server.",
    },
  ],
  [
    /^CERT_NOT_YET_VALID$/m,
    {
      likely: "The certificate becomes valid later, or the clock of this machine is wrong.",
      advice: "Check the clock.",
    },
  ],
  [
    /^(?:ERR_TLS_CERT_ALTNAME.*|HOSTNAME_MISMATCH)$/m,
    {
      likely: "The certificate is for other host names than the one in the URL.",
      advice:
        "Connect to a name that it contains, or, if you know that the server is the right one, set `tls.servername` to such a name.",
    },
  ],
  [
    /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_.*|CERT_UNTRUSTED)$/m,
    {
      likely:
        "This machine does not know the issuer of the certificate, or the server does not send the certificates in between.",
      advice:
        "Set `tls.ca` to the certificate of the authority, or make the server send its whole chain; retrying does not help.",
    },
  ],
  [
    /CERTIFICATE_REQUIRED/,
    { likely: "The server demands a client certificate.", advice: "Set `tls.cert` and `tls.key`." },
  ],
  [
    /BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_(?:EXPIRED|REVOKED|UNKNOWN)|UNKNOWN_CA|ACCESS_DENIED|DECRYPT_ERROR/,
    {
      likely: "The server rejected the certificate of this client, or demands one.",
      advice: "Check `tls.cert` and `tls.key`, and which authorities the server accepts.",
    },
  ],
  [
    /PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|INAPPROPRIATE_FALLBACK/,
    {
      likely: "Both sides have no version of TLS in common; Node.js speaks 1.2 and 1.3 by default.",
      advice: "Update the server, or set `tls.minVersion` or `tls.maxVersion`.",
    },
  ],
  [
    /HANDSHAKE_FAILURE|INSUFFICIENT_SECURITY|NO_SHARED_CIPHER|MISSING_EXTENSION/,
    {
      likely:
        "Both sides have no cipher in common, the server has no certificate for that host name, or (up to TLS 1.2) it demands a client certificate.",
      advice: "Check `tls.ciphers`, `tls.servername` and `tls.cert`; see the server's log.",
    },
  ],
  [
    /UNRECOGNIZED_NAME/,
    {
      likely: "The server does not know the host name that this client sent (SNI).",
      advice: "Check the name in the URL, and `tls.servername`.",
    },
  ],
  [
    /NO_APPLICATION_PROTOCOL/,
    {
      likely: "The server does not speak HTTP/1.1 on that port (ALPN).",
      advice: "Check the port; if it speaks HTTP/2 only, set `http2: true`.",
    },
  ],
  [
    /ALERT_INTERNAL_ERROR/,
    {
      likely: "The server failed, often because it has no certificate for that host name.",
      advice: "See its log, and try again later.",
    },
  ],
];
