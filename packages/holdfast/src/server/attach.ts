// Serves WebSockets beside the routes of an HTTP server that exists already.

import type { Server as NetServer } from "node:net";
import { checkFunction, describe } from "../shared/option-checks.js";
import { isolate } from "../connection/platform.js";
import { checkOptionNames, type OptionNames } from "../shared/option-names.js";
import { FOREIGN_SERVER_OPTIONS } from "../transport/node/foreign-options.js";
import { nodePlatform } from "../transport/node/node-platform.js";
import { InvalidArgumentError } from "../shared/errors.js";
import { NO_ENTRANCE } from "./attachment/hand-over.js";
import { Attachment } from "./attachment/attachment.js";
import { checkPathFilter, type PathFilter } from "./attachment/path-filter.js";
import type { RequestHandler } from "./handler-runs.js";
import { checkServerOptions, SERVER_OPTIONS, type ServerOptions } from "./options.js";
import { ServerCore } from "./server-core.js";
import { createServer, type Server } from "./server.js";

/** Options of `attach()`. */
export interface AttachOptions extends ServerOptions {
  /**
   * The path of URLs, without the query, that is served: this one exactly, all that match, or what a function says.
   * Requests for other paths are left to others. @default all paths
   */
  readonly path?: PathFilter;
}

const ATTACH_OPTIONS: OptionNames<AttachOptions> = { ...SERVER_OPTIONS, path: true };

/**
 * Takes the WebSocket upgrades of `httpServer`, a server of `node:http`, `node:https` or `node:http2`, and calls `handler` with each
 * new connection, as `serve()` does. All other requests go to the server's own routes and upgrade handlers. Several may
 * be attached to one server; the first whose `path` fits has the request.
 *
 * Closing what it returns detaches it and leaves `httpServer` as it is. Close it first: an HTTP server that is closed
 * waits for all of its sockets. `handler`, `onRequest` and `selectSubprotocol` run in the async context
 * (`AsyncLocalStorage`) in which `httpServer` emits the upgrade.
 *
 * @param httpServer listening or not; it stays its owner's. Null to hand over each upgrade with `handleUpgrade()`
 * @param handler called with each connection and the request that opened it
 * @param options whose upgrades to take, whom to let in, limits, and the settings of each connection
 * @throws InvalidArgumentError
 */
export function attach(
  httpServer: NetServer | null,
  handler: RequestHandler,
  options: AttachOptions = {},
): Server {
  if (httpServer !== null) checkHttpServer(httpServer);
  checkFunction("handler", handler);
  checkOptionNames("attach()", options, ATTACH_OPTIONS, FOREIGN_SERVER_OPTIONS);
  const filter = checkPathFilter(options.path);
  if (httpServer === null && filter !== undefined) {
    throw new InvalidArgumentError(
      "Expected no `path` where `httpServer` is null, as you choose the upgrades that you hand over, got one",
    );
  }
  const reception = new ServerCore(isolate(nodePlatform, handler), checkServerOptions(options));
  const entrance = httpServer === null ? NO_ENTRANCE : new Attachment(httpServer, filter, reception);
  return createServer(entrance, reception);
}

function checkHttpServer(value: unknown): void {
  const { on, emit, listenerCount, address } = Object(value) as Record<string, unknown>;
  if ([on, emit, listenerCount, address].every((method) => typeof method === "function")) return;
  const hint = typeof value === "function" ? ", such as app.listen() of Express returns" : "";
  throw new InvalidArgumentError(
    `Expected \`httpServer\` to be a server of node:http, node:https or node:http2${hint}, or null to use handleUpgrade(), got ${describe(value)}`,
  );
}
