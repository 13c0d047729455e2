// TLS over a stream that is open already: a tunnel through a proxy, or a stream that the application gave.

import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls, type ConnectionOptions as TlsOptions, type TLSSocket } from "node:tls";
import { InvalidArgument, type OpenPhase } from "../../protocol/errors.js";
import { thrownText } from "../../protocol/thrown.js";
import type { Passage } from "./passage.js";

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
 * @throws HandshakeError; InvalidArgument where Node refuses the options
 */
export async function secure(
  stream: Duplex,
  tls: TlsSettings,
  phase: OpenPhase,
  passage: Passage,
): Promise<TLSSocket> {
  passage.enter(phase);
  const secured = passage.carry(startSecuring(stream, tls));
  await passage.arrival(secured, "secureConnect");
  return secured;
}

function startSecuring(stream: Duplex, tls: TlsSettings): TLSSocket {
  const { hostname, alpnProtocols, options } = tls;
  try {
    return connectTls({
      ALPNProtocols: [...alpnProtocols],
      host: hostname, // Whom the certificate has to name where it is an address.
      ...serverName(hostname),
      ...options,
      socket: stream,
    });
  } catch (cause) {
    throw asInvalidTls(tls, cause);
  }
}

/** RFC 6066 section 3: a server is asked for by name, never by address. */
export function serverName(hostname: string): { readonly servername?: string } {
  return isIP(hostname) === 0 ? { servername: hostname } : {};
}

export function asInvalidTls({ name }: TlsSettings, cause: unknown): InvalidArgument {
  const message = `Expected \`${name}\` to be options of tls.connect, got an error: ${thrownText(cause)}`;
  return new InvalidArgument(message, { cause });
}
