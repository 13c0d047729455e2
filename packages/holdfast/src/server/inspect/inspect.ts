// `inspect()`: a page that shows a running server.

import { invalidArgument } from "../../shared/option-checks.js";
import { InvalidArgumentError } from "../../shared/errors.js";
import { partsOf, Server } from "../server.js";
import { Inspection } from "./inspection.js";
import { checkInspectOptions, type InspectOptions } from "./options.js";

/** The inspector of a server, made by `inspect()`. */
export interface Inspector {
  /** The URL of the page, as it is reached from this machine. */
  readonly url: string;
  /** Removes the page, and ends its streams. The server continues. Further calls do nothing. */
  close(): void;
}

/**
 * Serves a page at a path of `server` that shows its connections: state, latency, buffers, sessions, topics, the newest
 * endings and why, and totals. The page works with `serve()` and with `attach()`, over HTTP/1.1 and HTTP/2. Its own
 * stream is not among the `connections`, and does not count towards limits. It costs nothing while nobody looks, and it
 * ends with the server.
 *
 * @param options `authorize` decides who may look; it is required
 * @throws InvalidArgumentError for invalid options, and for a server that has an inspector or gets no plain requests
 */
export function inspect(server: Server, options: InspectOptions): Inspector {
  if (!((server as unknown) instanceof Server))
    throw invalidArgument("server", "what serve() or attach() returns", server);
  const settings = checkInspectOptions(options);
  const { core, listener } = partsOf(server);
  if (core.ownRequests !== null) {
    throw new InvalidArgumentError(
      "Expected a server without an inspector, got one that has one. Close that one first.",
    );
  }
  if (listener.listenToPlainRequests === null) {
    throw new InvalidArgumentError(
      "Expected a server of serve() or attach(httpServer), got one of attach(null), which receives no requests for pages.",
    );
  }
  const inspection = new Inspection(core, settings);
  inspection.onClose = listener.listenToPlainRequests?.() ?? null;
  core.setOwnRequests(inspection);
  return {
    get url() {
      return pageUrl(server.url, settings.path);
    },
    close() {
      if (core.ownRequests === inspection) inspection.close(); // Otherwise it has been closed.
    },
  };
}

/** An attached server's URL may have the path of its WebSockets, and one on a Unix socket has no URL for browsers. */
function pageUrl(serverUrl: string, path: string): string {
  const match = /^ws(s?):(\/\/[^/]+)/.exec(serverUrl);
  if (match === null) return path;
  const [, secure, authority] = match;
  return `http${secure}:${authority}${path}`;
}
