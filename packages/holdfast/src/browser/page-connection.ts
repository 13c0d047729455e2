// Makes the connection of a WebSocket that has opened. A page loads this code while its first WebSocket opens.

import { createConnection, type Connection } from "../connection/connection.js";
import { coreOf } from "../connection/core-of.js";
import { heartbeatKeepalive } from "../connection/keepalive/heartbeat-keepalive.js";
import type { MessageTransportFactory } from "../connection/message-transport.js";
import type { OpenObserver, TransportEnds } from "../connection/open-observer.js";
import type { ConnectionSettings } from "../connection/options.js";
import type { LinkVersion } from "../shared/link-subprotocol.js";
import { browserRuntime } from "../transport/browser/browser-runtime.js";
import { overWebSocket } from "../transport/browser/browser-transport.js";
import { overLinkProtocol } from "../transport/link/link-protocol.js";
import type { BrowserURL } from "./browser-url.js";
import { BrowserHandshakeRecord } from "./handshake-record.js";
import { pageOwner, probeOnReturn } from "./live-connections.js";
import type { LoadedCode } from "./load-code.js";
import type { ConnectSettings } from "./options.js";

export interface OpenedSocket {
  readonly target: BrowserURL;
  readonly settings: ConnectSettings;
  readonly code: LoadedCode;
  readonly socket: WebSocket;
  readonly offered: readonly string[];
  readonly subprotocol: string | null;
  /** The version of the link protocol that both sides speak. */
  readonly link: LinkVersion;
}

export function startConnection(opened: OpenedSocket, observer: OpenObserver | null): Connection {
  const { target, settings, code, socket, offered, subprotocol, link } = opened;
  const runtime = browserRuntime();
  const messages = overWebSocket({ runtime, socket, settings: settings.connection });
  const connection = createConnection({
    keepalive: heartbeatKeepalive,
    runtime,
    transport: withHeartbeat(messages, opened, observer),
    settings: {
      ...heartbeatSettings(link > 0, settings),
      log: code.ConnectionLog,
      adaptive: code.AdaptiveDetection,
    },
    handshake: new BrowserHandshakeRecord(target, offered, socket, subprotocol),
    owner: pageOwner,
  });
  observer?.onConnected(NO_ADDRESSES);
  observer?.onOpen(connection);
  probeOnReturn(connection);
  coreOf(connection).start();
  return connection;
}

function withHeartbeat(
  messages: MessageTransportFactory,
  { settings: { heartbeat }, code, link }: OpenedSocket,
  observer: OpenObserver | null,
): MessageTransportFactory {
  const onWidth = (width: number): void => observer?.onSpread(width);
  const session = observer?.session ?? null;
  if (link === 2 && session !== null) return session.over(messages, "messages", onWidth);
  if (link > 0) return overLinkProtocol(messages, "messages", { onWidth });
  return heartbeat === null ? messages : (code.withHeartbeatMessages?.(messages, heartbeat) ?? messages);
}

/** Disables keepalive if neither the link protocol nor `heartbeat` can carry pings. */
function heartbeatSettings(isLink: boolean, { connection, heartbeat }: ConnectSettings): ConnectionSettings {
  if (isLink || heartbeat !== null || connection.pingInterval === null) return connection;
  connection.logger?.warn(
    "no heartbeat: the server does not speak the link protocol, and no `heartbeat` functions were given",
  );
  return { ...connection, pingInterval: null, pingTimeout: null, detection: null };
}

/** Browsers do not expose addresses to pages. */
const NO_ADDRESSES: TransportEnds = { remoteAddress: null, localAddress: null };
