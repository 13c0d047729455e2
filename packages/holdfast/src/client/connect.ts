// `connect()` for Node.js, Bun and Deno: opens a connection (RFC 6455 section 4.1).

import { addCaller } from "../connection/caller-stack.js";
import type { Connection } from "../connection/connection.js";
import { checkRequiredSubprotocol } from "../connection/handshake-options.js";
import type { OpenObserver } from "../connection/open-observer.js";
import { readHeaders } from "../protocol/handshake/header-input.js";
import { parseWebSocketURL } from "../protocol/handshake/url.js";
import { copyHeaders } from "../reconnect/copy-options.js";
import { HoldfastError, InvalidArgumentError } from "../shared/errors.js";
import { withFullStop } from "../shared/full-stop.js";
import { loadCode } from "../shared/load-code.js";
import { checkOptionNames } from "../shared/option-names.js";
import { errorOf } from "../shared/thrown.js";
import { FOREIGN_CLIENT_OPTIONS } from "../transport/node/foreign-options.js";
import type { TlsSessions } from "./dial/tls-sessions.js";
import type * as Opening from "./open-connection.js";
import type { ConnectArguments } from "./open-connection.js";
import { CONNECT_OPTIONS, checkConnectOptions, type ConnectOptions } from "./options.js";

/**
 * Opens a WebSocket connection to `url`: `ws:` or `wss:` (`http:` and `https:` are equivalent), or a Unix socket,
 * `ws+unix:/path/of.sock:/request/path`.
 *
 * @param url the URL to connect to, without a fragment (RFC 6455 section 3)
 * @param options how to reach the server, the headers and subprotocols to send, and settings of the connection
 * @throws InvalidURLError, InvalidHeaderError, InvalidArgumentError before any I/O
 * @throws OpenTimeoutError after `openTimeout`; its `phase` is the step that did not complete
 * @throws InvalidStatusError if the server responds with a status other than 101 (200 over HTTP/2) or a redirect
 * @throws InvalidUpgradeError, NegotiationError if the response violates RFC 6455
 * @throws ProxyError if the proxy cannot be reached or refuses; has the proxy's `status`
 * @throws RedirectError if a redirect cannot be followed; has the list `hops`
 * @throws HandshakeError for all other failures; `failure` classifies them, `cause` has the details
 */
export async function connect(url: string | URL, options: ConnectOptions = {}): Promise<Connection> {
  checkOptionNames("connect()", options, CONNECT_OPTIONS, FOREIGN_CLIENT_OPTIONS);
  try {
    return await open(url, options, null);
  } catch (error) {
    throw addCaller(error);
  }
}

/**
 * `connect()` with an observer of its progress, which receives the connection before any message is read.
 *
 * @param tlsSessions sessions of earlier connections to resume; null for none
 */
export async function open(
  url: string | URL,
  options: ConnectOptions,
  observer: OpenObserver | null,
  tlsSessions: TlsSessions | null = null,
): Promise<Connection> {
  const read = readArguments(url, options);
  opening ??= await loadCode("connect()", () => import("./open-connection.js"));
  return opening.openConnection(read, observer, tlsSessions);
}

let opening: typeof Opening | null = null;

/** Reads everything once, because iterables may allow only one pass and getters may throw. */
function readArguments(url: string | URL, options: ConnectOptions): ConnectArguments {
  try {
    const { headers, origin } = options;
    const settings = checkConnectOptions(options);
    checkRequiredSubprotocol(settings.subprotocols, settings.requireSubprotocol);
    return {
      url: parseWebSocketURL(url),
      settings,
      headers: headers === undefined ? [] : readHeaders(copyHeaders(headers)),
      origin,
    };
  } catch (cause) {
    if (errorOf(cause) instanceof HoldfastError) throw cause;
    const message = withFullStop(
      `Expected a URL and options that can be read, got an error: ${errorOf(cause).message}`,
    );
    throw new InvalidArgumentError(message, { cause });
  }
}
