// Opens a connection: the way to the server, and the upgrade (RFC 6455 section 4.1).

import { addCaller } from "../connection/caller-stack.js";
import { coreOf, createConnection, type Connection } from "../connection/connection.js";
import { overFrames } from "../transport/frames/frame-transport.js";
import { checkRequiredSubprotocol } from "../connection/handshake-options.js";
import { logOpening } from "../connection/log/opening-log.js";
import { checkOptionNames } from "../shared/option-names.js";
import { FOREIGN_CLIENT_OPTIONS } from "../transport/node/foreign-options.js";
import { nodeRuntime } from "../transport/node/node-runtime.js";
import type { OpenObserver } from "../connection/open-observer.js";
import { HoldfastError, InvalidArgumentError } from "../shared/errors.js";
import { readHeaders, type HeaderField } from "../protocol/handshake/header-input.js";
import { parseWebSocketURL, type WebSocketURL } from "../protocol/handshake/url.js";
import { copyHeaders } from "../reconnect/copy-options.js";
import { ClientHandshakeRecord } from "./handshake-record.js";
import { attemptToOpen } from "./open-attempt.js";
import {
  CONNECT_OPTIONS,
  checkConnectOptions,
  type ConnectOptions,
  type ConnectSettings,
} from "./options.js";
import { errorOf } from "../shared/thrown.js";

/**
 * Opens a WebSocket to `url`: `ws:` or `wss:` (`http:` and `https:` stand for them), or a Unix socket,
 * `ws+unix:/path/of.sock:/request/path`.
 *
 * @param url where to connect to; a fragment has no place in it (RFC 6455 section 3)
 * @param options the road, what is offered to the server, and the settings of the connection
 * @throws InvalidURLError, InvalidHeaderError, InvalidArgumentError before any I/O
 * @throws OpenTimeoutError after `openTimeout`; its `phase` tells what took so long
 * @throws InvalidStatusError where the server answers with another status than 101 (over HTTP/2, 200), or than a redirect
 * @throws InvalidUpgradeError, NegotiationError where its answer breaks RFC 6455
 * @throws ProxyError where the proxy cannot be reached, or refuses; with its `status`
 * @throws RedirectError where a redirect cannot be followed; with its `hops`
 * @throws HandshakeError for everything else; its `failure` tells in a word, its `cause` in detail
 */
export async function connect(url: string | URL, options: ConnectOptions = {}): Promise<Connection> {
  checkOptionNames("connect()", options, CONNECT_OPTIONS, FOREIGN_CLIENT_OPTIONS);
  try {
    return await open(url, options, null);
  } catch (error) {
    throw addCaller(error);
  }
}

/** The same, watched: `observer` is told how far it has come, and has the connection before anything is read. */
export async function open(
  url: string | URL,
  options: ConnectOptions,
  observer: OpenObserver | null,
): Promise<Connection> {
  const runtime = nodeRuntime();
  const { target, settings, headers, origin } = readArguments(url, options);
  const { subprotocols, requireSubprotocol } = settings;
  const destination = { url: target, headers, tls: settings.tls, withheld: [] };
  const { compression } = settings.connection;
  const offer = { subprotocols, requireSubprotocol, origin, compression, http2: settings.http2 };

  const opening = attemptToOpen({ runtime, destination, offer, settings, observer }, (upgraded) => {
    const connection = createConnection({
      runtime,
      transport: overFrames({
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
    coreOf(connection).start();
    return connection;
  });
  const { logger } = settings.connection;
  if (logger !== null) logOpening(logger, target.href, opening);
  return opening;
}

interface Arguments {
  readonly target: WebSocketURL;
  readonly settings: ConnectSettings;
  readonly headers: readonly HeaderField[];
  readonly origin: string | null | undefined;
}

/** Reads everything once: an iterable may be good for a single pass, and a getter of the application may throw. */
function readArguments(url: string | URL, options: ConnectOptions): Arguments {
  try {
    const { headers, origin } = options;
    const settings = checkConnectOptions(options);
    checkRequiredSubprotocol(settings.subprotocols, settings.requireSubprotocol);
    return {
      target: parseWebSocketURL(url),
      settings,
      headers: headers === undefined ? [] : readHeaders(copyHeaders(headers)),
      origin,
    };
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause;
    const message = `Expected a URL and options that can be read, got an error: ${errorOf(cause).message}`;
    throw new InvalidArgumentError(message, { cause });
  }
}
