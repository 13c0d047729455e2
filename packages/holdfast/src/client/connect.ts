// `connect()` for Node.js, Bun and Deno: opens a connection (RFC 6455 section 4.1).

import { addCaller } from "../connection/caller-stack.js";
import { offerLink, type LinkVersion } from "../shared/link-subprotocol.js";
import type { MessageTransportFactory } from "../connection/message-transport.js";
import { overLinkProtocol } from "../transport/link/link-protocol.js";
import { coreOf, createConnection, type Connection } from "../connection/connection.js";
import { heartbeatKeepalive } from "../connection/heartbeat-keepalive.js";
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
import type { TlsSessions } from "./dial/tls-sessions.js";
import { openUpgraded } from "./opener.js";
import {
  CONNECT_OPTIONS,
  checkConnectOptions,
  type ConnectOptions,
  type ConnectSettings,
} from "./options.js";
import { errorOf } from "../shared/thrown.js";
import { withFullStop } from "../shared/full-stop.js";

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
  const runtime = nodeRuntime();
  const { url: parsedURL, settings, headers, origin } = readArguments(url, options);
  const { linkProtocol } = settings;
  const session = observer?.session ?? null;
  const isRequired = linkProtocol === "required";
  const subprotocols =
    linkProtocol === false && session === null
      ? settings.subprotocols
      : offerLink(settings.subprotocols, { isRequired, wantsSession: session !== null });
  const requireSubprotocol = settings.requireSubprotocol || isRequired;
  const target = { url: parsedURL, headers, tls: settings.tls, withheld: [] };
  const { compression } = settings.connection;
  const offer = { subprotocols, requireSubprotocol, origin, compression, http2: settings.http2 };

  const opening = openUpgraded({ runtime, target, offer, settings, observer, tlsSessions }, (upgraded) => {
    const frames = overFrames({
      runtime,
      transport: upgraded.transport,
      role: "client",
      settings: settings.connection,
      extension: upgraded.deflate?.extension ?? null,
      preface: null,
      rest: upgraded.rest,
      defersDelivery: true,
    });
    const offersLink = linkProtocol !== false || session !== null;
    const handshake = new ClientHandshakeRecord(upgraded, offersLink);
    const connection = createConnection({
      keepalive: heartbeatKeepalive,
      runtime,
      transport: overLink(frames, handshake.link, observer),
      settings: settings.connection,
      handshake,
      owner: null,
    });
    observer?.onOpen(connection);
    coreOf(connection).start();
    return connection;
  });
  const { logger } = settings.connection;
  if (logger !== null) logOpening(logger, parsedURL.href, opening);
  return opening;
}

/** Speaks the version of the link protocol that the server has chosen. */
function overLink(
  frames: MessageTransportFactory,
  link: LinkVersion,
  observer: OpenObserver | null,
): MessageTransportFactory {
  const onWidth = (width: number): void => observer?.onSpread(width);
  const session = observer?.session ?? null;
  if (link === 2 && session !== null) return session.over(frames, "frames", onWidth);
  return link > 0 ? overLinkProtocol(frames, "frames", { onWidth }) : frames;
}

interface Arguments {
  readonly url: WebSocketURL;
  readonly settings: ConnectSettings;
  readonly headers: readonly HeaderField[];
  readonly origin: string | null | undefined;
}

/** Reads everything once, because iterables may allow only one pass and getters may throw. */
function readArguments(url: string | URL, options: ConnectOptions): Arguments {
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
    if (cause instanceof HoldfastError) throw cause;
    const message = withFullStop(
      `Expected a URL and options that can be read, got an error: ${errorOf(cause).message}`,
    );
    throw new InvalidArgumentError(message, { cause });
  }
}
