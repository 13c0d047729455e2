// `connect()` for browsers: opens a connection with the browser's WebSocket.

import { addCaller } from "../connection/caller-stack.js";
import { coreOf, createConnection, type Connection } from "../connection/connection.js";
import { heartbeatKeepalive } from "../connection/heartbeat-keepalive.js";
import { checkRequiredSubprotocol } from "../connection/handshake-options.js";
import { overLinkProtocol } from "../transport/link/link-protocol.js";
import { checkOptionNames } from "../shared/option-names.js";
import type { ConnectionSettings } from "../connection/options.js";
import type { MessageTransportFactory } from "../connection/message-transport.js";
import type { OpenObserver, TransportEnds } from "../connection/open-observer.js";
import { NegotiationError } from "../shared/errors.js";
import { offerLink, readLinkAnswer, type LinkVersion } from "../shared/link-subprotocol.js";
import { noneSelected } from "../shared/subprotocol-required.js";
import { browserRuntime } from "../transport/browser/browser-runtime.js";
import { parseBrowserURL, type BrowserURL } from "./browser-url.js";
import { overWebSocket } from "../transport/browser/browser-transport.js";
import { BrowserHandshakeRecord } from "./handshake-record.js";
import { LinkOffers } from "./link-offers.js";
import { pageOwner, probeOnReturn } from "./live-connections.js";
import { loadCodeFor, type LoadedCode } from "./load-code.js";
import { isUnexplained, openWebSocket } from "./open-web-socket.js";
import {
  CONNECT_OPTIONS,
  checkConnectOptions,
  type ConnectOptions,
  type ConnectSettings,
  NO_SESSION,
} from "./options.js";

/**
 * Opens a WebSocket connection to `url`: `ws:` or `wss:` (`http:`, `https:` and relative URLs are accepted, too).
 *
 * The heartbeat requires the link protocol, which Holdfast servers accept. For other servers, set `heartbeat`
 * (docs/browser.md).
 *
 * @param url the URL to connect to, without a fragment (RFC 6455 section 3)
 * @param options subprotocols to offer, and settings of the connection
 * @throws InvalidURLError, InvalidArgumentError before any I/O, also for options that browsers do not support
 * @throws OpenTimeoutError after `openTimeout`
 * @throws HandshakeError for all other failures: browsers do not report to pages why a connection failed
 */
export async function connect(url: string | URL, options: ConnectOptions = {}): Promise<Connection> {
  checkOptionNames("connect()", options, CONNECT_OPTIONS, NO_SESSION);
  try {
    return await open(url, options, null);
  } catch (error) {
    throw addCaller(error);
  }
}

/** Which servers accept the link protocol. Shared by all connections of this page. */
const linkOffers = new LinkOffers();

/** `connect()` with an observer of its progress, which receives the connection before any message is read. */
export async function open(
  url: string | URL,
  options: ConnectOptions,
  observer: OpenObserver | null,
): Promise<Connection> {
  const target = parseBrowserURL(url);
  const settings = checkConnectOptions(options);
  checkRequiredSubprotocol(settings.subprotocols, settings.requireSubprotocol);
  const runtime = browserRuntime();
  const deadline = settings.openTimeout === null ? null : runtime.clock.now() + settings.openTimeout;
  const loading = loadCodeFor(settings, runtime, deadline);
  const code = loading instanceof Promise ? await loading : loading;
  const attempt: OpenParameters = { target, settings, code, deadline, observer };
  if (settings.linkProtocol !== true) return openOnce(attempt, settings.linkProtocol === "required");

  // Without the link protocol the session would be lost, and the server may only have been out of reach.
  const isResuming = observer?.session?.canResume === true;
  const [offersLink = true, ...others] = isResuming ? [true] : linkOffers.offersToTry(target.endpoint);
  try {
    try {
      return await openOnce(attempt, offersLink);
    } catch (error) {
      if (!isUnexplained(error) || others.length === 0) throw error;
      return await openOnce(attempt, false);
    }
  } catch (error) {
    if (isUnexplained(error)) linkOffers.onFailed(target.endpoint);
    throw error;
  }
}

interface OpenParameters {
  readonly target: BrowserURL;
  readonly settings: ConnectSettings;
  readonly code: LoadedCode;
  /** Monotonic time. */
  readonly deadline: number | null;
  readonly observer: OpenObserver | null;
}

function openOnce(attempt: OpenParameters, offersLink: boolean): Promise<Connection> {
  const { target, settings, code, deadline, observer } = attempt;
  const runtime = browserRuntime();
  const { subprotocols, linkProtocol, openTimeout, signal } = settings;
  const wantsSession = (observer?.session ?? null) !== null;
  const offered = offersLink
    ? offerLink(subprotocols, { isRequired: linkProtocol === "required", wantsSession })
    : subprotocols;
  return openWebSocket(
    { runtime, url: target, subprotocols: offered, deadline, openTimeout, signal },
    (socket) => {
      const { subprotocol, link } = readLinkAnswer(socket.protocol);
      const isLink = link > 0 && offersLink;
      if (subprotocol === null && settings.requireSubprotocol) {
        throw new NegotiationError(noneSelected(subprotocols));
      }
      if (linkProtocol === true) linkOffers.onOpened(target.endpoint, offersLink);
      const messages = overWebSocket({ runtime, socket, settings: settings.connection });
      const connection = createConnection({
        keepalive: heartbeatKeepalive,
        runtime,
        transport: withHeartbeat(messages, isLink ? link : 0, attempt),
        settings: {
          ...heartbeatSettings(isLink, settings),
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
    },
  );
}

function withHeartbeat(
  messages: MessageTransportFactory,
  link: LinkVersion,
  { settings: { heartbeat }, code, observer }: OpenParameters,
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
