// Handles an upgrade that the application passes to `Server.handleUpgrade()`.

import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { refusePromise } from "../../connection/arguments.js";
import { invalidArgument } from "../../shared/option-checks.js";
import { errorOf } from "../../shared/thrown.js";
import {
  asksForWebSocket,
  refuse,
  refusePlain,
  type Refusal,
} from "../../protocol/handshake/server-handshake.js";
import type { RequestHead } from "../../protocol/handshake/request-head.js";
import { isInUse } from "../../transport/node/socket-byte-stream.js";
import type { ServerListener } from "../listener/server-listener.js";
import type { ServerCore } from "../server-core.js";
import { checkGrant, type UpgradeGrant } from "../upgrade/request-answer.js";
import { detachFromHttp, socketInUse } from "./attachment.js";
import {
  afterResponses,
  hasKnownLength,
  headOf,
  isEncrypted,
  mayLackFields,
  TOO_MANY_FIELDS,
  UNKNOWN_LENGTH,
} from "./http-request.js";

/** The listener of a server that only receives upgrades from `handleUpgrade()`. */
export const NO_LISTENER: ServerListener = {
  port: 0,
  url: "",
  listenToPlainRequests: null,
  drain: () => Promise.resolve(), // The server core refuses new requests.
  close: () => Promise.resolve(),
  destroy() {
    // The server core owns every socket.
  },
};

/** @throws InvalidArgumentError, InvalidHeaderError, without touching the socket */
export function handleUpgrade(
  core: ServerCore,
  request: IncomingMessage,
  socket: Duplex,
  head: Uint8Array,
  grant: UpgradeGrant,
): void {
  checkUpgrade(request, socket, head);
  refusePromise("granted", "a plain object with `headers` and `data`", grant);
  const granted = checkGrant(grant, "Expected `granted` to be");
  if (socket.destroyed) return; // The client disconnected while the application decided.
  const parsed = readUpgrade(request);
  afterResponses(socket, () => {
    const source = { kind: "message", message: request, socket } as const;
    const incoming = { source, isSecure: isEncrypted(socket), since: core.runtime.clock.now() };
    detachFromHttp(socket);
    if (parsed.refusal !== null) core.requests.refuse(socket, incoming, parsed.refusal, parsed.head);
    else core.requests.receiveRequest(socket, incoming, parsed.head, head, granted);
  });
}

type ReadUpgrade =
  | { readonly refusal: null; readonly head: RequestHead }
  | { readonly refusal: Refusal; readonly head: RequestHead | null };

function readUpgrade(request: IncomingMessage): ReadUpgrade {
  if (mayLackFields(request)) return { refusal: TOO_MANY_FIELDS, head: null };
  let head: RequestHead;
  try {
    head = headOf(request);
  } catch (error) {
    return { refusal: refuse(400, errorOf(error).message), head: null };
  }
  if (!hasKnownLength(head)) return { refusal: UNKNOWN_LENGTH, head };
  return { refusal: asksForWebSocket(head) ? null : refusePlain(head), head };
}

function checkUpgrade(request: unknown, socket: unknown, head: unknown): void {
  const { rawHeaders, method } = Object(request) as Record<string, unknown>;
  if (!Array.isArray(rawHeaders) || typeof method !== "string") {
    throw invalidArgument("request", "the IncomingMessage of an `upgrade` event", request);
  }
  const { on, write, destroy } = Object(socket) as Record<string, unknown>;
  if (![on, write, destroy].every((method_) => typeof method_ === "function")) {
    throw invalidArgument("socket", "the socket of an `upgrade` event", socket);
  }
  if (isInUse(socket as Duplex)) throw socketInUse();
  if (!(head instanceof Uint8Array)) throw invalidArgument("head", `the bytes of an \`upgrade\` event`, head);
}
