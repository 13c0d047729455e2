// Opens a connection: name lookup, TCP, TLS, upgrade (RFC 6455 section 4.1).

import { Connection, start } from "../connection/connection.js";
import { overFrames } from "../connection/frames/frame-wire.js";
import { nodeRuntime } from "../node/node-runtime.js";
import type { OpenObserver } from "../persist/connector.js";
import { offerDeflate } from "../protocol/deflate/negotiation.js";
import { DEFLATE_NAME } from "../protocol/deflate/parameters.js";
import { createClientHandshake } from "../protocol/handshake/client-handshake.js";
import { parseWebSocketURL } from "../protocol/handshake/url.js";
import { ClientHandshakeRecord } from "./handshake-record.js";
import { attemptToOpen } from "./open-attempt.js";
import { checkConnectOptions, type ConnectOptions } from "./options.js";

/**
 * Opens a WebSocket to `url` (`ws:` or `wss:`; `http:` and `https:` stand for them).
 *
 * @throws InvalidURL, InvalidHeader, InvalidArgument before any I/O
 * @throws OpenTimeout after `openTimeout`; its `phase` tells what took so long
 * @throws InvalidStatus where the server answers with another status than 101
 * @throws InvalidUpgrade, NegotiationError where its answer breaks RFC 6455
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
  const key = Buffer.from(runtime.randomBytes(16)).toString("base64");
  const { headers, subprotocols = [], origin } = options;
  const { compression } = settings.connection;
  const extensionOffer = compression === null ? null : offerDeflate(compression);
  const { request, bytes } = createClientHandshake({
    url: target,
    key,
    headers,
    subprotocols,
    origin,
    extensionOffer,
  });
  const offeredExtensions = compression === null ? [] : [DEFLATE_NAME];
  const upgrade = { bytes, expected: { key, subprotocols, offeredExtensions } };

  return attemptToOpen(
    { runtime, url: target, upgrade, settings, tls: options.tls, observer },
    (upgraded) => {
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
        }),
        settings: settings.connection,
        handshake: new ClientHandshakeRecord(target.href, request, upgraded),
        owner: null,
      });
      observer?.onOpen(connection);
      connection[start]();
      return connection;
    },
  );
}
