// Opens the sockets of clients, for the option `createConnection` of `http.request()`.

import net from "node:net";
import tls from "node:tls";
import { openSocket } from "holdfast/adapter";

export function netConnect(options: net.NetConnectOpts & { path?: string; socketPath?: string }): net.Socket {
  const { socketPath, ...rest } = options;
  // The `path` of the request is not that of a socket.
  return openSocket({ ...rest, path: socketPath } as net.NetConnectOpts);
}

export function tlsConnect(
  options: tls.ConnectionOptions & { host?: string; servername?: string },
): tls.TLSSocket {
  const { host = "", servername } = options;
  const name = servername ?? (net.isIP(host) === 0 ? host : "");
  return tls.connect({ ...options, path: undefined, servername: name } as tls.ConnectionOptions);
}
