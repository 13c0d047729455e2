// Wraps application callbacks that Node calls during the TLS handshake. If such a callback throws, Node raises an
// uncaught exception and the handshake hangs. The wrapper fails the attempt instead.

import type { ConnectionOptions as TlsOptions, PeerCertificate } from "node:tls";
import { nodeModule } from "../../protocol/node-module.js";
import { describe } from "../../shared/option-checks.js";
import type { DialContext } from "./dial-context.js";
import type { TlsSettings } from "./tls.js";
import { ignoreRejection } from "../../shared/deferred.js";
import { errorOf } from "../../shared/thrown.js";

type IdentityCheck = NonNullable<TlsOptions["checkServerIdentity"]>;
type PskCallback = NonNullable<TlsOptions["pskCallback"]>;

/** @param identity the name to verify; Node would pass the IP address that it connects to */
export function guardedIdentityCheck(
  { name }: TlsSettings,
  check: IdentityCheck = nodeModule("node:tls").checkServerIdentity,
  identity: string,
  context: DialContext,
): IdentityCheck {
  const option = `${name}.checkServerIdentity`;
  return (_host: string, certificate: PeerCertificate) => {
    try {
      const verdict: unknown = check(identity, certificate);
      if (verdict === undefined) return undefined;
      if (verdict instanceof Error) return errorOf(verdict); // Node reads its stack and its code.
      ignoreRejection(verdict);
      return context.failTls(
        `Expected \`${option}\` to return an Error or undefined, got ${describe(verdict)}.`,
      );
    } catch (error) {
      return context.failTls(`\`${option}\` threw: ${errorOf(error).message}`, error);
    }
  };
}

/** Whether the check accepts the certificate of an earlier connection. */
export function passesIdentityCheck(
  check: IdentityCheck = nodeModule("node:tls").checkServerIdentity,
  identity: string,
  certificate: PeerCertificate,
): boolean {
  try {
    const verdict: unknown = check(identity, certificate);
    ignoreRejection(verdict);
    return verdict === undefined;
  } catch {
    return false; // The full handshake that follows reports it.
  }
}

export function guardedPskCallback(
  { name }: TlsSettings,
  callback: PskCallback,
  context: DialContext,
): PskCallback {
  const option = `${name}.pskCallback`;
  return (hint) => {
    try {
      const given: unknown = callback(hint);
      if (given === null || given === undefined) return null;
      if (isPsk(given)) return given;
      ignoreRejection(given);
      context.failTls(
        `Expected \`${option}\` to return an object with \`psk\` (at most ${MAX_PSK} bytes) and \`identity\` (a string of at most ${MAX_IDENTITY} bytes), or null, got ${describe(given)}.`,
      );
    } catch (error) {
      context.failTls(`\`${option}\` threw: ${errorOf(error).message}`, error);
    }
    return null;
  };
}

function isPsk(given: unknown): given is NonNullable<ReturnType<PskCallback>> {
  const { psk, identity } = given as { readonly psk?: unknown; readonly identity?: unknown };
  if (!ArrayBuffer.isView(psk) || psk.byteLength > MAX_PSK) return false;
  return typeof identity === "string" && Buffer.byteLength(identity) <= MAX_IDENTITY;
}

/** Limits of the oldest OpenSSL in use (PSK_MAX_PSK_LEN, PSK_MAX_IDENTITY_LEN). */
const MAX_PSK = 256;
const MAX_IDENTITY = 128;
