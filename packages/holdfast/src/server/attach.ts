// Serves WebSockets on an existing HTTP server, beside its routes.

import type { Server as NetServer } from "node:net";
import { checkFunction, describe, invalidArgument } from "../shared/option-checks.js";
import { isolate } from "../connection/platform.js";
import { checkOptionNames, type OptionNames } from "../shared/option-names.js";
import { FOREIGN_SERVER_OPTIONS } from "../transport/node/foreign-options.js";
import { nodePlatform } from "../transport/node/node-platform.js";
import { InvalidArgumentError } from "../shared/errors.js";
import { NO_LISTENER } from "./attachment/handle-upgrade.js";
import { Attachment } from "./attachment/attachment.js";
import { checkPathFilter, type PathFilter } from "./attachment/path-filter.js";
import type { ConnectionHandler } from "./handler-runs.js";
import { checkServerOptions, SERVER_OPTIONS, type ServerOptions } from "./options.js";
import { loadServerCode } from "./server-code.js";
import { ServerCore } from "./server-core.js";
import { checkCloseOptions, createServer, type Server, type ServerCloseOptions } from "./server.js";

/** Options of `attach()`. */
export interface AttachOptions<Data = unknown> extends ServerOptions<Data> {
  /**
   * The URL path to serve, without the query: an exact string, a RegExp, or a function that decides. Other handlers
   * receive the requests for other paths. @default all paths
   */
  readonly path?: PathFilter | undefined;
  /**
   * Close the connections when `httpServer.close()` is called, which otherwise waits until they have all ended. True, or
   * the options of `Server.close()`, such as `{ code: 1012, spread: 10_000 }`. The `close` method of `httpServer` is
   * replaced for that. @default false
   */
  readonly closeWithServer?: boolean | ServerCloseOptions | undefined;
}

const ATTACH_OPTIONS: OptionNames<AttachOptions> = { ...SERVER_OPTIONS, path: true, closeWithServer: true };

/**
 * Handles the WebSocket upgrades of `httpServer`, a server of `node:http`, `node:https` or `node:http2`, and calls
 * `handler` with each new connection, as `serve()` does. All other requests go to the server's own routes and upgrade
 * handlers. You can attach several servers to one HTTP server; the first whose `path` matches handles the request.
 *
 * Closing the returned server detaches it and leaves `httpServer` running. Close it before `httpServer`, because an
 * HTTP server that closes waits for all of its sockets. `handler`, `onRequest` and `selectSubprotocol` run in the async
 * context (`AsyncLocalStorage`) in which `httpServer` emits the upgrade.
 *
 * @param httpServer listening or not; you still have to close it. Pass null to hand over each upgrade with
 * `handleUpgrade()`
 * @param handler called with each connection and the request that opened it
 * @param options the path, admission rules, limits, and the settings of each connection
 * @throws InvalidArgumentError
 */
export function attach<Data = unknown>(
  httpServer: NetServer | null,
  handler: ConnectionHandler<Data>,
  options: AttachOptions<Data> = {},
): Server<Data> {
  if (httpServer !== null) checkHttpServer(httpServer);
  checkFunction("handler", handler);
  checkOptionNames("attach()", options, ATTACH_OPTIONS, FOREIGN_SERVER_OPTIONS);
  const filter = checkPathFilter(options.path);
  if (httpServer === null && filter !== undefined) {
    throw new InvalidArgumentError(
      "Expected no `path` if `httpServer` is null, because your code chooses the upgrades for handleUpgrade(), got one.",
    );
  }
  const settings = checkServerOptions(options);
  const closing = checkClosing(httpServer, options, settings.connection.closeTimeout);
  const core = new ServerCore(
    isolate(nodePlatform, handler as ConnectionHandler), // `onRequest` returns its Data.
    settings,
    loadServerCode(settings),
  );
  if (httpServer === null) return createServer<Data>(NO_LISTENER, core);
  const attachment = new Attachment(httpServer, filter, core);
  const server = createServer<Data>(attachment, core);
  if (closing !== null) attachment.closeWithServer(() => void server.close(closing));
  return server;
}

/** The options to close with, or null. */
function checkClosing(
  httpServer: NetServer | null,
  { closeWithServer = false }: Pick<AttachOptions, "closeWithServer">,
  closeTimeout: number | null,
): ServerCloseOptions | null {
  if (closeWithServer === false) return null;
  if (httpServer === null) {
    throw new InvalidArgumentError(
      "Expected no `closeWithServer` if `httpServer` is null, because there is no server to close with, got one.",
    );
  }
  if (closeWithServer === true) return {};
  if (Object(closeWithServer) !== closeWithServer) {
    throw invalidArgument(
      "closeWithServer",
      "a boolean, or an object with options of close()",
      closeWithServer,
    );
  }
  checkCloseOptions(closeWithServer, closeTimeout);
  return closeWithServer;
}

function checkHttpServer(value: unknown): void {
  const { on, emit, listenerCount, address } = Object(value) as Record<string, unknown>;
  if ([on, emit, listenerCount, address].every((method) => typeof method === "function")) return;
  const hint = typeof value === "function" ? ", such as app.listen() of Express returns" : "";
  throw new InvalidArgumentError(
    `Expected \`httpServer\` to be a server of node:http, node:https or node:http2${hint}, or null to use handleUpgrade(), got ${describe(value)}.`,
  );
}
