// Asks for the upgrade on a stream, and judges the answer (RFC 6455 section 4.1).

import type { Runtime } from "../connection/runtime.js";
import type { DeflateSettings, NegotiatedDeflate } from "../protocol/deflate/negotiation.js";
import { offerDeflate, readDeflateAnswer } from "../protocol/deflate/negotiation.js";
import { DEFLATE_NAME } from "../protocol/deflate/parameters.js";
import { InvalidUpgradeError, NegotiationError, type HoldfastError } from "../shared/errors.js";
import {
  checkServerAnswer,
  createClientHandshake,
  type ClientHandshake,
  type ExpectedAnswer,
} from "../protocol/handshake/client-handshake.js";
import type { ResponseHead } from "../protocol/handshake/response-head.js";
import type { ExchangeHandler } from "./exchange.js";
import type { SystemError } from "./open-failure.js";
import { isRedirect, type RedirectTarget } from "./redirect.js";
import type { DialContext } from "./dial/dial-context.js";

/** What a client offers, to whatever server. */
export interface Offer {
  readonly subprotocols: readonly string[];
  readonly requireSubprotocol: boolean;
  readonly origin: string | null | undefined;
  readonly compression: DeflateSettings | null;
  /** Whether it is made over HTTP/2. */
  readonly http2: boolean;
}

/** What to send to one server, and what to expect in return. */
export interface OpeningRequest {
  readonly request: ClientHandshake["request"];
  readonly bytes: Uint8Array;
  readonly expected: ExpectedAnswer;
}

/** @throws InvalidHeaderError */
export function upgradeRequest(
  runtime: Runtime,
  { url, headers }: RedirectTarget,
  { subprotocols, requireSubprotocol, origin, compression, http2 }: Offer,
): OpeningRequest {
  const key = http2 ? null : Buffer.from(runtime.randomBytes(16)).toString("base64");
  const extensionOffer = compression === null ? null : offerDeflate(compression);
  const handshake = createClientHandshake({ url, key, headers, subprotocols, origin, extensionOffer });
  const offeredExtensions = compression === null ? [] : [DEFLATE_NAME];
  return { ...handshake, expected: { key, subprotocols, requireSubprotocol, offeredExtensions } };
}

/** What came of it. An accepted upgrade is told at once: a promise would let frames slip by. */
export interface UpgradeOutcome {
  /** `rest` came behind the answer: the first bytes of the first frames. */
  accepted(head: ResponseHead, rest: Uint8Array, deflate: NegotiatedDeflate | null): void;
  redirected(head: ResponseHead): void;
  refused(head: ResponseHead, body: Uint8Array): void;
  failed(error: HoldfastError): void;
}

export interface UpgradeTerms {
  readonly expected: ExpectedAnswer;
  readonly compression: DeflateSettings | null;
  /** Otherwise a redirect is a refusal like any other. */
  readonly followsRedirects: boolean;
}

export class UpgradeAnswer implements ExchangeHandler {
  readonly #terms: UpgradeTerms;
  readonly #passage: DialContext;
  readonly #outcome: UpgradeOutcome;

  constructor(terms: UpgradeTerms, passage: DialContext, outcome: UpgradeOutcome) {
    this.#terms = terms;
    this.#passage = passage;
    this.#outcome = outcome;
  }

  onHead(head: ResponseHead, rest: Uint8Array): "body" | "done" {
    const answer = checkServerAnswer(head, this.#terms.expected);
    switch (answer.outcome) {
      case "accepted":
        this.#onAccepted(head, rest, answer.extensions);
        return "done";
      case "failed":
        this.#outcome.failed(answer.error);
        return "done";
      case "refused-status":
        if (!this.#terms.followsRedirects || !isRedirect(head.status)) return "body";
        this.#outcome.redirected(head);
        return "done";
    }
  }

  onBody(head: ResponseHead, body: Uint8Array): void {
    this.#outcome.refused(head, body);
  }

  onMalformed(reason: string): void {
    this.#outcome.failed(new InvalidUpgradeError(reason));
  }

  onError(error: SystemError): void {
    this.#outcome.failed(this.#passage.failure(error));
  }

  onEnded(): void {
    this.#outcome.failed(this.#passage.endedEarly());
  }

  #onAccepted(head: ResponseHead, rest: Uint8Array, extensions: string | null): void {
    const { compression } = this.#terms;
    const deflate = compression === null ? null : readDeflateAnswer(extensions, compression);
    if (deflate instanceof NegotiationError) this.#outcome.failed(deflate);
    else this.#outcome.accepted(head, rest, deflate);
  }
}
