// The client's record of its opening handshake, for `connection.request` and `connection.response`.

import type { HandshakeRecord, HandshakeRequest, HandshakeResponse } from "../connection/handshake-record.js";
import type { HandshakeHead } from "../protocol/handshake/client-handshake.js";
import { readLinkAnswer, type LinkAgreement, type LinkVersion } from "../shared/link-subprotocol.js";
import type { Upgraded } from "./opener.js";

export class ClientHandshakeRecord implements HandshakeRecord {
  readonly url: string;
  readonly extensions: readonly string[];
  readonly #request: HandshakeHead;
  readonly #response: Upgraded["head"];
  readonly #offersLink: boolean;

  /** @param offersLink whether the client offered the link protocol */
  constructor({ url, request, head, deflate }: Upgraded, offersLink: boolean) {
    this.url = url;
    this.extensions = deflate === null ? [] : [deflate.header];
    this.#request = request;
    this.#response = head;
    this.#offersLink = offersLink;
  }

  get request(): HandshakeRequest {
    const { method, target, headers } = this.#request;
    return { method, target, headers: headers.toHeaders() };
  }

  get response(): HandshakeResponse {
    const { status, headers } = this.#response;
    return { status, headers: headers.toHeaders() };
  }

  get subprotocol(): string | null {
    return this.#answer.subprotocol;
  }

  /** The version of the link protocol that the server has chosen. */
  get link(): LinkVersion {
    return this.#answer.link;
  }

  get #answer(): LinkAgreement {
    const answer = this.#response.headers.get("Sec-WebSocket-Protocol");
    return this.#offersLink ? readLinkAnswer(answer ?? "") : { subprotocol: answer, link: 0 };
  }
}
