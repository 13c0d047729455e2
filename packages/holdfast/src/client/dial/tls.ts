// TLS over an open stream: a tunnel through a proxy, or a stream of the application.

import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls, type ConnectionOptions as TlsOptions, type TLSSocket } from "node:tls";
import { InvalidArgumentError, type OpenPhase } from "../../shared/errors.js";
import { errorOf } from "../../shared/thrown.js";
import type { DialContext } from "./dial-context.js";
import { guardedIdentityCheck, guardedPskCallback } from "./tls-callbacks.js";

export interface TlsSettings {
  /** The name to verify in the certificate, unless `options` overrides it. */
  readonly hostname: string;
  /** Protocols to offer over TLS (RFC 7301). */
  readonly alpnProtocols: readonly string[];
  /** Options of the application. */
  readonly options: TlsOptions | undefined;
  /** The option's name, for error messages. */
  readonly name: "tls" | "proxy.tls";
}

/**
 * Completes a TLS handshake over `stream`.
 *
 * @throws HandshakeError; InvalidArgumentError if Node rejects the options
 */
export async function secure(
  stream: Duplex,
  tls: TlsSettings,
  phase: OpenPhase,
  context: DialContext,
): Promise<TLSSocket> {
  context.enter(phase);
  const secured = context.track(startSecuring(stream, tls, context));
  await context.waitFor(secured, "secureConnect");
  return secured;
}

function startSecuring(stream: Duplex, tls: TlsSettings, context: DialContext): TLSSocket {
  try {
    return connectTls({ ...tlsOptions(tls, context), socket: stream });
  } catch (cause) {
    throw asInvalidTls(tls, cause);
  }
}

/** Options of `tls.connect`, without the address. */
export function tlsOptions(tls: TlsSettings, context: DialContext): TlsOptions {
  const { hostname, alpnProtocols, options = {} } = tls;
  const { servername, checkServerIdentity, pskCallback, ...others } = options;
  // An empty `servername` disables SNI, but the certificate is still verified.
  const identity = withoutTrailingDot(servername === undefined || servername === "" ? hostname : servername);
  const sentName = servername === "" ? "" : serverName(identity);
  return {
    ALPNProtocols: [...alpnProtocols],
    ...others,
    ...(sentName === "" ? {} : { servername: sentName }),
    checkServerIdentity: guardedIdentityCheck(tls, checkServerIdentity, identity, context),
    ...(pskCallback === undefined ? {} : { pskCallback: guardedPskCallback(tls, pskCallback, context) }),
  };
}

/** RFC 6066 section 3: SNI is a host name, never an IP address, without a trailing dot. */
function serverName(identity: string): string {
  return isIP(identity) === 0 ? identity : "";
}

function withoutTrailingDot(name: string): string {
  let end = name.length;
  while (name[end - 1] === ".") end--;
  return name.slice(0, end);
}

export function asInvalidTls({ name }: TlsSettings, cause: unknown): InvalidArgumentError {
  const message = `Expected \`${name}\` to be options of tls.connect, got an error: ${errorOf(cause).message}`;
  return new InvalidArgumentError(message, { cause });
}
