// Opens a connection with the browser's WebSocket.

import type { Connection } from "../connection/connection.js";
import { checkRequiredSubprotocol } from "../connection/handshake-options.js";
import type { OpenObserver } from "../connection/open-observer.js";
import { NegotiationError } from "../shared/errors.js";
import { offerLink, readLinkAnswer } from "../shared/link-subprotocol.js";
import { noneSelected } from "../shared/subprotocol-required.js";
import { browserRuntime } from "../transport/browser/browser-runtime.js";
import { parseBrowserURL, type BrowserURL } from "./browser-url.js";
import { HeldEvents } from "./held-events.js";
import { LinkOffers } from "./link-offers.js";
import {
  loadCodeFor,
  waitForCode,
  type ConnectionCode,
  type LoadedCode,
  type OpeningCode,
} from "./load-code.js";
import { isUnexplained, openWebSocket } from "./open-web-socket.js";
import { checkConnectOptions, type ConnectOptions, type ConnectSettings } from "./options.js";
import type { OpenedSocket } from "./page-connection.js";

/** Which servers accept the link protocol. Shared by all connections of this page. */
const linkOffers = new LinkOffers();

/** An observer that comes while the WebSocket opens: until it is there, the connection is not made. */
export interface LateObserver {
  /** Whether it will have a session: a new one. */
  readonly wantsSession: boolean;
  readonly observer: Promise<OpenObserver | null>;
}

/**
 * Opens a connection with an observer of its progress, which receives the connection before any message is read.
 *
 * @param later the code that opening needs after the WebSocket
 */
export async function openWith(
  later: OpeningCode,
  url: string | URL,
  options: ConnectOptions,
  observer: LateObserver | OpenObserver | null,
): Promise<Connection> {
  const target = parseBrowserURL(url);
  const settings = checkConnectOptions(options);
  checkRequiredSubprotocol(settings.subprotocols, settings.requireSubprotocol);
  const runtime = browserRuntime();
  const deadline = settings.openTimeout === null ? null : runtime.clock.now() + settings.openTimeout;
  const loading = loadCodeFor(later, settings, runtime, deadline);
  const code = loading instanceof Promise ? await loading : loading;
  const isLate = observer !== null && "observer" in observer;
  const session = isLate ? null : (observer?.session ?? null);
  const attempt: OpenParameters = {
    ...{ target, settings, later, code, deadline },
    wantsSession: isLate ? observer.wantsSession : session !== null,
    observer: isLate ? observer.observer : observer,
  };
  if (settings.linkProtocol !== true) return openOnce(attempt, settings.linkProtocol === "required");

  // Without the link protocol the session would be lost, and the server may only have been out of reach.
  const isResuming = session?.canResume === true;
  const { endpoint } = target;
  const offers = isResuming ? [true] : linkOffers.offersToTry(endpoint, attempt.wantsSession);
  try {
    return await openWithOneOf(offers, attempt);
  } catch (error) {
    if (isUnexplained(error)) linkOffers.onFailed(endpoint);
    throw error;
  }
}

async function openWithOneOf(
  [offersLink = true, ...others]: readonly boolean[],
  attempt: OpenParameters,
): Promise<Connection> {
  try {
    return await openOnce(attempt, offersLink);
  } catch (error) {
    if (!isUnexplained(error) || others.length === 0) throw error;
    return openWithOneOf(others, attempt);
  }
}

interface OpenParameters {
  readonly target: BrowserURL;
  readonly settings: ConnectSettings;
  readonly later: OpeningCode;
  readonly code: LoadedCode;
  /** Monotonic time. */
  readonly deadline: number | null;
  readonly wantsSession: boolean;
  readonly observer: AnObserver;
}

/** A promise if it comes later. */
type AnObserver = OpenObserver | Promise<OpenObserver | null> | null;

function openOnce(attempt: OpenParameters, offersLink: boolean): Promise<Connection> {
  const { target, settings, later, code, deadline, wantsSession, observer } = attempt;
  const runtime = browserRuntime();
  const { subprotocols, linkProtocol, openTimeout, signal } = settings;
  const offered = offersLink
    ? offerLink(subprotocols, { isRequired: linkProtocol === "required", wantsSession })
    : subprotocols;
  const loading = later.connection.get();
  return openWebSocket(
    { runtime, url: target, subprotocols: offered, deadline, openTimeout, signal },
    (socket): Connection | Promise<Connection> => {
      const { subprotocol, link } = readLinkAnswer(socket.protocol);
      if (subprotocol === null && settings.requireSubprotocol) {
        throw new NegotiationError(noneSelected(subprotocols));
      }
      if (offersLink) linkOffers.onOffered(target.endpoint, link > 0);
      else if (linkProtocol === true) linkOffers.onPlain(target.endpoint);
      const opened = {
        target,
        settings,
        code,
        socket,
        offered,
        subprotocol,
        link: offersLink ? link : 0,
      } as const;
      return loading instanceof Promise || observer instanceof Promise
        ? startWith(loading, opened, observer, deadline)
        : loading.startConnection(opened, observer);
    },
  );
}

/** Starts the connection once the code is there, and the observer. */
async function startWith(
  loading: ConnectionCode | Promise<ConnectionCode>,
  opened: OpenedSocket,
  observer: AnObserver,
  deadline: number | null,
): Promise<Connection> {
  const { settings, socket } = opened;
  const events = new HeldEvents(socket);
  try {
    const all = Promise.all([loading, observer]);
    const [code, itsObserver] = await waitForCode(all, settings, browserRuntime(), deadline);
    const connection = code.startConnection(opened, itsObserver);
    events.replay();
    return connection;
  } catch (error) {
    socket.close();
    throw error;
  }
}
