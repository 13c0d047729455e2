// TLS over a stream that is open already: a tunnel through a proxy, or a stream that the application gave.

import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls, type ConnectionOptions as TlsOptions, type TLSSocket } from "node:tls";
import { InvalidArgumentError, type OpenPhase } from "../../shared/errors.js";
import { errorOf } from "../../shared/thrown.js";
import type { DialContext } from "./dial-context.js";
import { guardedIdentityCheck, guardedPskCallback } from "./tls-callbacks.js";

export interface TlsSettings {
  /** Whom the certificate has to name, unless the options say otherwise. */
  readonly hostname: string;
  /** RFC 7301: what may be spoken over TLS. */
  readonly alpnProtocols: readonly string[];
  /** The options of the caller. */
  readonly options: TlsOptions | undefined;
  /** The name of the option in messages. */
  readonly name: "tls" | "proxy.tls";
}

/**
 * Speaks TLS over `stream`.
 *
 * @throws HandshakeError; InvalidArgumentError where Node refuses the options
 */
export async function secure(
  stream: Duplex,
  tls: TlsSettings,
  phase: OpenPhase,
  passage: DialContext,
): Promise<TLSSocket> {
  passage.enter(phase);
  const secured = passage.track(startSecuring(stream, tls, passage));
  await passage.waitFor(secured, "secureConnect");
  return secured;
}

function startSecuring(stream: Duplex, tls: TlsSettings, passage: DialContext): TLSSocket {
  try {
    return connectTls({ ...tlsOptions(tls, passage), socket: stream });
  } catch (cause) {
    throw asInvalidTls(tls, cause);
  }
}

/** The options of `tls.connect`, but for where to connect to. */
export function tlsOptions(tls: TlsSettings, passage: DialContext): TlsOptions {
  const { hostname, alpnProtocols, options = {} } = tls;
  const { servername, checkServerIdentity, pskCallback, ...others } = options;
  // An empty `servername` asks for no SNI; the certificate is checked all the same.
  const identity = withoutTrailingDot(servername === undefined || servername === "" ? hostname : servername);
  const sentName = servername === "" ? "" : serverName(identity);
  return {
    ALPNProtocols: [...alpnProtocols],
    ...others,
    ...(sentName === "" ? {} : { servername: sentName }),
    checkServerIdentity: guardedIdentityCheck(tls, checkServerIdentity, identity, passage),
    ...(pskCallback === undefined ? {} : { pskCallback: guardedPskCallback(tls, pskCallback, passage) }),
  };
}

/** RFC 6066 section 3: SNI is a name, never an address, and has no trailing dot. */
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
