// A listener of Node.js that does not listen yet.

import { createServer as createTcpServer, type Server as Listener } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { InvalidArgument } from "../../protocol/errors.js";
import { thrownText } from "../../protocol/thrown.js";

/** @throws InvalidArgument where Node refuses the TLS options */
export function createListener(
  tls: TlsOptions | undefined,
  http2: boolean,
  openTimeout: number | null,
): Listener {
  const socketOptions = { noDelay: true, allowHalfOpen: true };
  if (tls === undefined) return createTcpServer(socketOptions);
  const handshakeTimeout = openTimeout === null ? {} : { handshakeTimeout: openTimeout };
  // RFC 7301: what clients may choose from.
  const alpn = http2 ? { ALPNProtocols: ["h2", "http/1.1"] } : {};
  try {
    return createTlsServer({ ...handshakeTimeout, ...alpn, ...tls, ...socketOptions });
  } catch (cause) {
    throw new InvalidArgument(
      `Expected \`tls\` to be options of tls.createServer, got an error: ${thrownText(cause)}`,
      { cause },
    );
  }
}
