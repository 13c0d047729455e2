// `connect()` for browsers: opens a connection with the browser's WebSocket, and loads code that it needs meanwhile.

import { addCaller } from "../connection/caller-stack.js";
import type { Connection } from "../connection/connection.js";
import type { OpenObserver } from "../connection/open-observer.js";
import { checkOptionNames } from "../shared/option-names.js";
import { openingCode } from "./late-code.js";
import { openWith, type LateObserver } from "./open.js";
import { CONNECT_OPTIONS, type ConnectOptions, NO_SESSION } from "./options.js";

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

/** `connect()` with an observer of its progress, which receives the connection before any message is read. */
export function open(
  url: string | URL,
  options: ConnectOptions,
  observer: LateObserver | OpenObserver | null,
): Promise<Connection> {
  return openWith(openingCode, url, options, observer);
}
