// The three kinds of answer to a request, on the wire of HTTP/1.1.

import type { ByteStream } from "../../connection/ports.js";
import type { RequestHead } from "../../protocol/handshake/request-head.js";
import {
  buildRefusal,
  buildUpgradeResponse,
  type Refusal,
  type UpgradeResponse,
} from "../../protocol/handshake/server-handshake.js";
import { responseHead, type Framing } from "./response-head.js";

/** How requests are answered in one version of HTTP. */
export interface ResponseWriter {
  /** In plain text, whole. */
  refuse(refusal: Refusal): void;
  /**
   * Looks at what `onRequest` returned.
   *
   * @throws InvalidArgumentError, InvalidHeaderError where it is no Response, or cannot be sent
   */
  prepare(response: Response, request: RequestHead): PreparedResponse;
  /** Opens the WebSocket. Returns what goes out ahead of the first frame; null where it is out already. */
  accept(upgrade: UpgradeResponse): Uint8Array | null;
}

export interface PreparedResponse {
  /** How the body is to be sent behind the head. */
  readonly framing: Framing;
  readonly sendHead: () => void;
}

export class Http1ResponseWriter implements ResponseWriter {
  readonly #transport: ByteStream;

  constructor(transport: ByteStream) {
    this.#transport = transport;
  }

  refuse(refusal: Refusal): void {
    this.#transport.write([buildRefusal(refusal)]);
  }

  prepare(response: Response, request: RequestHead): PreparedResponse {
    const { bytes, framing } = responseHead(response, request);
    return { framing, sendHead: () => void this.#transport.write([bytes]) };
  }

  accept(upgrade: UpgradeResponse): Uint8Array {
    return buildUpgradeResponse(upgrade);
  }
}
