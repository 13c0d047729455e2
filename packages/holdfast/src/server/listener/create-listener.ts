// Creates a TCP or TLS server of Node.js that does not listen yet.

import { createServer as createTcpServer, type Server as Listener } from "node:net";
import type { TlsOptions } from "node:tls";
import { nodeModule } from "../../protocol/node-module.js";
import { InvalidArgumentError } from "../../shared/errors.js";
import { errorOf, thrownText } from "../../shared/thrown.js";
import { withFullStop } from "../../shared/full-stop.js";

/** @throws InvalidArgumentError where Node refuses the TLS options */
export function createListener(
  tls: TlsOptions | undefined,
  http2: boolean,
  openTimeout: number | null,
): Listener {
  const socketOptions = { noDelay: true, allowHalfOpen: true };
  if (tls === undefined) return createTcpServer(socketOptions);
  const handshakeTimeout = openTimeout === null ? {} : { handshakeTimeout: openTimeout };
  // RFC 7301: the protocols that clients may choose.
  const alpn = http2 ? { ALPNProtocols: ["h2", "http/1.1"] } : {};
  try {
    const guarded = tls.SNICallback === undefined ? {} : { SNICallback: guardedSniCallback(tls.SNICallback) };
    const all = { ...handshakeTimeout, ...alpn, ...tls, ...guarded, ...socketOptions };
    return nodeModule("node:tls").createServer(all);
  } catch (cause) {
    throw new InvalidArgumentError(
      withFullStop(`Expected \`tls\` to be options of tls.createServer, got an error: ${thrownText(cause)}`),
      { cause },
    );
  }
}

type SniCallback = NonNullable<TlsOptions["SNICallback"]>;

/**
 * Makes the TLS handshake fail if the callback is an async function that rejects; Node would leave the rejection
 * unhandled.
 */
function guardedSniCallback(callback: SniCallback): SniCallback {
  const call: (...args: Parameters<SniCallback>) => unknown = callback;
  return (name, done) => {
    Promise.resolve(call(name, done)).catch((error: unknown) => {
      done(errorOf(error)); // Node reads its stack.
    });
  };
}
