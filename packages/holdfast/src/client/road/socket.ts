// A socket of our own: TCP or a Unix socket, with TLS over it or without.

import { connect as connectTcp, isIP, type LookupFunction, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { asInvalidTls, serverName, type TlsSettings } from "./tls.js";
import { openLending } from "../../node/lent-reading.js";
import type { Passage } from "./passage.js";

/** What a socket connects to, in the words of `net.connect`. */
export type Endpoint = { readonly host: string; readonly port: number } | { readonly path: string };

/** How a TCP connection is made: the options of `net.connect` that `connect()` hands on. */
export interface TcpSettings {
  readonly localAddress?: string;
  readonly family?: 0 | 4 | 6;
  readonly lookup?: LookupFunction;
  readonly autoSelectFamily?: boolean;
}

/**
 * Connects; with `tls` the TLS handshake is over as well. One object does both, which is half the memory of TLS over
 * another stream.
 *
 * @param mayLend nobody but a `SocketTransport` is going to read from a socket without TLS
 * @throws HandshakeError; InvalidArgument where Node refuses the options, which it does before any I/O
 */
export async function openSocket(
  endpoint: Endpoint,
  tcp: TcpSettings,
  tls: TlsSettings | null,
  passage: Passage,
  mayLend = false,
): Promise<Socket> {
  passage.enter("host" in endpoint && isIP(endpoint.host) === 0 ? "dns" : "connect");
  const socket = passage.carry(startConnecting({ ...tcp, ...endpoint }, tls, mayLend));
  const onLookup = (error: Error | null) => {
    if (!(error instanceof Error)) passage.enter("connect");
  };
  const onConnect = () => passage.enter("tls");
  socket.on("lookup", onLookup);
  if (tls !== null) socket.on("connect", onConnect);
  try {
    await passage.arrival(socket, tls === null ? "connect" : "secureConnect");
  } finally {
    // The socket lives on, and would keep them.
    socket.off("lookup", onLookup).off("connect", onConnect);
  }
  return socket;
}

function startConnecting(
  target: Endpoint & TcpSettings,
  tls: TlsSettings | null,
  mayLend: boolean,
): Socket | TLSSocket {
  const common = { ...target, noDelay: true, allowHalfOpen: true };
  if (tls === null) {
    return mayLend ? openLending((onread) => connectTcp({ ...common, ...onread })) : connectTcp(common);
  }
  try {
    const { hostname, alpnProtocols, options } = tls;
    return connectTls({ ALPNProtocols: [...alpnProtocols], ...serverName(hostname), ...options, ...common });
  } catch (cause) {
    throw asInvalidTls(tls, cause);
  }
}
