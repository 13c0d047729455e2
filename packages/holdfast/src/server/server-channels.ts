// Publishes what a server refuses on channels of node:diagnostics_channel. Without subscribers, a channel costs one
// check.

import { channel } from "node:diagnostics_channel";
import type { Connection } from "../connection/connection.js";
import type { Address } from "../connection/ports.js";
import type { ConnectionDiagnosticsMessages, TypedChannel } from "../transport/node/channels.js";
import { asksForWebSocket } from "../protocol/handshake/server-handshake.js";
import type { RequestHead } from "../protocol/handshake/request-head.js";
import type { RequestOrigin } from "./forwarding/request-origin.js";
import type { LimitName } from "./limits/limit-options.js";
import { createServerRequest, type ServerRequest } from "./upgrade/server-request.js";

/** The channels of `node:diagnostics_channel` and the message of each. */
export interface DiagnosticsMessages extends ConnectionDiagnosticsMessages {
  /**
   * A limit of `serve({ limits })` was exceeded: the server refused an upgrade, dropped a socket, paused
   * reading, or closed a connection. `connection` is null if none was open yet.
   */
  readonly "holdfast:server:limited": {
    readonly limit: LimitName;
    readonly remoteAddress: Address | null;
    readonly connection: Connection | null;
  };
  /**
   * A server is about to refuse an upgrade, by itself or with a `Response` of `onRequest`, or a plain request that
   * `onRequest` has not answered. `request` is null if it could not be read.
   */
  readonly "holdfast:server:refused": {
    readonly request: ServerRequest | null;
    /** The HTTP status of the response. */
    readonly status: number;
    /** The text of the response, or that `onRequest` has answered. */
    readonly reason: string;
  };
}

/** A request that the application has not seen. */
export interface ReceivedRequest {
  readonly head: RequestHead;
  readonly origin: RequestOrigin;
}

const limited: TypedChannel<DiagnosticsMessages["holdfast:server:limited"]> =
  channel("holdfast:server:limited");

const refused: TypedChannel<DiagnosticsMessages["holdfast:server:refused"]> =
  channel("holdfast:server:refused");

export function publishLimited(message: DiagnosticsMessages["holdfast:server:limited"]): void {
  if (limited.hasSubscribers) limited.publish(message);
}

/** Makes the `ServerRequest` of a request that the application has not seen only for subscribers. */
export function publishRefused(
  request: ServerRequest | ReceivedRequest | null,
  response: { readonly status: number; readonly reason: string },
): void {
  if (!refused.hasSubscribers) return;
  if (request === null || !("head" in request)) {
    refused.publish({ request, ...response });
    return;
  }
  const { head, origin } = request;
  const purpose = { target: head.target, isUpgrade: asksForWebSocket(head) };
  refused.publish({ request: createServerRequest(head, origin, purpose), ...response });
}
