// Listens for WebSocket connections, over TCP or TLS.

import { createServer as createTcpServer, type AddressInfo, type Server as Listener } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { checkFunction, expected } from "../connection/options.js";
import { HoldfastError, InvalidArgument } from "../protocol/errors.js";
import { checkServeOptions, type ServeOptions } from "./options.js";
import { Server, type ConnectionHandler } from "./server.js";

/**
 * Listens, and calls `handler` with each new connection.
 *
 * Where the handler returns a promise, its fulfilment closes the connection with 1000, and its rejection is logged
 * as "connection handler failed" and closes it with 1011. A handler that returns anything else leaves the connection
 * open.
 *
 * @throws InvalidArgument for options that cannot be used
 * @throws HoldfastError with code ERR_HOLDFAST_LISTEN where the address cannot be had
 */
export async function serve(handler: ConnectionHandler, options: ServeOptions = {}): Promise<Server> {
  checkFunction("handler", handler);
  const settings = checkServeOptions(options);
  const { port = 0, host, tls } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw expected("port", "a number from 0 to 65535", port);
  if (host !== undefined && typeof host !== "string") throw expected("host", "a string", host);

  const listener = createListener(tls, settings.openTimeout);
  await new Promise<void>((resolve, reject) => {
    listener.once("error", (cause: Error) => {
      const message = `Expected to listen on ${host ?? "all addresses"}, port ${port}: ${cause.message}`;
      reject(new HoldfastError(message, { code: "ERR_HOLDFAST_LISTEN", cause }));
    });
    listener.listen({ port, ...(host === undefined ? {} : { host }), backlog: BACKLOG }, resolve);
  });
  // An error from here on, such as too many open files, ends no connection and not the server either.
  listener.on("error", (error: Error) => settings.connection.logger?.error("listening failed", { error }));

  const { port: actualPort } = listener.address() as AddressInfo; // It listens on TCP.
  const name = host === undefined || host === "::" || host === "0.0.0.0" ? "localhost" : host;
  const url = `${settings.isSecure ? "wss" : "ws"}://${name.includes(":") ? `[${name}]` : name}:${actualPort}`;
  return new Server(listener, url, actualPort, handler, settings);
}

/** Connections that the kernel accepts ahead of us: a fleet that reconnects at once must not be refused. */
const BACKLOG = 4096;

/** @throws InvalidArgument where Node refuses the TLS options */
function createListener(tls: TlsOptions | undefined, openTimeout: number | null): Listener {
  const socketOptions = { noDelay: true, allowHalfOpen: true };
  if (tls === undefined) return createTcpServer(socketOptions);
  try {
    return createTlsServer({ ...handshakeTimeout(openTimeout), ...tls, ...socketOptions });
  } catch (cause) {
    throw new InvalidArgument(
      `Expected \`tls\` to be options of tls.createServer, got an error: ${String(cause)}`,
      { cause },
    );
  }
}

function handshakeTimeout(openTimeout: number | null): { handshakeTimeout?: number } {
  return openTimeout === null ? {} : { handshakeTimeout: openTimeout };
}
