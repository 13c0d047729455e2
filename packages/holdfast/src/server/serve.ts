// Listens for WebSocket connections, over TCP, TLS or a Unix socket.

import { checkBoolean, checkFunction, invalidArgument } from "../shared/option-checks.js";
import { bindToContext } from "../connection/platform.js";
import { checkOptionNames } from "../shared/option-names.js";
import { FOREIGN_SERVER_OPTIONS } from "../transport/node/foreign-options.js";
import { nodePlatform } from "../transport/node/node-platform.js";
import type { RequestHandler } from "./handler-runs.js";
import { checkListenAddress } from "./listener/listen-address.js";
import { createListener } from "./listener/create-listener.js";
import { checkBacklog, listenAt } from "./listener/listen-at.js";
import { OwnListener } from "./listener/own-listener.js";
import { checkServerOptions, SERVE_OPTIONS, type ServeOptions, type ServerSettings } from "./options.js";
import { ServerCore } from "./server-core.js";
import { createServer, type Server } from "./server.js";

/**
 * Listens, and calls `handler` with each new connection.
 *
 * Where the handler returns a promise, its fulfilment closes the connection with 1000, and its rejection is logged
 * as "connection handler failed" and closes it with 1011. A handler that returns anything else leaves the connection
 * open. `handler`, `onRequest` and `selectSubprotocol` run in the async context (`AsyncLocalStorage`) of this call.
 *
 * @param handler called with each connection and the request that opened it
 * @param options where to listen, whom to let in, limits, and the settings of each connection
 * @throws InvalidArgumentError for options that cannot be used
 * @throws HoldfastError with code ERR_HOLDFAST_LISTEN where the address cannot be had
 */
export async function serve(handler: RequestHandler, options: ServeOptions = {}): Promise<Server> {
  checkFunction("handler", handler);
  checkOptionNames("serve()", options, SERVE_OPTIONS, FOREIGN_SERVER_OPTIONS);
  const settings = bindCallbacks(checkServerOptions(options));
  const boundHandler = bindToContext(nodePlatform, handler);
  const place = checkListenAddress(options);
  const tls = checkTls(options.tls);
  const backlog = checkBacklog(options.backlog);
  const http2 = checkBoolean("http2", options.http2, false);
  const listener = createListener(tls, http2, settings.openTimeout);
  await listenAt(listener, place, backlog);
  const reception = new ServerCore(boundHandler, settings);
  const entrance = new OwnListener(listener, { place, isSecure: tls !== undefined, http2, reception });
  return createServer(entrance, reception);
}

/** Callbacks run in the async context of `serve()`: Node gives the sockets that it accepts none. */
function bindCallbacks(settings: ServerSettings): ServerSettings {
  const { onRequest, selectSubprotocol } = settings;
  return {
    ...settings,
    onRequest: onRequest && bindToContext(nodePlatform, onRequest),
    selectSubprotocol: selectSubprotocol && bindToContext(nodePlatform, selectSubprotocol),
  };
}

/** What stands in it, `tls.createServer` checks. */
function checkTls(value: ServeOptions["tls"]): ServeOptions["tls"] {
  if (value === undefined || (typeof value === "object" && (value as unknown) !== null)) return value;
  throw invalidArgument("tls", "an object of options of tls.createServer", value);
}
