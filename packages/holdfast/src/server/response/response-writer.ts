// Writes the three kinds of response: a refusal, a `Response` of the application, and an upgrade. `Http1ResponseWriter`
// does so over HTTP/1.1.

import type { ByteStream } from "../../connection/ports.js";
import type { RequestHead } from "../../protocol/handshake/request-head.js";
import type { Refusal } from "../../protocol/handshake/server-handshake.js";
import {
  buildRefusal,
  buildUpgradeResponse,
  type UpgradeResponse,
} from "../../protocol/handshake/server-responses.js";
import { responseHead, type Framing } from "./response-head.js";

/** Writes responses in one version of HTTP. */
export interface ResponseWriter {
  /** Sends a complete response in plain text to a request with this method; undefined if the request is unknown. */
  refuse(refusal: Refusal, method: string | undefined): void;
  /**
   * Validates the response that `onRequest` returned.
   *
   * @throws InvalidArgumentError, InvalidHeaderError if it is not a Response, or cannot be sent
   */
  prepare(response: Response, request: RequestHead): PreparedResponse;
  /** Accepts the upgrade. Returns the bytes to send before the first frame; null if they have been sent. */
  accept(upgrade: UpgradeResponse): Uint8Array | null;
}

export interface PreparedResponse {
  /** The framing of the body that follows the head. */
  readonly framing: Framing;
  readonly sendHead: () => void;
}

export class Http1ResponseWriter implements ResponseWriter {
  readonly #transport: ByteStream;

  constructor(transport: ByteStream) {
    this.#transport = transport;
  }

  refuse(refusal: Refusal, method: string | undefined): void {
    this.#transport.write([buildRefusal(refusal, method)]);
  }

  prepare(response: Response, request: RequestHead): PreparedResponse {
    const { bytes, framing } = responseHead(response, request);
    return { framing, sendHead: () => void this.#transport.write([bytes]) };
  }

  accept(upgrade: UpgradeResponse): Uint8Array {
    return buildUpgradeResponse(upgrade);
  }
}
