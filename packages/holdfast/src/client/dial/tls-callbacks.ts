// Functions of the application that Node calls within the TLS handshake. Node lets what they throw pass through as an
// uncaught exception, and the handshake never ends: here it fails the attempt.

import { checkServerIdentity, type ConnectionOptions as TlsOptions, type PeerCertificate } from "node:tls";
import { describe } from "../../shared/option-checks.js";
import type { DialContext } from "./dial-context.js";
import type { TlsSettings } from "./tls.js";
import { errorOf } from "../../shared/thrown.js";

type IdentityCheck = NonNullable<TlsOptions["checkServerIdentity"]>;
type PskCallback = NonNullable<TlsOptions["pskCallback"]>;

/** @param identity the name that the certificate must have; Node would pass the address that it connects to */
export function guardedIdentityCheck(
  { name }: TlsSettings,
  check: IdentityCheck = checkServerIdentity,
  identity: string,
  passage: DialContext,
): IdentityCheck {
  const option = `${name}.checkServerIdentity`;
  return (_host: string, certificate: PeerCertificate) => {
    try {
      const verdict: unknown = check(identity, certificate);
      if (verdict === undefined || verdict === null || verdict === false) return undefined;
      if (verdict instanceof Error) return verdict;
      ignoreRejection(verdict);
      return passage.failTls(
        `Expected \`${option}\` to return an Error or undefined, got ${describe(verdict)}`,
      );
    } catch (error) {
      return passage.failTls(`\`${option}\` threw: ${errorOf(error).message}`, error);
    }
  };
}

export function guardedPskCallback(
  { name }: TlsSettings,
  callback: PskCallback,
  passage: DialContext,
): PskCallback {
  const option = `${name}.pskCallback`;
  return (hint) => {
    try {
      const given: unknown = callback(hint);
      if (given === null || given === undefined) return null;
      if (isPsk(given)) return given;
      ignoreRejection(given);
      passage.failTls(
        `Expected \`${option}\` to return an object with \`psk\` (at most ${MAX_PSK} bytes) and \`identity\` (a string of at most ${MAX_IDENTITY} bytes), or null, got ${describe(given)}`,
      );
    } catch (error) {
      passage.failTls(`\`${option}\` threw: ${errorOf(error).message}`, error);
    }
    return null;
  };
}

function isPsk(given: unknown): given is NonNullable<ReturnType<PskCallback>> {
  const { psk, identity } = given as { readonly psk?: unknown; readonly identity?: unknown };
  if (!ArrayBuffer.isView(psk) || psk.byteLength > MAX_PSK) return false;
  return typeof identity === "string" && Buffer.byteLength(identity) <= MAX_IDENTITY;
}

/** OpenSSL's limits (PSK_MAX_PSK_LEN, PSK_MAX_IDENTITY_LEN), in its oldest version in use. */
const MAX_PSK = 256;
const MAX_IDENTITY = 128;

/** The promise of an async function: nobody else waits for it. */
function ignoreRejection(value: unknown): void {
  Promise.resolve(value).catch(() => undefined);
}
