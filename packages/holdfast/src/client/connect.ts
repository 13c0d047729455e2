// Opens a connection: the way to the server, and the upgrade (RFC 6455 section 4.1).

import { Connection, start } from "../connection/connection.js";
import { overFrames } from "../connection/frames/frame-wire.js";
import { logOpening } from "../connection/log/opening-log.js";
import { nodeRuntime } from "../node/node-runtime.js";
import type { OpenObserver } from "../persist/connector.js";
import { readHeaders } from "../protocol/handshake/header-input.js";
import { parseWebSocketURL } from "../protocol/handshake/url.js";
import { ClientHandshakeRecord } from "./handshake-record.js";
import { attemptToOpen } from "./open-attempt.js";
import { checkConnectOptions, type ConnectOptions } from "./options.js";

/**
 * Opens a WebSocket to `url`: `ws:` or `wss:` (`http:` and `https:` stand for them), or a Unix socket,
 * `ws+unix:/path/of.sock:/request/path`.
 *
 * @param url where to connect to; a fragment has no place in it (RFC 6455 section 3)
 * @param options the road, what is offered to the server, and the settings of the connection
 * @throws InvalidURL, InvalidHeader, InvalidArgument before any I/O
 * @throws OpenTimeout after `openTimeout`; its `phase` tells what took so long
 * @throws InvalidStatus where the server answers with another status than 101 (over HTTP/2, 200), or than a redirect
 * @throws InvalidUpgrade, NegotiationError where its answer breaks RFC 6455
 * @throws ProxyError where the proxy cannot be reached, or refuses; with its `status`
 * @throws RedirectError where a redirect cannot be followed; with its `hops`
 * @throws HandshakeError for everything else; its `failure` tells in a word, its `cause` in detail
 */
export function connect(url: string | URL, options: ConnectOptions = {}): Promise<Connection> {
  return open(url, options, null);
}

/** The same, watched: `observer` is told how far it has come, and has the connection before anything is read. */
export async function open(
  url: string | URL,
  options: ConnectOptions,
  observer: OpenObserver | null,
): Promise<Connection> {
  const runtime = nodeRuntime();
  const target = parseWebSocketURL(url);
  const settings = checkConnectOptions(options);
  // Read once: an iterable may be good for a single pass, and redirects need them again.
  const headers = options.headers === undefined ? [] : readHeaders(options.headers);
  const { subprotocols = [], origin } = options;
  const destination = { url: target, headers, tls: settings.tls, withheld: [] };
  const offer = { subprotocols, origin, compression: settings.connection.compression, http2: settings.http2 };

  const opening = attemptToOpen({ runtime, destination, offer, settings, observer }, (upgraded) => {
    const connection = new Connection({
      runtime,
      wire: overFrames({
        runtime,
        transport: upgraded.transport,
        role: "client",
        settings: settings.connection,
        extension: upgraded.deflate?.extension ?? null,
        preface: null,
        rest: upgraded.rest,
        tellsLater: true,
      }),
      settings: settings.connection,
      handshake: new ClientHandshakeRecord(upgraded),
      owner: null,
    });
    observer?.onOpen(connection);
    connection[start]();
    return connection;
  });
  const { logger } = settings.connection;
  if (logger !== null) logOpening(logger, target.href, opening);
  return opening;
}
