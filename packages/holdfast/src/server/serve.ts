// Starts a server that listens over TCP, TLS or a Unix socket.

import { checkBoolean, checkFunction, checkSignal, invalidArgument } from "../shared/option-checks.js";
import { bindToContext } from "../connection/platform.js";
import { checkOptionNames } from "../shared/option-names.js";
import { FOREIGN_SERVER_OPTIONS } from "../transport/node/foreign-options.js";
import { nodePlatform } from "../transport/node/node-platform.js";
import type { ConnectionHandler } from "./handler-runs.js";
import { checkListenAddress } from "./listener/listen-address.js";
import { createListener } from "./listener/create-listener.js";
import { checkBacklog, listenAt } from "./listener/listen-at.js";
import { OwnListener } from "./listener/own-listener.js";
import { checkServerOptions, SERVE_OPTIONS, type ServeOptions, type ServerSettings } from "./options.js";
import { loadServerCode } from "./server-code.js";
import { ServerCore } from "./server-core.js";
import { createServer, type Server } from "./server.js";

/**
 * Listens for WebSocket connections, and calls `handler` with each new one.
 *
 * If the handler returns a promise, the connection closes with 1000 when the promise fulfils. When it rejects, the
 * server logs "connection handler failed" and closes with 1011. If the handler returns anything else, the connection
 * stays open. `handler`, `onRequest` and `selectSubprotocol` run in the async context (`AsyncLocalStorage`) of this
 * call.
 *
 * `Data` is the type of `connection.data`, which `onRequest` returns: name it (`serve<User>(…)`), or let it follow from
 * the handler's parameter (`connection: ServerConnection<User>`). Without `onRequest`, `connection.data` is undefined,
 * whatever its type; the compiler does not notice that.
 *
 * @param handler called with each connection and the request that opened it
 * @param options the address, admission rules, limits, and the settings of each connection
 * @throws InvalidArgumentError for invalid options
 * @throws HoldfastError with code ERR_HOLDFAST_LISTEN if the server cannot listen on the address
 * @throws the reason of `signal` if it aborts before the server listens
 */
export async function serve<Data = unknown>(
  handler: ConnectionHandler<Data>,
  options: ServeOptions<Data> = {},
): Promise<Server<Data>> {
  checkFunction("handler", handler);
  checkOptionNames("serve()", options, SERVE_OPTIONS, FOREIGN_SERVER_OPTIONS);
  const settings = bindCallbacks(checkServerOptions(options));
  const boundHandler = bindToContext(nodePlatform, handler as ConnectionHandler); // `onRequest` returns its Data.
  const address = checkListenAddress(options);
  const tls = checkTls(options.tls);
  const backlog = checkBacklog(options.backlog);
  const http2 = checkBoolean("http2", options.http2, false);
  const signal = checkSignal(options.signal);
  const netServer = createListener(tls, http2, settings.openTimeout);
  const loading = loadServerCode(settings);
  const code = loading instanceof Promise ? await loading : loading;
  signal?.throwIfAborted();
  await listenAt(netServer, address, backlog);
  if (signal?.aborted === true) netServer.close();
  signal?.throwIfAborted();
  const core = new ServerCore(boundHandler, settings, code);
  const init = { address, isSecure: tls !== undefined, http2, core };
  return createServer<Data>(new OwnListener(netServer, init), core, signal);
}

/** Binds the callbacks to the async context of `serve()`: Node accepts sockets outside of any context. */
function bindCallbacks(settings: ServerSettings): ServerSettings {
  const { onRequest, selectSubprotocol, sessions, trustProxy } = settings;
  const owner = sessions?.owner && bindToContext(nodePlatform, sessions.owner);
  return {
    ...settings,
    sessions: sessions && { ...sessions, owner },
    trustProxy: trustProxy && bindToContext(nodePlatform, trustProxy),
    onRequest: onRequest && bindToContext(nodePlatform, onRequest),
    selectSubprotocol: selectSubprotocol && bindToContext(nodePlatform, selectSubprotocol),
  };
}

/** `tls.createServer` checks the contents. */
function checkTls(value: ServeOptions["tls"]): ServeOptions["tls"] {
  if (value === undefined || (typeof value === "object" && (value as unknown) !== null)) return value;
  throw invalidArgument("tls", "an object of options of tls.createServer", value);
}
