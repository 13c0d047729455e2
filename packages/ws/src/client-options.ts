// The options of a client.

import type { ClientRequest } from "node:http";
import type { RequestOptions } from "node:https";
import type { ConnectionOptions } from "./options.js";
import type { WebSocket } from "./web-socket.js";

/** The options of `ws`, and those of `http.request()`, `net.connect()` and `tls.connect()`. */
export interface ClientOptions extends ConnectionOptions, Omit<RequestOptions, "method"> {
  readonly finishRequest?: ((request: ClientRequest, websocket: WebSocket) => void) | undefined;
  readonly followRedirects?: boolean | undefined;
  readonly handshakeTimeout?: number | undefined;
  readonly maxRedirects?: number | undefined;
  readonly origin?: string | undefined;
  readonly protocols?: string | readonly string[] | undefined;
  readonly protocolVersion?: number | undefined;
}
