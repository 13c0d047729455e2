// The port to requests that the library itself answers at a server, beside those of the application: the inspector's.

import type { Connection } from "../../connection/connection.js";
import type { CloseInfo } from "../../connection/close-info.js";
import type { ConnectionSettings } from "../../connection/options.js";
import { originForm } from "../../protocol/handshake/request-target.js";
import type { RequestHead } from "../../protocol/handshake/request-head.js";
import { UPGRADE_REQUIRED } from "../../protocol/handshake/server-handshake.js";
import type { SubprotocolChoice } from "../../protocol/handshake/subprotocol.js";
import type { Decision } from "./admission-policy.js";
import { EMPTY_GRANT } from "./request-answer.js";
import type { ServerRequest } from "./server-request.js";

/** Receives a connection that is not the application's. */
export interface ConnectionReceiver {
  readonly settings: ConnectionSettings;
  onOpen(connection: Connection): void;
}

export interface OwnRequests {
  /** Whether it answers the requests for this path, given with its query. */
  matches(target: string): boolean;
  /**
   * Decides on a request: a Response to send, or the receiver of the connection. May throw what the application's code
   * throws.
   */
  answer(request: ServerRequest): Promise<ConnectionReceiver | Response>;
  /** A connection of the application has opened. */
  onOpened(connection: Connection): void;
  /** A connection of the application has ended. */
  onEnded(connection: Connection, info: CloseInfo): void;
  /** The server is closing. */
  close(): void;
}

/** The path of a request that `own` answers, with its query; null for the application's requests. */
export function ownTargetOf(own: OwnRequests, { target, headers }: RequestHead): string | null {
  const path = originForm(target, headers.get("Host") ?? "");
  return path !== null && own.matches(path) ? path : null;
}

/** @param key the Sec-WebSocket-Key of an upgrade; null for a plain request */
export async function decideOwn(
  own: OwnRequests,
  request: ServerRequest,
  key: string | null,
): Promise<Decision> {
  const answer = await own.answer(request);
  if (!("onOpen" in answer)) return { outcome: "answer", response: answer };
  if (key === null) return UPGRADE_REQUIRED;
  const grant = EMPTY_GRANT;
  return { outcome: "upgrade", key, request, choice: NO_SUBPROTOCOL, deflate: null, grant, receiver: answer };
}

const NO_SUBPROTOCOL: SubprotocolChoice = { subprotocol: null, subprotocolAnswer: null, link: 0 };
