// Builds the upgrade request and checks the response (RFC 6455 section 4.1).

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
import { isRedirect, type RequestTarget } from "./redirect.js";
import type { DialContext } from "./dial/dial-context.js";

/** The part of the request that is the same for every server. */
export interface Offer {
  readonly subprotocols: readonly string[];
  readonly requireSubprotocol: boolean;
  readonly origin: string | null | undefined;
  readonly compression: DeflateSettings | null;
  /** Whether to send the request over HTTP/2. */
  readonly http2: boolean;
}

/** A request to one server, and the response to expect. */
export interface PreparedUpgrade {
  readonly request: ClientHandshake["request"];
  readonly bytes: Uint8Array;
  readonly expected: ExpectedAnswer;
}

/** @throws InvalidHeaderError */
export function prepareUpgrade(
  runtime: Runtime,
  { url, headers }: RequestTarget,
  { subprotocols, requireSubprotocol, origin, compression, http2 }: Offer,
): PreparedUpgrade {
  const key = http2 ? null : Buffer.from(runtime.randomBytes(16)).toString("base64");
  const extensionOffer = compression === null ? null : offerDeflate(compression);
  const handshake = createClientHandshake({ url, key, headers, subprotocols, origin, extensionOffer });
  const offeredExtensions = compression === null ? [] : [DEFLATE_NAME];
  return { ...handshake, expected: { key, subprotocols, requireSubprotocol, offeredExtensions } };
}

/** Receives the result, synchronously: frames that arrive before a promise continues would be lost. */
export interface UpgradeHandler {
  /** @param rest the bytes received after the response head: the first frames */
  onAccepted(head: ResponseHead, rest: Uint8Array, deflate: NegotiatedDeflate | null): void;
  onRedirected(head: ResponseHead): void;
  onRejected(head: ResponseHead, body: Uint8Array): void;
  onFailed(error: HoldfastError): void;
}

export interface UpgradeExpectations {
  readonly expected: ExpectedAnswer;
  readonly compression: DeflateSettings | null;
  /** If false, a redirect is a rejection like any other status. */
  readonly followsRedirects: boolean;
}

export class UpgradeAnswer implements ExchangeHandler {
  readonly #expectations: UpgradeExpectations;
  readonly #context: DialContext;
  readonly #handler: UpgradeHandler;

  constructor(expectations: UpgradeExpectations, context: DialContext, handler: UpgradeHandler) {
    this.#expectations = expectations;
    this.#context = context;
    this.#handler = handler;
  }

  onHead(head: ResponseHead, rest: Uint8Array): "body" | "done" {
    const answer = checkServerAnswer(head, this.#expectations.expected);
    switch (answer.outcome) {
      case "accepted":
        this.#onAccepted(head, rest, answer.extensions);
        return "done";
      case "failed":
        this.#handler.onFailed(answer.error);
        return "done";
      case "refused-status":
        if (!this.#expectations.followsRedirects || !isRedirect(head.status)) return "body";
        this.#handler.onRedirected(head);
        return "done";
    }
  }

  onBody(head: ResponseHead, body: Uint8Array): void {
    this.#handler.onRejected(head, body);
  }

  onMalformed(reason: string): void {
    this.#handler.onFailed(new InvalidUpgradeError(reason));
  }

  onError(error: SystemError): void {
    this.#handler.onFailed(this.#context.failure(error));
  }

  onEnded(hasAnswered: boolean): void {
    this.#handler.onFailed(this.#context.endedEarly(hasAnswered));
  }

  #onAccepted(head: ResponseHead, rest: Uint8Array, extensions: string | null): void {
    const { compression } = this.#expectations;
    const deflate = compression === null ? null : readDeflateAnswer(extensions, compression);
    if (deflate instanceof NegotiationError) this.#handler.onFailed(deflate);
    else this.#handler.onAccepted(head, rest, deflate);
  }
}
