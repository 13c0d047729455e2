// The options of a server.

import type { IncomingMessage, OutgoingHttpHeaders, Server as HttpServer } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { ConnectionOptions } from "./options.js";
import type { WebSocket } from "./web-socket.js";

export interface ClientInfo {
  readonly origin: string;
  readonly secure: boolean;
  readonly req: IncomingMessage;
}

/** Decides on a client, by its result or, with two parameters, by the callback. */
export type VerifyClient = (
  info: ClientInfo,
  callback: (isVerified: boolean, status?: number, message?: string, headers?: OutgoingHttpHeaders) => void,
) => void;

export interface ServerOptions extends ConnectionOptions {
  readonly backlog?: number | null | undefined;
  readonly clientTracking?: boolean | undefined;
  readonly handleProtocols?:
    ((protocols: Set<string>, request: IncomingMessage) => string | false | undefined) | null | undefined;
  readonly host?: string | null | undefined;
  readonly noServer?: boolean | undefined;
  readonly path?: string | null | undefined;
  readonly port?: number | null | undefined;
  readonly server?: HttpServer | HttpsServer | null | undefined;
  readonly verifyClient?: VerifyClient | ((info: ClientInfo) => boolean) | null | undefined;
  readonly WebSocket?: typeof WebSocket | undefined;
}
