// Opens one connection for `connect()` and for clients that reconnect. Most servers open none, so this code is loaded with
// the first one.

import type { Connection } from "../connection/connection.js";
import { createConnection } from "../connection/connection.js";
import { coreOf } from "../connection/core-of.js";
import { heartbeatKeepalive } from "../connection/keepalive/heartbeat-keepalive.js";
import { logOpening } from "../connection/log/opening-log.js";
import type { MessageTransportFactory } from "../connection/message-transport.js";
import type { OpenObserver } from "../connection/open-observer.js";
import type { HeaderField } from "../protocol/handshake/header-input.js";
import type { WebSocketURL } from "../protocol/handshake/url.js";
import { offerLink, type LinkVersion } from "../shared/link-subprotocol.js";
import { overFrames } from "../transport/frames/frame-transport.js";
import { overLinkProtocol } from "../transport/link/link-protocol.js";
import { nodeRuntime } from "../transport/node/node-runtime.js";
import type { TlsSessions } from "./dial/tls-sessions.js";
import { ClientHandshakeRecord } from "./handshake-record.js";
import { openUpgraded } from "./opener.js";
import type { ConnectSettings } from "./options.js";

/** The arguments of `connect()`, checked. */
export interface ConnectArguments {
  readonly url: WebSocketURL;
  readonly settings: ConnectSettings;
  readonly headers: readonly HeaderField[];
  readonly origin: string | null | undefined;
}

/** @throws the errors of `connect()` */
export function openConnection(
  { url, settings, headers, origin }: ConnectArguments,
  observer: OpenObserver | null,
  tlsSessions: TlsSessions | null,
): Promise<Connection> {
  const runtime = nodeRuntime();
  const { linkProtocol } = settings;
  const session = observer?.session ?? null;
  const isRequired = linkProtocol === "required";
  const subprotocols =
    linkProtocol === false && session === null
      ? settings.subprotocols
      : offerLink(settings.subprotocols, { isRequired, wantsSession: session !== null });
  const requireSubprotocol = settings.requireSubprotocol || isRequired;
  const target = { url, headers, tls: settings.tls, withheld: [] };
  const { compression } = settings.connection;
  const offer = { subprotocols, requireSubprotocol, origin, compression, http2: settings.http2 };

  const opening = openUpgraded({ runtime, target, offer, settings, observer, tlsSessions }, (upgraded) => {
    const frames = overFrames({
      runtime,
      stream: upgraded.transport,
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
  if (logger !== null) logOpening(logger, url.href, opening);
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
